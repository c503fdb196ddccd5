set xlabel "switch interval, ms"
set ylabel "from waking up to having the lock, ms"
set logscale xy
set xrange [0.07:80]
set yrange [0.0001:200]
set key at graph 0.98, 0.42 right
plot data using "interval_ms":"delay_ms":"delay_ms":"most_ms" with yerrorlines linetype 2 \
          title "beside a thread that computes (median, longest)", \
     data using "interval_ms":"alone_ms" with linespoints linetype 1 title "alone", \
     x with lines linetype 7 dashtype 2 title "one interval"
