set key outside top center horizontal
set ylabel "time, in turn = 1"
set logscale y
set yrange [0.3:10000]
set format y "%g"
set style data histogram
set xtics scale 0 rotate by -25
plot data using (column("thread_each_us")/column("in_turn_us")):xtic(1) linetype 2 title "a thread for each", \
     data using (column("workers_us")/column("in_turn_us")) linetype 3 title "four workers", \
     data using (column("executor_us")/column("in_turn_us")) linetype 1 title "an executor", \
     1 with lines linetype 7 notitle
