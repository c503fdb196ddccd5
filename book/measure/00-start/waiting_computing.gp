set ylabel "eight tasks, ms"
set style data histogram
set key top right
plot data using "in_turn_ms":xtic(1) title "in turn" linetype 1, \
     data using "eight_threads_ms" title "in eight threads" linetype 2
