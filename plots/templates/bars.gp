
ML = 86
# ---- bars; those that cannot be told from the baseline are pale ----
# bars of one place stand side by side in their slots, as many as the facet has arms
place(x, slot) = x + (slot - S_min - (SLOTS - 1) / 2.0) * BAR
on_page(f) = column(1) == f && column(2) >= A1 && column(2) <= A2
set style fill solid 1.0 border rgb SOFT
set multiplot
do for [f = F1:F2] {
	# stats looks only inside the ranges that are set
	set xrange [*:*]
	set yrange [*:*]
	S_min = S_max = 0
	P_max = 0
	stats DATA index f - 1 using (on_page(f) ? $12 : NaN) name 'S' nooutput
	SLOTS = S_max - S_min + 1
	BAR = 0.84 / SLOTS
	set boxwidth BAR * 0.94
	stats DATA index f - 1 using ($1 == f ? $3 : NaN) name 'P' nooutput
	stats DATA index f - 1 using (on_page(f) && valid(4) && $4 > 0 ? $6 : NaN) name 'V' nooutput
	if (!exists("V_records")) { V_records = 0 }
	eval FRAME
	eval KEY
	set xrange [-0.5:P_max + 0.5]
	if (V_records == 0) { set yrange [0:1] } else { set yrange [0:V_max * 1.08] }
	eval 'set xtics scale 0 ' . ticks[f]
	set xlabel xname offset 0, 0.4
	set ylabel unit[NF == |unit| ? f : 1] offset 1, 0
	plot for [a = A1:A2] DATA index f - 1 \
		using (is(f, a) && (TEXT || $13 == 0) ? place($3, $12) : NaN):4 with boxes \
		lc rgb color(a) title arm[a], \
		for [a = A1:A2] DATA index f - 1 using (is(f, a) && !TEXT && $13 != 0 ? place($3, $12) : NaN):4 \
		with boxes fs transparent solid 0.3 border rgb PALE lc rgb color(a) notitle, \
		DATA index f - 1 using (on_page(f) ? place($3, $12) : NaN):5:(0):($6 - $5) \
		with vectors heads size screen 0.0025,90 fixed lc rgb INK lw 1.2, \
		DATA index f - 1 using (on_page(f) && strcol(4) eq 'NaN' ? place($3, $12) : NaN):(0):('x') \
		with labels offset 0, 0.5 tc rgb ALARM
}
unset multiplot
