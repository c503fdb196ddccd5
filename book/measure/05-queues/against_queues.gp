set ylabel "put and get one item: ns"
set style data histogram
set xtics scale 0 rotate by -20
plot data using "ours_ns":xtic(stringcolumn("what") . ", " . stringcolumn("beside")) linetype 1 title "our queue", \
     data using "theirs_ns" linetype 2 title "the other one"
