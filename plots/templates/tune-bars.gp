
# ---- bars from the left: ticks from top to bottom, arms within each ----
# column 5 is what a bar's change is told against; 0: the bar tells its value
array tick[@NR_TICKS@] = [@TICK_NAMES@]
LONGEST = 1
do for [t = 1:NT] { if (strlen(tick[t]) > LONGEST) { LONGEST = strlen(tick[t]) } }
ML = names_room(LONGEST) - 14
MB = 44
BAR = 0.8 / NA
upper(a, y) = y - 0.4 + (a - 1) * BAR
change(v, base) = base > 0 ? (abs(v / base - 1) < 0.0005 ? '' : sprintf('%+.1f %%', 100 * (v / base - 1))) \
	: sprintf('%.3g', v)
unset grid
set grid xtics lc rgb GRID lt 1 lw 1
set style fill solid 1.0 noborder
set multiplot
do for [f = F1:F2] {
	set xrange [*:*]
	set yrange [*:*]
	stats DATA index f - 1 using ($1 == f ? $4 : NaN) name 'V' nooutput
	eval FRAME
	if (@KEY_ROWS@) { eval KEY } else { unset key }
	set xrange [(V_min < 0 ? V_min * 1.2 : 0):(V_max > 0 ? V_max * 1.15 : 1)]
	set yrange [NT - 0.5:-0.5]
	set ytics scale 0 ()
	do for [t = 1:NT] { set ytics add (label(tick[t]) t - 1) }
	set xlabel unit[1] offset 0, 0.4
	if (TEXT) {
		plot for [a = 1:NA] DATA index f - 1 using (is(f, a) ? $4 : NaN):3 with points title arm[a]
	} else {
		plot for [a = 1:NA] DATA index f - 1 using (is(f, a) ? 0 : NaN):3:(0):4 \
			:(upper(a, $3)):(upper(a, $3) + BAR * 0.92) with boxxyerror lc rgb color(a) title arm[a], \
			for [a = 1:NA] DATA index f - 1 using (is(f, a) ? ($4 > 0 ? $4 : 0) : NaN):(upper(a, $3) + BAR / 2) \
			:(change($4, $5)) with labels left offset 0.4, 0 font FOOT_FONT tc rgb SOFT notitle
	}
}
unset multiplot
