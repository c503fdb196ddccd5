set ylabel "create and join, µs"
unset key
plot data using 0:"create_us":xtic(1) with boxes linetype 1
