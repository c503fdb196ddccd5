set termoption noenhanced
set ylabel "give and take: ns"
set logscale y
set yrange [5:200000]
set format y "%g"
set xrange [-0.6:3.6]
set style data histogram
set xtics scale 0 font ",12"
plot data using "alone_ns":xtic(1) linetype 1 title "alone", \
     data using (column("in_turn_us") * 1000) linetype 2 title "two threads wake each other"
