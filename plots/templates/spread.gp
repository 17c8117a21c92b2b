
# ---- violins: outline, trials, and the interval of the median ----
ML = 70
MB = 28
kind(k) = strcol(11) eq k
# each sort of rows by itself, read once and not for every arm; few trials have no outline, and a table
# needs a row. Within a multiplot a terminal of characters would lose what is drawn.
set table $OUTLINE separator tab
plot DATA using (kind('outline') ? $1 : 0):2:4:5 with table if (kind('outline') || $0 == 0)
set table $TRIAL separator tab
plot DATA using 1:2:4:5 with table if (kind('trial'))
set table $MEDIAN separator tab
plot DATA using 1:2:5:6:(strcol(8)) with table if (kind('median'))
unset table
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
	plot for [a = A1:A2] $OUTLINE using (is(f, a) ? a + $4 : NaN):3 with filledcurves closed \
			lc rgb color(a) fs transparent solid 0.35 border lc rgb color(a) notitle, \
		for [a = A1:A2] $TRIAL using (is(f, a) ? a + $4 : NaN):3 with points \
			pt 7 ps 0.45 lc rgb color(a) title arm[a], \
		for [a = A1:A2] $MEDIAN using (is(f, a) ? a : NaN):3:(0):($4 - $3) \
			with vectors heads size screen 0.004,90 fixed lw 1.8 lc rgb INK notitle, \
		for [a = A1:A2] $MEDIAN using (is(f, a) ? a : NaN):(V_min - 0.12 * SPAN):5 \
			with labels font FOOT_FONT tc rgb FAINT notitle
}
unset multiplot
