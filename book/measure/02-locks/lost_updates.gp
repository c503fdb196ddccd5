set ylabel "lost additions, %"
set xlabel "additions of each of two threads"
set logscale x
set format x "10^{%T}"
set xrange [50:20000000]
set yrange [0:60]
plot data using "additions":"lost_percent":"least_percent":"most_percent" with yerrorlines linetype 2 \
     title "median of 15 rounds, and the range"
