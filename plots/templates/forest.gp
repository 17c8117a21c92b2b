
# ---- a line for each cell: ratio and interval, coloured by the verdict ----
array tick[@NR_TICKS@] = [@TICK_NAMES@]
array verdict[4] = [hue[3], hue[4], SOFT, PALE]
PER_FACET = 36
LONGEST = 1
do for [t = 1:NT] { if (strlen(tick[t]) > LONGEST) { LONGEST = strlen(tick[t]) } }
ML = names_room(LONGEST) - 14
MB = 44
if (!TEXT) { set grid x y lc rgb GRID lt 1 lw 1 }
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $5 : NaN) name 'L' nooutput
	stats DATA index f - 1 using ($1 == f ? $6 : NaN) name 'R' nooutput
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'N' nooutput
	LOW = L_min < 0.985 ? L_min / 1.02 : 0.97
	HIGH = R_max > 1.015 ? R_max * 1.02 : 1.03
	eval FRAME
	eval KEY
	set logscale x
	set xrange [LOW:HIGH]
	set yrange [N_max + 0.6:-0.6]
	if (HIGH / LOW > 60) {
		set xtics (0.001, 0.01, 0.1, 1, 10, 100, 1000)
	} else { if (HIGH / LOW > 3) {
		set xtics (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
	} else { if (HIGH / LOW > 1.35) {
		set xtics (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5)
	} else {
		set xtics (0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1, 1.02, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3)
	} } }
	set format x '%g'
	set ytics scale 0 ()
	do for [i = 0:int(N_max)] { set ytics add (label(tick[(f - 1) * PER_FACET + i + 1]) i) }
	set xlabel unit[1] offset 0, 0.4
	set object 1 rectangle from 1 / 1.01, graph 0 to 1.01, graph 1 behind fc rgb BAND \
		fs solid 1.0 noborder
	set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb LINE lw 1
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $4 : NaN):3:5:6 with xerrorbars \
		pt (TEXT ? 6 : a == 4 ? 6 : 7) ps 0.7 lw 1.6 lc rgb verdict[a] title arm[a]
}
unset multiplot
