set ylabel "µs, tenfold with each step"
set logscale y
set yrange [0.0005:2000]
set format y "%g"
unset key
plot data using 0:"cost_us":xtic(1) with boxes linetype 1, \
     data using 0:"cost_us":(sprintf("%.3g µs", column("cost_us"))) with labels offset 0,0.8
