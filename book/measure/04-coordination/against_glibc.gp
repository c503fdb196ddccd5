set termoption noenhanced
set xlabel "times as long"
set lmargin 34
set xtics 0.5
set xrange [0:*]
set yrange [8.6:-0.6]
set ytics scale 0 font ",12"
set grid noytics xtics
set arrow from 1, graph 0 to 1, graph 1 nohead linetype 2 linewidth 2 front
unset key
plot data using (0):0:(0):"ratio":(column(0) - 0.35):(column(0) + 0.35):ytic(stringcolumn("what") . " | " . stringcolumn("beside")) \
     with boxxyerror linetype 1
