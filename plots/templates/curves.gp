# ---- one panel for each series, a line for each arm ----
array over[@NR_XLABELS@] = [@XLABELS@]
is(f, a) = column(1) == f && column(2) == a
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA using ($1 == f ? $4 : NaN) name 'V' nooutput
	set xrange [X_min:(X_max > X_min ? X_max : X_min + 1)]
	# from 0, unless all of it lies far above
	LOW = V_min < 0 ? V_min * 1.1 : 0
	set yrange [LOW:(V_max > 0 ? V_max * 1.1 : 1)]
	set lmargin at screen sx(left(f) + 60)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 14)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 50)
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	set xlabel over[f] offset 0, 0.4
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 2 \
			spacing 1.3 noautotitle
	} else {
		unset key
		unset label
	}
	plot for [a = 1:NA] DATA using (is(f, a) ? $3 : NaN):4 with lines lw 1.8 \
		dashtype 1 + (a > 8) lc rgb color(a) title arm[a]
}
unset multiplot
