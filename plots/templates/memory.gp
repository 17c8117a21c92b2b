
# ---- one panel for each cell: stacked areas, and the resident set with its own scale ----
ML = 92
MR = 62
MB = 42
set style fill solid 0.85 noborder
set border 11
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA index f - 1 using ($1 == f && $2 < NA ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	stats DATA index f - 1 using (is(f, NA) ? $6 : NaN) name 'R' nooutput
	if (!exists("R_records")) { R_records = 0 }
	# a peer has no areas; without /proc there is no line
	set xrange [X_min:(X_max > X_min ? X_max : X_min + 1)]
	set yrange [0:(V_records > 0 && V_max > 0 ? V_max * 1.1 * (V_max < 0.5 ? 1024 : 1) : 1)]
	U = V_records > 0 && V_max < 0.5 ? 1024.0 : 1.0
	set y2range [0:(R_records > 0 && R_max > 0 ? R_max * 1.1 : 1)]
	eval FRAME
	eval KEY
	set xlabel 'ms' offset 0, 0.4
	set ylabel (U > 1 ? 'KiB' : 'MiB') . ' held by the heap' offset 0.5, 0
	set y2tics nomirror out scale 0.5 textcolor rgb SOFT
	set y2label 'MiB resident' offset -0.5, 0 textcolor rgb SOFT
	plot for [a = 1:NA - 1] DATA index f - 1 using (is(f, a) ? $3 : NaN):($5 * U):($6 * U) with filledcurves \
		lc rgb color(a) title arm[a], \
		DATA index f - 1 using (is(f, NA) ? $3 : NaN):6 axes x1y2 with lines lw 1.8 lc rgb SOFT \
		title arm[NA]
}
unset multiplot
