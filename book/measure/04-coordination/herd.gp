set ylabel "processor time for one permit, µs"
set xlabel "threads that sleep on the same condition"
set logscale x 2
set logscale y
plot data using "sleepers":"signal_us" with linespoints linetype 1 title "signal: one wakes up", \
     data using "sleepers":"broadcast_us" with linespoints linetype 2 title "broadcast: all wake up"
