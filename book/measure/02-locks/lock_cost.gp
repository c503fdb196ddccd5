set ylabel "lock, add 1, unlock: ns"
set style data histogram
set xtics scale 0
plot data using "alone_ns":xtic(1) linetype 1 title "one thread", \
     data using "two_threads_ns" linetype 2 title "two threads want it"
