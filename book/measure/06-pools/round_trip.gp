set ylabel "there and back: µs"
set yrange [0:*]
unset key
set xtics scale 0 rotate by -35
plot data using 0:"round_trip_us":xtic(1) with boxes linetype 1, \
     data using 0:"round_trip_us":(sprintf("%.3g µs", column("round_trip_us"))) with labels offset 0,0.8
