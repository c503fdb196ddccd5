set ylabel "times as long as the other one"
set yrange [0:*]
set style data boxes
set xtics scale 0 rotate by -25
unset key
plot data using 0:"ratio":xtic(stringcolumn("what") . ", beside " . stringcolumn("beside")) with boxes linetype 1, \
     1 with lines linetype 2
