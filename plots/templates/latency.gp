
# ---- one panel for each family: percentiles on a scale that widens the tail ----
ML = 86
MB = 34
set logscale y
set xrange [0:*]
set xtics ('p0' 0, 'p50' 0.30103, 'p90' 1, 'p99' 2, 'p99.9' 3, 'p99.99' 4, 'p99.999' 5)
set ytics (5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8)
set format y '%.0f'
if (!TEXT) { set grid x y lc rgb GRID lt 1 lw 1 }
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f && $4 > 0 ? $4 : NaN) name 'V' nooutput
	set yrange [(V_min / 1.2):(V_max * 1.2)]
	eval FRAME
	eval KEY
	set ylabel unit[1] offset 0.5, 0
	plot for [a = A1:A2] DATA index f - 1 using (is(f, a) ? $3 : NaN):4 with steps lw 1.8 \
		dashtype 1 + (a > 8) lc rgb color(a) title arm[a]
}
unset multiplot
