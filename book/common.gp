# common.gp - how every plot of the book looks. `make book` loads it before book/measure/CH/NAME.gp.
#
# A plot's own script finds these ready, and sets no terminal, no output and no size:
#   data      the path of book/measured/CH/NAME.tsv; the separator is a tab, comment lines begin with #, and the first
#             line has the columns' names, so that `plot data using "threads":"create_us"` works and no row is skipped
#             by hand. Where a column is text: using …:xtic(1) or stringcolumn("what").
#   lt 1…7    the palette (Okabe and Ito's, which colour-blind readers can tell apart), readable on light and dark
#   style     boxes are filled, the grid is horizontal, y starts at 0
# Labels say the unit. Black is replaced by the page's own text colour.

set encoding utf8
set terminal svg size 760,400 dynamic enhanced font "sans-serif,15" linewidth 1.4
set datafile separator tab
set datafile commentschars "#"
set datafile columnheaders

set linetype 1 linecolor rgb "#2f86c8" pointtype 7
set linetype 2 linecolor rgb "#d97a1f" pointtype 5
set linetype 3 linecolor rgb "#1f9e77" pointtype 9
set linetype 4 linecolor rgb "#c46a9b" pointtype 13
set linetype 5 linecolor rgb "#8f7fd0" pointtype 11
set linetype 6 linecolor rgb "#b79a1c" pointtype 3
set linetype 7 linecolor rgb "#808890" pointtype 1
set linetype cycle 7

set border 3
set tics nomirror out scale 0.6
set grid ytics linetype 0 linecolor rgb "#9aa4ad"
set style fill solid 0.85 noborder
set boxwidth 0.7
set style histogram clustered gap 1
set key top left reverse Left samplen 1.5
set yrange [0:*]
