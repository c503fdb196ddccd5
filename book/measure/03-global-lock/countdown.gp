set ylabel "calc(n), ms"
set style data histogram
set datafile missing "-"
set yrange [0:*]
set key top left
set offsets 0, 0, 60, 0
plot data using "vm_ms":xtic(1) title "our machine" linetype 1, \
     data using "python_ms" title "Python" linetype 2
