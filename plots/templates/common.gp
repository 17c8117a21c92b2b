# Written by `numaslab plot`. In this folder:
#   gnuplot @NAME@.gp                      draws @NAME@.png
#   gnuplot -e "format='svg'" @NAME@.gp    draws @NAME@.svg; 'txt' draws with characters
#   gnuplot -e "theme='dark'" @NAME@.gp    draws @NAME@-dark.png
#   gnuplot -e "page=2" @NAME@.gp          draws @NAME@-2.png, of @NR_PAGES@
# The numbers are in @NAME@.dat; its columns are told in its header.
if (!exists("format")) format = 'png'
if (!exists("theme")) theme = 'light'
if (!exists("page")) page = 1
TEXT = format eq 'txt'
DARK = theme eq 'dark' && !TEXT

NF = @NR_FACETS@
NA = @NR_ARMS@
NT = @NR_TICKS@
array facet[@NR_FACETS@] = [@FACETS@]
array ticks[@NR_FACETS@] = [@TICKS@]
array arm[@NR_ARMS@] = [@ARMS@]
array unit[@NR_YLABELS@] = [@YLABELS@]
array foot[@NR_FOOTS@] = [@FOOTS@]
array text_foot[@NR_TEXT_FOOTS@] = [@TEXT_FOOTS@]
NR_FOOTS = TEXT ? @NR_TEXT_FOOTS@ : @NR_FOOTS@

# A page holds facets F1 to F2 with arms A1 to A2.
if (page < 1 || page > @NR_PAGES@) { page = 1 }
FACET_PAGES = (NF + @PER_PAGE@ - 1) / @PER_PAGE@
A1 = (page - 1) / FACET_PAGES * @PER_LEGEND@ + 1
A2 = A1 + @PER_LEGEND@ - 1 < NA ? A1 + @PER_LEGEND@ - 1 : NA
F1 = (page - 1) % FACET_PAGES * @PER_PAGE@ + 1
F2 = F1 + @PER_PAGE@ - 1 < NF ? F1 + @PER_PAGE@ - 1 : NF

# Sizes in pixels; a character of a text is taken for 8 x 16 of them.
COLS = TEXT ? 1 : @COLS@
FACET_W = TEXT ? 624 : @FACET_WIDTH@
FACET_H = TEXT ? (@FACET_HEIGHT@ > 352 ? @FACET_HEIGHT@ : 352) : @FACET_HEIGHT@
FOOT_H = TEXT ? 16 : 15
KEY_H = TEXT ? 16 * (@KEY_ROWS@ > 0 ? A2 - A1 + 2 : 0) : 21 * (A2 - A1 + 2)
GRID_H = (F2 - F1 + COLS) / COLS * FACET_H
TOP = TEXT ? 32 + KEY_H : 52
W = 0.0 + FACET_W * COLS + (TEXT ? 0 : @KEY_WIDTH@)
H = TOP + (!TEXT && KEY_H > GRID_H ? KEY_H : GRID_H) + FOOT_H * NR_FOOTS + 12.0
KEY_X = TEXT ? 16 : COLS * FACET_W + 14
KEY_Y = TEXT ? 32 : TOP + 20
sx(p) = p / W
sy(p) = 1 - p / H
left(f) = (f - F1) % COLS * FACET_W
top(f) = TOP + (f - F1) / COLS * FACET_H

# a point is 1/72 inch in SVG and a pixel in PNG
POINTS = format eq 'svg' ? 4.0 / 3 : 1
TITLE_FONT = sprintf(',%.3g', 12 * POINTS)
HEAD_FONT = sprintf(',%.3g', 10 * POINTS)
FOOT_FONT = sprintf(',%.3g', 7.5 * POINTS)
PAPER = DARK ? '#14171c' : '#ffffff'
INK = DARK ? 0xf2f2f2 : 0x000000
SOFT = DARK ? 0xd4d4d4 : 0x222222
FAINT = DARK ? 0xb4b4b4 : 0x444444
LINE = DARK ? 0x8a8f98 : 0x888888
GRID = DARK ? 0x343941 : 0xdddddd
PALE = DARK ? 0x7c828c : 0x999999
BAND = DARK ? 0x2a3a33 : 0xe4f1ea
ALARM = DARK ? 0xff8a80 : 0xaa0000
# Okabe and Ito's colours, told apart by colour-blind readers too; beyond eight, darker ones (on
# dark paper paler ones).
if (DARK) {
	array hue[16] = [0x4aa3df, 0xe69f00, 0x1fbf92, 0xf07a2a, 0x8fd0f5, 0xdf93bf, 0xf0e442, \
		0xa8a8a8, 0xa5d1ef, 0xf3cf80, 0x8fdfc8, 0xf7bc94, 0xc7e7fa, 0xefc9df, 0xf7f1a0, 0xe0e0e0]
} else {
	array hue[16] = [0x0072b2, 0xe69f00, 0x009e73, 0xd55e00, 0x56b4e9, 0xcc79a7, 0xc9b800, \
		0x666666, 0x003959, 0x734f00, 0x004f39, 0x6a2f00, 0x2b5a74, 0x663c53, 0x787221, 0x1a1a1a]
}
# an arm has the same colour in all plots of a run
array tone[@NR_ARMS@] = [@TONES@]
color(a) = hue[tone[a] % 16 + 1]
mark(a) = 5 + tone[a] % 10
# viridis rises in brightness, so it also reads in grey
set palette defined (0 '#440154', 1 '#414487', 2 '#2a788e', 3 '#22a884', 4 '#7ad151', 5 '#fde725')

SIZE = sprintf('size %d,%d', TEXT ? W / 8 : W, TEXT ? H / 16 : H)
if (TEXT) {
	eval 'set terminal dumb nofeed mono noenhanced ' . SIZE
} else {
	LOOK = sprintf(" font 'DejaVu Sans,%d' background '%s' noenhanced", \
		format eq 'svg' ? 12 : 9, PAPER)
	eval 'set terminal ' . (format eq 'svg' ? 'svg ' : 'pngcairo ') . SIZE . LOOK
}
set encoding utf8
set output '@NAME@' . (page > 1 ? sprintf('-%d', page) : '') . (DARK ? '-dark' : '') . '.' . format
set datafile separator "\t"
DATA = '@NAME@.dat'

set label 1 '@TITLE@' . (@NR_PAGES@ > 1 ? sprintf(' (page %d of %d)', page, @NR_PAGES@) : '') \
	at screen sx(TEXT ? 0 : 12), screen sy(TEXT ? 8 : 20) left font TITLE_FONT tc rgb INK
do for [i = 1:NR_FOOTS] {
	if (TEXT) {
		set label 1 + i text_foot[i] at screen 0, screen sy(H - 16 * (NR_FOOTS - i) - 8) left
	} else {
		set label 1 + i foot[i] at screen sx(12), screen sy(H - 15 * (NR_FOOTS - i) - 12) left \
			font FOOT_FONT tc rgb FAINT
	}
}
set border 3 lc rgb LINE
set tics nomirror out scale 0.5 textcolor rgb SOFT
set title textcolor rgb INK
set xlabel textcolor rgb SOFT
set ylabel textcolor rgb SOFT
set cblabel textcolor rgb SOFT
if (!TEXT) { set grid y lc rgb GRID lt 1 lw 1 }
if (TEXT) { set errorbars 0 }
set key off textcolor rgb SOFT

# For `eval`, with the facet's number in f and the margins inside it in pixels in ML, MR and MB.
ML = 62
MR = 14
MB = 46
FRAME = 'set lmargin at screen sx(left(f) + (TEXT && ML < 88 ? 88 : ML));' \
	. 'set rmargin at screen sx(left(f) + FACET_W - MR);' \
	. 'set tmargin at screen sy(top(f) + 26);' \
	. 'set bmargin at screen sy(top(f) + FACET_H - (TEXT && MB < 64 ? 64 : MB));' \
	. 'set title facet[f] offset 0, -0.5 font HEAD_FONT;' \
	. 'if (f != F1) { unset label };'
# the key stands once, beside the first facet
KEY = 'if (f == F1) { set key at screen sx(KEY_X), screen sy(KEY_Y) left top Left reverse maxcols 1' \
	. ' samplen 2 spacing (TEXT || KEY_H > FACET_H - 82 ? 1 : 1.3) noautotitle } else { unset key };'
# a tick's label is a format
label(s) = strstrt(s, '%') ? s[1:strstrt(s, '%')] . '%' . label(s[strstrt(s, '%') + 1:*]) : s
# room that names on the y axis take, in pixels
names_room(n) = (n > 46 ? 46 : n) * (TEXT ? 8 : 6.7) + (TEXT ? 24 : 36)
is(f, a) = column(1) == f && column(2) == a
