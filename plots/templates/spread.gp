
# ---- violins: outline, trials, and the interval of the median ----
ML = 70
MB = 28
kind(f, a, k) = is(f, a) && strcol(11) eq k
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using (column(1) == f && column(2) >= A1 && column(2) <= A2 ? $4 : NaN) name 'V' nooutput
	SPAN = V_max - V_min > 0.2 ? V_max - V_min : 0.2
	set xrange [A1 - 0.5:A2 + 0.5]
	set yrange [V_min - 0.2 * SPAN:V_max + 0.06 * SPAN]
	eval FRAME
	eval KEY
	set xtics scale 0 ()
	ROOM = int((FACET_W - ML - MR) / (TEXT ? 9.0 : 6.5) / (A2 - A1 + 1))
	do for [a = A1:A2] { set xtics add (label(arm[a][1:ROOM]) a) }
	set ylabel unit[1] offset 0.5, 0
	plot for [a = A1:A2] DATA index f - 1 using (kind(f, a, 'outline') ? a + $5 : NaN):4 with filledcurves closed \
			lc rgb color(a) fs transparent solid 0.35 border lc rgb color(a) notitle, \
		for [a = A1:A2] DATA index f - 1 using (kind(f, a, 'trial') ? a + $5 : NaN):4 with points \
			pt 7 ps 0.45 lc rgb color(a) title arm[a], \
		for [a = A1:A2] DATA index f - 1 using (kind(f, a, 'median') ? a : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.8 lc rgb INK notitle, \
		for [a = A1:A2] DATA index f - 1 using (kind(f, a, 'median') ? a : NaN):(V_min - 0.12 * SPAN):8 \
			with labels font FOOT_FONT tc rgb FAINT notitle
}
unset multiplot
