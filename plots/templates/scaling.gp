
# ---- lines with interval bands, the ideal, and where a further node begins ----
array edges[@NR_XLABELS@] = [@XLABELS@]
ML = 68
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	unset logscale
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'T' nooutput
	stats DATA index f - 1 using ($1 == f ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	# the ideal starts at the best arm with the fewest threads
	stats DATA index f - 1 using ($1 == f && $3 == T_min ? $4 : NaN) name 'B' nooutput
	if (!exists("B_records")) { B_records = 0 }
	slope = B_records > 0 ? B_max / T_min : NaN
	if (T_max >= 16 * T_min) {
		set logscale xy
		set xrange [T_min / 1.15:T_max * 1.15]
		set yrange [*:*]
		set format y '%g'
	} else {
		set xrange [T_min - 0.25:T_max + 0.25]
		set yrange [0:*]
	}
	eval FRAME
	eval KEY
	unset arrow
	do for [i = 1:words(edges[f])] {
		x = real(word(edges[f], i))
		set arrow from x, graph 0 to x, graph 1 nohead dt 3 lw 1.5 lc rgb FAINT
		set label 200 + i 'node' at x, graph 0.98 right rotate by 90 font FOOT_FONT tc rgb FAINT \
			offset -0.6, 0
	}
	eval 'set xtics ' . ticks[f]
	set xlabel 'threads' offset 0, 0.4
	set ylabel unit[1] offset 0.5, 0
	# a band at the back of every line, faint lines where arms cross
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) && !TEXT ? $3 : NaN):5:6 with filledcurves \
			fs transparent solid 0.22 noborder lc rgb color(a) notitle, \
		slope * x with lines dt 2 lw 1.5 lc rgb PALE title 'ideal', \
		for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):5:(0):($6 - $5) \
			with vectors heads size screen 0.004,90 fixed lw 1.2 lc rgb color(a) notitle, \
		for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):4 with linespoints \
			pt mark(a) ps 0.9 lw 1.8 lc rgb color(a) title arm[a]
	do for [i = 1:words(edges[f])] { unset label 200 + i }
}
unset multiplot
