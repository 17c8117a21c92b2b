
# ---- a panel for each cache: candidates as points, the front as steps ----
# arms: orders, other settings, now, advised, front
ML = 66
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA index f - 1 using ($1 == f ? $5 : NaN) name 'L' nooutput
	stats DATA index f - 1 using ($1 == f ? $6 : NaN) name 'V' nooutput
	# close together they would lie on each other in a scale from 0
	SPAN = X_max > X_min ? X_max - X_min : (X_max > 0 ? 0.2 * X_max : 1)
	set xrange [X_min - 0.15 * SPAN:X_max + 0.2 * SPAN]
	HIGH = V_max > 0 ? V_max : 0
	LOW = L_min < 0 ? L_min : 0
	if (HIGH <= LOW) { HIGH = LOW + 1 }
	set yrange [(LOW < 0 ? LOW - 0.12 * (HIGH - LOW) : 0):HIGH + 0.15 * (HIGH - LOW)]
	eval FRAME
	eval KEY
	set xtics auto
	STEP = 10 ** floor(log10(SPAN / 2.0))
	STEP = SPAN / STEP > 10 ? 5 * STEP : SPAN / STEP > 5 ? 2 * STEP : STEP
	set xtics STEP
	set format x (STEP < 0.01 ? '%.3f' : STEP < 0.1 ? '%.2f' : STEP < 1 ? '%.1f' : '%.0f')
	set xlabel 'MiB' offset 0, 0.4
	set ylabel unit[NF == |unit| ? f : 1] offset 0.5, 0
	plot DATA index f - 1 using (is(f, 5) ? $3 : NaN):4 with steps lw 1.4 lc rgb PALE title arm[5], \
		DATA index f - 1 using (is(f, 1) || is(f, 2) ? $3 : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.003,90 fixed lw 1.2 lc rgb LINE notitle, \
		DATA index f - 1 using (is(f, 2) ? $3 : NaN):4 with points pt 6 ps 0.7 lw 1.4 lc rgb PALE title arm[2], \
		DATA index f - 1 using (is(f, 1) ? $3 : NaN):4 with points pt 7 ps 0.8 lc rgb hue[1] title arm[1], \
		DATA index f - 1 using (is(f, 3) ? $3 : NaN):4 with points pt 4 ps 1.7 lw 1.8 lc rgb SOFT title arm[3], \
		DATA index f - 1 using (is(f, 4) ? $3 : NaN):4 with points pt 12 ps 2.3 lw 2 lc rgb hue[4] title arm[4], \
		DATA index f - 1 using (is(f, 1) ? $3 : NaN):4:(strcol(8)) with labels left offset 1.2, 0.6 \
			font FOOT_FONT tc rgb SOFT notitle
}
unset multiplot
