
# ---- three panels over the slab order ----
ML = 72
MB = 42
stats DATA using 3 name 'O' nooutput
LEFT = O_min - 0.4
RIGHT = O_max + 0.4
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	set xrange [LEFT:RIGHT]
	eval FRAME
	eval KEY
	if (V_records > 0 && V_max > 0) { set yrange [0:V_max * 1.1] } else { set yrange [0:1] }
	eval 'set xtics ' . ticks[f]
	if (f == NF) { set xlabel 'slab order (pages: 2 to its power)' offset 0, 0.4 } else { unset xlabel }
	set ylabel unit[f] offset 0.5, 0
	if (V_records == 0) {
		set label 100 'not counted in this run' at graph 0.5, graph 0.5 center tc rgb FAINT
	}
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.4 lc rgb color(a) notitle, \
		for [a = A1:A2] DATA index f - 1 using (is(f, a) && $3 >= 0 ? $3 : NaN):4 with linespoints \
			pt mark(a) ps 0.9 lw 1.8 lc rgb color(a) title arm[a], \
		for [a = A1:A2] DATA index f - 1 using (is(f, a) && $3 < 0 ? $3 : NaN):4 with points \
			pt mark(a) ps 1.1 lw 1.8 lc rgb color(a) notitle
	unset label 100
}
unset multiplot
