
# ---- two run charts over blocks ----
ML = 72
MB = 44
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $4 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	stats DATA using 3 name 'X' nooutput
	set xrange [X_min - 0.5:X_max + 0.5]
	SPAN = V_records == 0 ? 1 : V_max > -V_min ? V_max : -V_min
	SPAN = SPAN < 1.2 ? 1.5 : SPAN * 1.15
	if (f == 1) { set yrange [-SPAN:SPAN] } else { set yrange [0:SPAN] }
	eval FRAME
	eval KEY
	set xlabel (f == 1 ? 'block' : 'blocks so far') offset 0, 0.4
	set ylabel unit[f] offset 0.5, 0
	set object 1 rectangle from graph 0, first (f == 1 ? -1 : 0) to graph 1, first 1 behind \
		fc rgb BAND fs solid 1.0 noborder
	if (V_records == 0) {
		set label 100 'fewer than 6 blocks' at graph 0.5, graph 0.5 center tc rgb FAINT
	}
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):4 with linespoints pt mark(a) ps 0.7 \
		lw 1.4 lc rgb color(a) title arm[a]
	unset label 100
}
unset multiplot
