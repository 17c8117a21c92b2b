
# ---- lines with whiskers, and the ideal ----
is(f, a) = column(1) == f && column(2) == a
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	unset logscale
	stats DATA using ($1 == f ? $3 : NaN) name 'T' nooutput
	stats DATA using ($1 == f ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	# the ideal starts at the best arm with the fewest threads
	stats DATA using ($1 == f && $3 == T_min ? $4 : NaN) name 'B' nooutput
	if (!exists("B_records")) { B_records = 0 }
	slope = B_records > 0 ? B_max / T_min : NaN
	set lmargin at screen sx(left(f) + 68)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 16)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 46)
	if (T_max >= 16 * T_min) {
		set logscale xy
		set xrange [T_min / 1.15:T_max * 1.15]
		set yrange [*:*]
		set format y '%g'
	} else {
		unset logscale
		set xrange [T_min - 0.25:T_max + 0.25]
		set yrange [0:*]
	}
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	eval 'set xtics ' . ticks[f]
	set xlabel 'threads' offset 0, 0.4
	set ylabel unit[1] offset 0.5, 0
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 2 \
			spacing 1.3 noautotitle
	} else {
		unset key
		unset label
	}
	# one text column of the key for each arm; drawn lines and whiskers have none
	plot slope * x with lines dt 2 lw 1.5 lc rgb 0x999999 title 'ideal', \
		for [a = 1:NA] DATA using (is(f, a) ? $3 : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.4 lc rgb color(a) notitle, \
		for [a = 1:NA] DATA using (is(f, a) ? $3 : NaN):4 with linespoints \
			pt 4 + a ps 0.9 lw 1.8 lc rgb color(a) title arm[a]
}
unset multiplot
