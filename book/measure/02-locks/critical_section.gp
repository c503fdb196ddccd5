set ylabel "times as fast as one thread"
set xlabel "share of the work that is done with the lock held, %"
set yrange [0:2.2]
unset key
plot data using "inside_percent":"speedup" with linespoints linetype 1
