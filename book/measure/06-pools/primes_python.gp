set key outside top center horizontal
set ylabel "time, in turn = 1"
set logscale y
set yrange [0.3:100]
set format y "%g"
set style data histogram
set xtics scale 0
plot data using (column("thread_each_ms")/column("in_turn_ms")):xtic(1) linetype 2 title "a thread for each", \
     data using (column("workers_ms")/column("in_turn_ms")) linetype 3 title "four workers", \
     data using (column("executor_ms")/column("in_turn_ms")) linetype 1 title "an executor", \
     1 with lines linetype 7 notitle
