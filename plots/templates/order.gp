
# ---- three panels over the slab order ----
is(f, a) = column(1) == f && column(2) == a
stats DATA using 3 name 'O' nooutput
LEFT = O_min - 0.4
RIGHT = O_max + 0.4
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA using ($1 == f ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	set xrange [LEFT:RIGHT]
	set lmargin at screen sx(left(f) + 72)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 14)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 42)
	if (V_records > 0 && V_max > 0) { set yrange [0:V_max * 1.1] } else { set yrange [0:1] }
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	eval 'set xtics ' . ticks[f]
	if (f == NF) { set xlabel 'slab order (pages: 2 to its power)' offset 0, 0.4 } else { unset xlabel }
	set ylabel unit[f] offset 0.5, 0
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 2 \
			spacing 1.3 noautotitle
	} else {
		unset key
		unset label
	}
	if (V_records == 0) {
		set label 100 'not counted in this run' at graph 0.5, graph 0.5 center tc rgb 0x666666
	}
	plot for [a = 1:NA] DATA using (is(f, a) ? $3 : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.4 lc rgb color(a) notitle, \
		for [a = 1:NA] DATA using (is(f, a) && $3 >= 0 ? $3 : NaN):4 with linespoints \
			pt 4 + a ps 0.9 lw 1.8 lc rgb color(a) title arm[a], \
		for [a = 1:NA] DATA using (is(f, a) && $3 < 0 ? $3 : NaN):4 with points \
			pt 4 + a ps 1.1 lw 1.8 lc rgb color(a) notitle
	unset label 100
}
unset multiplot
