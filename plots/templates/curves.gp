# ---- one panel for each series, a line for each arm ----
array over[@NR_XLABELS@] = [@XLABELS@]
ML = 60
MB = 50
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA index f - 1 using ($1 == f ? $4 : NaN) name 'V' nooutput
	set xrange [X_min:(X_max > X_min ? X_max : X_min + 1)]
	# from 0, unless all of it lies far above
	LOW = V_min < 0 ? V_min * 1.1 : 0
	set yrange [LOW:(V_max > 0 ? V_max * 1.1 : 1)]
	eval FRAME
	eval KEY
	set xlabel over[f] offset 0, 0.4
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):4 with lines lw 1.8 \
		dashtype 1 + (a > 8) lc rgb color(a) title arm[a]
}
unset multiplot
