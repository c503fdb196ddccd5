set xlabel "time, ms"
unset ylabel
set xrange [0:120]
set yrange [0.4:3.6]
set ytics ("computes" 3, "computes too" 2, "sleeps" 1) scale 0
set grid xtics noytics
unset key
plot data using ((column("from_ms") + column("to_ms")) / 2):(4 - column("lane")):"from_ms":"to_ms":(3.7 - column("lane")):(4.3 - column("lane")):"lane" \
     with boxxyerror linecolor variable
