#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cli.plot: test_plot.sh NUMASLAB MAKER: pictures from a run that MAKER (test_unit_plots) writes.
set -u
numaslab=$1
maker=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect STATUS TEXT COMMAND...: exit status and a text in stdout and stderr together
expect() {
	local status=$1 text=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ "$rc" != "$status" ] || [[ "$out" != *"$text"* ]]; then
		echo "FAILED: $*: status $rc, wanted $status with '$text':"
		echo "$out"
		failed=1
	fi
}

# without pictures, so that the test does not need gnuplot
NUMASLAB_GNUPLOT=/no/such/program "$maker" "$work/runs" >/dev/null || exit 1
run=$work/runs/1

expect 0 "matrix " "$numaslab" plot --list
expect 0 "usage: numaslab plot" "$numaslab" plot --help
expect 0 "pareto " "$numaslab" plot --help
expect 2 "give a run" "$numaslab" plot
expect 2 "cannot open '$work/none'" "$numaslab" plot "$work/none"
expect 2 "unknown format 'pdf'" "$numaslab" plot "$run" --format pdf
expect 2 "did you mean 'matrix'" "$numaslab" plot "$run" matrx
expect 2 "unknown theme 'dim'; there are light, dark and both" "$numaslab" plot "$run" --theme dim
expect 2 "unknown terminal 'xterm'; there is dumb" "$numaslab" plot "$run" --terminal xterm
expect 2 "latency=sampled" "$numaslab" plot "$work/runs/0" latency
expect 2 "cannot draw 'order'" "$numaslab" plot "$work/runs/0" order
expect 2 "cannot make folder" "$numaslab" plot "$run" -o /proc/none
printf 'no database' >"$work/text"
expect 2 "$work/text" "$numaslab" plot "$work/text"

printf '# title: Regret\n# machine: Box\ndentry\n' >"$work/bad"
expect 2 "'$work/bad' line 3: wanted row" "$numaslab" plot --table "$work/bad" -o "$work/out"

# without gnuplot: tables and scripts, and a status that says so
rm -rf "$run/plots"
NUMASLAB_GNUPLOT=/no/such/program expect 1 "gnuplot-nox" "$numaslab" plot "$run"
for name in throughput scaling matrix order regret memory locks; do
	for ending in dat gp; do
		[ -s "$run/plots/$name.$ending" ] || { echo "FAILED: no $name.$ending"; failed=1; }
	done
done

if gnuplot --version >/dev/null 2>&1; then
	expect 0 "$work/out/scaling.png" "$numaslab" plot "$run" scaling order -o "$work/out" -f png
	[ -s "$work/out/order.png" ] || { echo "FAILED: no order.png"; failed=1; }
	[ ! -e "$work/out/order.svg" ] || { echo "FAILED: order.svg was not asked for"; failed=1; }
	[ ! -e "$work/out/matrix.dat" ] || { echo "FAILED: matrix was not asked for"; failed=1; }
	# the script draws its picture again without numaslab
	expect 0 "$work/out/regret-dark.svg" "$numaslab" plot "$run" regret --dark -o "$work/out" -f svg
	[ ! -e "$work/out/regret.svg" ] || { echo "FAILED: a light one was not asked for"; failed=1; }
	expect 0 "slab order (pages: 2 to its power)" "$numaslab" plot "$run" regret --terminal dumb
	"$numaslab" plot "$run" -T dumb -o "$work/drawn" scaling matrix order locks >"$work/all.txt" || failed=1
	if awk 'length > 80' "$work/all.txt" | grep -q .; then
		echo "FAILED: a text is wider than a terminal"; failed=1
	fi
	printf '# title: Regret\n# machine: Box\ndentry\t0\t3\ndentry\t1\t0\n' >"$work/table"
	expect 0 "$work/out/regret.png" "$numaslab" plot --table "$work/table" -o "$work/out" -f png
	rm "$work/out/order.png"
	(cd "$work/out" && gnuplot order.gp) || failed=1
	[ -s "$work/out/order.png" ] || { echo "FAILED: order.gp drew nothing"; failed=1; }
fi
exit $failed
