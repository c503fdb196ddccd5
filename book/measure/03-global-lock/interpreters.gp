set xlabel "interpreters, each with a countdown of its own"
set ylabel "all of them, ms"
set xrange [0.8:4.2]
set xtics 1
plot data using "interpreters":"one_lock_ms" with linespoints linetype 2 title "one lock for all", \
     data using "interpreters":"own_locks_ms" with linespoints linetype 1 title "a lock for each"
