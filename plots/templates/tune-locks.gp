
# ---- a panel for each cache: locks over the order ----
# arms: all CPUs, the worst corner, now, advised
ML = 62
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $4 : NaN) name 'V' nooutput
	eval FRAME
	eval KEY
	set xrange [-0.3:5.3]
	set yrange [0:(V_max > 0 ? V_max * 1.12 : 1)]
	set xtics 1
	set xlabel 'slab order' offset 0, 0.4
	set ylabel unit[1] offset 0.5, 0
	plot DATA index f - 1 using (is(f, 2) ? $3 : NaN):4 with linespoints pt 6 ps 0.6 lw 1.4 dt 2 \
			lc rgb PALE title arm[2], \
		DATA index f - 1 using (is(f, 1) ? $3 : NaN):4 with linespoints pt 7 ps 0.7 lw 1.8 \
			lc rgb hue[1] title arm[1], \
		DATA index f - 1 using (is(f, 3) ? $3 : NaN):4 with points pt 4 ps 1.7 lw 1.8 lc rgb SOFT title arm[3], \
		DATA index f - 1 using (is(f, 4) ? $3 : NaN):4 with points pt 12 ps 2.3 lw 2 lc rgb hue[4] title arm[4]
}
unset multiplot
