set ylabel "counted and given up once, ns"
set style data histogram
set datafile missing "-"
set logscale y
set yrange [0.2:*]
plot data using "alone_ns":xtic(1) title "one thread" linetype 1, \
     data using "two_ns" title "two threads at the same time" linetype 2
