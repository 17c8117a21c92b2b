
# ---- a point for each arm, the front as steps; arm NA is the front ----
ML = 66
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA index f - 1 using ($1 == f ? $6 : NaN) name 'V' nooutput
	U = X_max < 0.5 ? 1024.0 : 1.0
	X_min = X_min * U
	X_max = X_max * U
	# what holds ten times as much as another needs a scale that shows both
	if (X_max > 10 * X_min) {
		set logscale x
		set xrange [X_min / 1.4:X_max * 1.4]
	} else {
		unset logscale x
		# all about the same: from 0 they would lie on each other
		SPAN = X_max - X_min > 0 ? X_max - X_min : X_max
		if (X_min > 0.7 * X_max) {
			set xrange [X_min - 0.15 * SPAN:X_max + 0.15 * SPAN]
		} else {
			set xrange [0:X_max * 1.12]
		}
	}
	set yrange [0:V_max * 1.12]
	eval FRAME
	eval KEY
	set xlabel (U > 1 ? 'KiB held' : 'MiB held') offset 0, 0.4
	set ylabel unit[1] offset 0.5, 0
	plot DATA index f - 1 using (is(f, NA) ? $3 * U : NaN):4 with steps lw 1.8 dt 2 lc rgb PALE title arm[NA], \
		for [a = A1:(A2 < NA ? A2 : NA - 1)] DATA index f - 1 using (is(f, a) ? $3 * U : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.4 lc rgb color(a) notitle, \
		for [a = A1:(A2 < NA ? A2 : NA - 1)] DATA index f - 1 using (is(f, a) ? $3 * U : NaN):4 with points \
			pt mark(a) ps 1.1 lw 1.8 lc rgb color(a) title arm[a]
}
unset multiplot
