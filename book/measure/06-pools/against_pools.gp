set key outside top center horizontal
set ylabel "one task or item: ns"
set logscale y
set yrange [1:]
set format y "%g"
set style data histogram
set xtics scale 0 rotate by -35
plot data using "ours_ns":xtic(1) linetype 1 title "ours", \
     data using "theirs_ns" linetype 2 title "the other one"
