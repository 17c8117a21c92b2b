
# ---- one panel for each family: percentiles on a scale that widens the tail ----
is(f, a) = column(1) == f && column(2) == a
set logscale y
set xrange [0:*]
set xtics ('p0' 0, 'p50' 0.30103, 'p90' 1, 'p99' 2, 'p99.9' 3, 'p99.99' 4, 'p99.999' 5)
set ytics (5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8)
set format y '%.0f'
set grid x y lc rgb 0xdddddd lt 1 lw 1
set multiplot
do for [f = 1:NF] {
	# stats looks only inside the ranges that are set
	set yrange [*:*]
	stats DATA using ($1 == f && $4 > 0 ? $4 : NaN) name 'V' nooutput
	set yrange [(V_min / 1.2):(V_max * 1.2)]
	set lmargin at screen sx(left(f) + 72)
	set rmargin at screen sx(left(f) + @FACET_WIDTH@ - 14)
	set tmargin at screen sy(top(f) + 26)
	set bmargin at screen sy(top(f) + @FACET_HEIGHT@ - 34)
	set title facet[f] offset 0, -0.5 font HEAD_FONT
	set ylabel unit[1] offset 0.5, 0
	if (f == 1) {
		set key at screen sx(KEY_X), screen sy(TOP + 20) left top Left reverse samplen 2 \
			spacing 1.3 noautotitle
	} else {
		unset key
		unset label
	}
	plot for [a = 1:NA] DATA using (is(f, a) ? $3 : NaN):4 with steps lw 1.8 \
		dashtype 1 + (a > 8) lc rgb color(a) title arm[a]
}
unset multiplot
