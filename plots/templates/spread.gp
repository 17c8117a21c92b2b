
# ---- violins: outline, trials, and the interval of the median ----
ML = 70
MB = 28
kind(k) = strcol(11) eq k
# each sort of rows by itself, then by facet, so that an arm reads only what may be its own; few trials
# have no outline, and a table needs a row: one of facet 0. Within a multiplot a terminal of characters
# would lose what is drawn.
page(f) = f >= F1 && f <= F2
set table $OUTLINE separator tab
plot DATA using (kind('outline') ? $1 : 0):2:4:5 with table if (kind('outline') && page($1) || $0 == 0)
set table $TRIAL separator tab
plot DATA using (kind('trial') ? $1 : 0):2:4:5 with table if (kind('trial') && page($1) || $0 == 0)
set table $MEDIAN separator tab
plot DATA using (kind('median') ? $1 : 0):2:5:6:(strcol(8)) with table if (kind('median') && page($1) || $0 == 0)
unset table
do for [f = F1:F2] {
	do for [block in 'OUTLINE TRIAL MEDIAN'] {
		eval sprintf('set table $%s%d separator tab', block, f)
		eval sprintf('plot $%s using ($1 == f ? $1 : 0):2:3:4:%s with table if ($1 == f || $0 == 0)', \
			block, block eq 'MEDIAN' ? '(strcol(5))' : '(0)')
		unset table
	}
}
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
	eval sprintf("plot for [a = A1:A2] $OUTLINE%d using (is(f, a) ? a + $4 : NaN):3 with filledcurves closed \
			lc rgb color(a) fs transparent solid 0.35 border lc rgb color(a) notitle, \
		for [a = A1:A2] $TRIAL%d using (is(f, a) ? a + $4 : NaN):3 with points \
			pt 7 ps 0.45 lc rgb color(a) title arm[a], \
		for [a = A1:A2] $MEDIAN%d using (is(f, a) ? a : NaN):3:(0):($4 - $3) \
			with vectors heads size screen 0.004,90 fixed lw 1.8 lc rgb INK notitle, \
		for [a = A1:A2] $MEDIAN%d using (is(f, a) ? a : NaN):(V_min - 0.12 * SPAN):5 \
			with labels font FOOT_FONT tc rgb FAINT notitle", f, f, f, f)
}
unset multiplot
