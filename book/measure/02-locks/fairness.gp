set ylabel "the lock was taken, thousand times a second"
set logscale y
set yrange [1:*]
set xtics scale 0
unset key
plot data using 0:(column("taken_per_s") / 1000):xtic(1) with boxes linetype 1
