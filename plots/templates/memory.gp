
# ---- one panel for each cell: stacked areas, and the resident set with its own scale ----
is(f, a) = column(1) == f && column(2) == a
set style fill solid 0.85 noborder
set border 11
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	stats DATA using ($1 == f ? $3 : NaN) name 'X' nooutput
	stats DATA using ($1 == f && $2 < NA ? $6 : NaN) name 'V' nooutput
	stats DATA using (is(f, NA) ? $6 : NaN) name 'R' nooutput
	# a peer has no areas; without /proc there is no line
	if (!exists("V_records")) { V_records = 0 }
	if (!exists("R_records")) { R_records = 0 }
	set xrange [X_min:(X_max > X_min ? X_max : X_min + 1)]
	set yrange [0:(V_records > 0 && V_max > 0 ? V_max * 1.1 : 1)]
	set y2range [0:(R_records > 0 && R_max > 0 ? R_max * 1.1 : 1)]
	set lmargin at screen sx(left(f) + 64)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 50)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 42)
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	set xlabel 'ms' offset 0, 0.4
	set ylabel unit[1] offset 0.5, 0
	set y2tics nomirror out scale 0.5 textcolor rgb 0x222222
	set y2label 'MiB resident' offset -0.5, 0
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 2 \
			spacing 1.3 noautotitle
	} else {
		unset key
		unset label
	}
	plot for [a = 1:NA - 1] DATA using (is(f, a) ? $3 : NaN):5:6 with filledcurves \
		lc rgb color(a) title arm[a], \
		DATA using (is(f, NA) ? $3 : NaN):6 axes x1y2 with lines lw 1.8 lc rgb 0x222222 \
		title arm[NA]
}
unset multiplot
