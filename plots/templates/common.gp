# Written by `numaslab plot`. In this folder:
#   gnuplot @NAME@.gp                      draws @NAME@.png
#   gnuplot -e "format='svg'" @NAME@.gp    draws @NAME@.svg
# The numbers are in @NAME@.dat; its columns are told in its header.
if (!exists("format")) format = 'png'
W = @WIDTH@.0
H = @HEIGHT@.0
# a point is 1/72 inch here and a pixel there
POINTS = format eq 'svg' ? 4.0 / 3 : 1
TITLE_FONT = sprintf(',%.3g', 12 * POINTS)
HEAD_FONT = sprintf(',%.3g', 10 * POINTS)
FOOT_FONT = sprintf(',%.3g', 7.5 * POINTS)
if (format eq 'svg') {
	set terminal svg size @WIDTH@,@HEIGHT@ font 'DejaVu Sans,12' background 'white' noenhanced
} else {
	set terminal pngcairo size @WIDTH@,@HEIGHT@ font 'DejaVu Sans,9' background 'white' noenhanced
}
set encoding utf8
set output '@NAME@.' . format
set datafile separator "\t"
DATA = '@NAME@.dat'

NF = @NR_FACETS@
NA = @NR_ARMS@
NT = @NR_TICKS@
array facet[@NR_FACETS@] = [@FACETS@]
array ticks[@NR_FACETS@] = [@TICKS@]
array arm[@NR_ARMS@] = [@ARMS@]
array unit[@NR_YLABELS@] = [@YLABELS@]
array foot[@NR_FOOTS@] = [@FOOTS@]

# Okabe and Ito's colours, told apart by colour-blind readers too; beyond eight, darker ones.
array hue[16] = [0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0x56b4e9, 0xcc79a7, 0xf0e442, 0x666666, \
	0x003959, 0x734f00, 0x004f39, 0x6a2f00, 0x2b5a74, 0x663c53, 0x787221, 0x1a1a1a]
color(a) = hue[(a - 1) % 16 + 1]

# pixels from the left and from the top
sx(p) = p / W
sy(p) = 1 - p / H
TOP = 52
KEY_X = @COLS@ * @FACET_WIDTH@ + 14
left(f) = ((f - 1) % @COLS@) * @FACET_WIDTH@
top(f) = TOP + ((f - 1) / @COLS@) * @FACET_HEIGHT@

set label 1 '@TITLE@' at screen sx(12), screen sy(20) left font TITLE_FONT tc rgb 0x000000
do for [i = 1:|foot|] {
	set label 1 + i foot[i] at screen sx(12), screen sy(H - 15 * (|foot| - i) - 12) left \
		font FOOT_FONT tc rgb 0x444444
}
set border 3 lc rgb 0x888888
set tics nomirror out scale 0.5 textcolor rgb 0x222222
set grid y lc rgb 0xdddddd lt 1 lw 1
set key off
