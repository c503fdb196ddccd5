set ylabel "calc(n), ms"
set style data histogram
set datafile missing "-"
plot data using "c_ms":xtic(1) title "C" linetype 1, \
     data using "python_ms" title "Python" linetype 2
