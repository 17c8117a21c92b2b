
# ---- heat maps on one scale: arms from top to bottom, ticks from left to right ----
LONGEST = 1
do for [a = 1:NA] { if (strlen(arm[a]) > LONGEST) { LONGEST = strlen(arm[a]) } }
ML = names_room(LONGEST)
array tick[@NR_TICKS@] = [@TICK_NAMES@]
stats DATA using ($13 == 0 ? $4 : NaN) name 'V' nooutput
if (!exists("V_records")) { V_records = 0 }
LO = V_records > 0 ? V_min : 0
HI = V_records > 0 ? V_max : 1
if (LOG) {
	LO = 1
	if (HI < 10) { HI = 10 }
	set logscale cb
} else {
	if (HI <= LO) { HI = LO + (LO > 0 ? 0.1 * LO : 1) }
}
set cbrange [LO:HI]
bright(v) = LOG ? log(v > 1 ? v : 1) / log(HI) : (v - LO) / (HI - LO)
on(v) = bright(v) > 0.6 ? 0x000000 : 0xffffff
plain(v) = v == 0 ? '0' : v >= 99.5 ? sprintf('%.0f', v) : v >= 9.95 ? sprintf('%.1f', v) : sprintf('%.2f', v)
# what cannot be told from the best is grey and in brackets
show(v, mark) = LOG ? sprintf('%.0f', v) : mark != 0 ? '(' . plain(v) . ')' : plain(v)
unset grid
set border 15
set xrange [-0.5:NT - 0.5]
set style fill solid 1.0 border rgb (DARK ? 0x14171c : 0xffffff)
set multiplot
do for [f = F1:F2] {
	set yrange [*:*]
	set xrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $2 : NaN) name 'Y' nooutput
	set xrange [(TEXT ? -0.9 : -0.5):NT - 0.5]
	set yrange [Y_max + 0.5:Y_min - 0.5]
	set xtics scale 0 ()
	set ytics scale 0 ()
	# not every row of a large map has room for its name
	ROWS = int(Y_max - Y_min + 1)
	STEP = ROWS > 36 ? int(ceil(ROWS / 16.0)) : 1
	do for [a = int(Y_min):int(Y_max):STEP] { set ytics add (label(arm[a]) a) }
	STEP = NT > (TEXT ? 9 : 16) ? int(ceil(NT / (TEXT ? 9.0 : 12.0))) : 1
	do for [t = 1:NT:STEP] { set xtics add (label(tick[t]) t - 1) }
	eval FRAME
	set title facet[f] offset 0, -0.5 font sprintf(',%.3g', 8.5 * POINTS)
	set xlabel xname offset 0, 0.4
	set ylabel unit[1] offset -0.3, 0
	if (f == F1 && !TEXT) {
		set colorbox user origin screen sx(KEY_X + 6), screen sy(TOP + 26 + 180) \
			size screen 16 / W, screen 180 / H
		set cblabel unit[2] offset 0.5, 0
	} else {
		unset colorbox
	}
	HAS_ROOM = (FACET_W - ML - MR) / NT >= 26 && (FACET_H - 26 - MB) / ROWS >= 12
	if (TEXT) {
		plot DATA index f - 1 using (column(1) == f && $4 == $4 && int($3) % STEP == 0 ? $3 : NaN):2:(show($4, $13)) with labels
	} else {
		plot DATA index f - 1 using (column(1) == f && $4 == $4 && $13 == 0 ? $3 : NaN):2 \
			:($3 - 0.5):($3 + 0.5):($2 - 0.5):($2 + 0.5):4 with boxxyerror lc palette, \
			DATA index f - 1 using (column(1) == f && $4 == $4 && $13 != 0 ? $3 : NaN):2 \
			:($3 - 0.5):($3 + 0.5):($2 - 0.5):($2 + 0.5) with boxxyerror lc rgb GRID, \
			DATA index f - 1 using (column(1) == f && $4 == $4 && HAS_ROOM ? $3 : NaN):2 \
			:(show($4, $13)):($13 != 0 ? SOFT : on($4)) with labels font FOOT_FONT \
			tc rgb variable
	}
}
unset multiplot
