set xlabel "places in the queue"
set ylabel "put and get one item: ns"
set logscale xy
set yrange [*:*]
set xrange [0.7:6000]
set xtics (1, 4, 16, 64, 256, 1024, 4096)
unset key
plot data using "maxsize":"item_ns" with linespoints linetype 1
