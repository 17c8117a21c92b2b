
# ---- heat maps on one scale ----
# viridis: rises in brightness, so it also reads in grey and for colour-blind readers
set palette defined (0 '#440154', 1 '#414487', 2 '#2a788e', 3 '#22a884', 4 '#7ad151', 5 '#fde725')
stats DATA using 4 name 'V' nooutput
if (!exists("V_records")) { V_records = 0 }
LO = V_records > 0 ? V_min : 0
HI = V_records > 0 ? V_max : 1
if (HI <= LO) { HI = LO + (LO > 0 ? 0.1 * LO : 1) }
set cbrange [LO:HI]
ink(v) = (v - LO) / (HI - LO) > 0.6 ? 0x000000 : 0xffffff
show(v) = v >= 99.5 ? sprintf('%.0f', v) : v >= 9.95 ? sprintf('%.1f', v) : sprintf('%.2f', v)
unset grid
set border 15
set xrange [-0.5:NT - 0.5]
set yrange [NA - 0.5:-0.5]
set xtics scale 0 ()
set ytics scale 0 ()
# not every node of a large machine has room for its number
STEP = NA > 24 ? int(ceil(NA / 16.0)) : 1
do for [a = 1:NA:STEP] {
	set xtics add (arm[a] a - 1)
	set ytics add (arm[a] a - 1)
}
set style fill solid 1.0 border rgb 0xffffff
set multiplot
do for [f = 1:NF] {
	set lmargin at screen sx(left(f) + 54)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 14)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 46)
	set title facet[f] offset 0, -0.5 font sprintf(',%.3g', 8.5 * POINTS)
	set xlabel 'freeing node' offset 0, 0.4
	set ylabel unit[1] offset -0.3, 0
	if (f == 1) {
		set colorbox user origin screen sx(KEY_X + 6), screen sy(TOP + 26 + 180) \
			size screen 16 / W, screen 180 / H
		set cblabel 'ns per operation' offset 0.5, 0
	} else {
		unset colorbox
		unset label
	}
	plot DATA using (column(1) == f && $4 == $4 ? $3 : NaN):($2 - 1):($3 - 0.5):($3 + 0.5) \
		:($2 - 1.5):($2 - 0.5):4 with boxxyerror lc palette, \
		DATA using (column(1) == f && $4 == $4 && NA <= 10 ? $3 : NaN):($2 - 1) \
		:(show($4)):(ink($4)) with labels font FOOT_FONT tc rgb variable
}
unset multiplot
