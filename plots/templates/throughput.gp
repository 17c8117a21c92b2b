
# ---- bars ----
# bars of one size stand side by side in their slots, as many as the facet has arms
place(x, slot) = x + (slot - (SLOTS - 1) / 2.0) * BAR
is(f, a) = column(1) == f && column(2) == a
set style fill solid 1.0 border rgb 0x333333
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA using ($1 == f ? $12 : NaN) name 'S' nooutput
	SLOTS = S_max + 1
	BAR = 0.84 / SLOTS
	set boxwidth BAR * 0.94
	stats DATA using ($1 == f ? $3 : NaN) name 'P' nooutput
	stats DATA using ($1 == f && valid(4) && $4 > 0 ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	set lmargin at screen sx(left(f) + 62)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 14)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 46)
	set xrange [-0.5:P_max + 0.5]
	if (V_records == 0) { set yrange [0:1] } else { set yrange [0:V_max * 1.08] }
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	eval 'set xtics scale 0 ' . ticks[f]
	set xlabel 'object size' offset 0, 0.4
	set ylabel unit[1] offset 1, 0
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 1.2 \
			spacing 1.3 noautotitle
		plot for [a = 1:NA] DATA \
			using (is(f, a) ? place($3, $12) : NaN):4 with boxes lc rgb color(a) title arm[a], \
			DATA using (column(1) == f ? place($3, $12) : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.0025,90 fixed lc rgb 0x000000 lw 1.2, \
			DATA using (column(1) == f && strcol(4) eq 'NaN' ? place($3, $12) : NaN):(0):('x') \
			with labels offset 0, 0.5 tc rgb 0xaa0000
		unset key
		unset label
	} else {
		plot for [a = 1:NA] DATA \
			using (is(f, a) ? place($3, $12) : NaN):4 with boxes lc rgb color(a), \
			DATA using (column(1) == f ? place($3, $12) : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.0025,90 fixed lc rgb 0x000000 lw 1.2, \
			DATA using (column(1) == f && strcol(4) eq 'NaN' ? place($3, $12) : NaN):(0):('x') \
			with labels offset 0, 0.5 tc rgb 0xaa0000
	}
}
unset multiplot
