#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab compare and export as users call them: exit statuses, width, errors of one line.
# usage: test_compare.sh NUMASLAB MAKE_RUN
set -u
numaslab=$1 make_run=$2
. "$(dirname "$0")/../support/expect.sh"

check_width()
{
	awk 'length($0) > 78 { print "wide: " $0; bad = 1 } END { exit bad }' "$dir/out" ||
		fail "$1 is wider than 78 columns"
}

mkdir "$dir/run"
"$make_run" "$dir/run/run.db" blocks=12 seed=3 || exit 1
"$make_run" "$dir/slow.db" blocks=12 seed=3 scale=1.05 || exit 1
"$make_run" "$dir/dead.db" blocks=6 unfinished crash || exit 1
"$make_run" "$dir/far.db" blocks=12 seed=3 host=elsewhere || exit 1
"$make_run" "$dir/sim.db" blocks=2 simulated || exit 1
printf 'name,value\n' >"$dir/foreign.db"
head -c 9000 "$dir/run/run.db" >"$dir/cut.db"

# one run
expect 0 "slub A'" "$numaslab" compare "$dir/run"
check_width "compare RUN"
expect 1 "slower" "$numaslab" compare --gate "$dir/run"
expect 0 "nodelocal is 1.54x faster than slub on pingpong/64" \
	"$numaslab" compare --gate --primary '*pingpong*nodelocal' "$dir/run"
expect 2 "matches 'nobody'" "$numaslab" compare --primary nobody "$dir/run"
expect 0 "interrupted: 72 of 72 trials" "$numaslab" compare "$dir/dead.db"
expect 0 "failed: crash: SIGSEGV" "$numaslab" compare "$dir/dead.db"
expect 0 "SIMULATED" "$numaslab" compare "$dir/sim.db"

# two runs
expect 1 "+5.0%" "$numaslab" compare "$dir/run" "$dir/slow.db"
check_width "compare A B"
expect 0 "-4.8%" "$numaslab" compare "$dir/slow.db" "$dir/run"
expect 0 "the machines differ" "$numaslab" compare "$dir/run" "$dir/far.db"
expect 0 "own baseline are compared" "$numaslab" compare --ratios "$dir/run" "$dir/run"
expect 2 "are simulated" "$numaslab" compare "$dir/run" "$dir/sim.db"

# for programs
expect 1 '"verdict": "changed"' "$numaslab" compare --json "$dir/run" "$dir/slow.db"
expect 1 '| nodelocal |' "$numaslab" compare --markdown "$dir/run" "$dir/slow.db"
expect 1 '"is_primary": true' "$numaslab" compare --json "$dir/run" "$dir/slow.db"
expect 1 'family,arm,key' "$numaslab" compare --csv "$dir/run" "$dir/slow.db"
expect 0 '"windows":[' "$numaslab" export --json "$dir/dead.db"
expect 0 'run,started,host' "$numaslab" export --csv "$dir/dead.db"
# 66 trials with 20 windows, 6 crashed ones with a row each, a header
[ "$(wc -l <"$dir/out")" = $((66 * 20 + 6 + 1)) ] || fail "export --csv has $(wc -l <"$dir/out") lines"
"$numaslab" export --csv "$dir/dead.db" -o "$dir/x.csv" || fail "export -o ended $?"
cmp -s "$dir/out" "$dir/x.csv" || fail "export -o writes something else than export"


# Lines of the text format: a sample belongs to the metric that HELP and TYPE announced just before,
# no sample is there twice, and the last line is the end mark.
check_openmetrics()
{
	awk '
		function bad(why) { print why ": " $0; failed = 1 }
		ended { bad("after the end") }
		$0 == "# EOF" { ended = 1; next }
		$1 == "#" && $2 == "HELP" { if (NF < 4 || $3 in seen) bad("HELP"); help = $3; next }
		$1 == "#" && $2 == "TYPE" {
			if (NF != 4 || $3 != help || $4 != "gauge") bad("TYPE")
			name = $3; seen[name] = 1; next
		}
		{
			label = "[a-z_]+=\"([^\"\\\\]|\\\\[\"n\\\\])*\""
			if ($0 !~ "^[a-z_]+\\{" label "(," label ")*\\} -?[0-9.]+(e[-+][0-9]+)?$")
				bad("sample")
			series = substr($0, 1, match($0, /\} [^ ]+$/))
			if (series in had) bad("twice")
			had[series] = 1
			if (substr($0, 1, index($0, "{") - 1) != name) bad("metric")
			nr++
		}
		END { if (!ended || nr < 20) { print "no end, or few samples"; failed = 1 } exit failed }
	' "$1" || fail "openmetrics of $1"
}

# for other tools
"$make_run" "$dir/odd.db" blocks=6 host='a "quoted\host
' || exit 1
for run in run odd.db dead.db; do
	expect 0 "numaslab_operation_upper_seconds{" "$numaslab" export "$dir/$run" --format openmetrics
	check_openmetrics "$dir/out"
done
expect 0 ' Per elem: - cycles(tsc) 8.' "$numaslab" export "$dir/run" --format slab_test
expect 0 '"run_type":"iteration"' "$numaslab" export "$dir/run" --format gbench
expect 2 "csv, json, gbench, openmetrics or slab_test" "$numaslab" export "$dir/run" --format xml
expect 2 "takes one run and one of" "$numaslab" export "$dir/run" --format csv --json
for name in run slow; do
	"$numaslab" export "$dir/$([ $name = run ] && echo run || echo slow.db)" --format gbench \
		-o "$dir/$name.json" || fail "export gbench of $name"
	expect 0 "144 trials of 12 benchmarks" "$numaslab" import "$dir/$name.json" -o "$dir/$name-in.db"
done
expect 0 "Mann-Whitney" "$numaslab" compare "$dir/run-in.db" "$dir/slow-in.db"
check_width "compare of imported runs"
expect 0 "Mann-Whitney" "$numaslab" compare "$dir/run" "$dir/slow-in.db"
expect 2 "times of different machines" "$numaslab" compare "$dir/far.db" "$dir/run-in.db"
expect 0 "144 trials, 0 windows: 0 differences" "$numaslab" verify "$dir/run-in.db"
grep -qF "144 trials have no place in a plan" "$dir/out" || fail "verify does not say what it left out"
expect 2 "File exists" "$numaslab" import "$dir/run.json" -o "$dir/run-in.db"
expect 0 "Mann-Whitney" "$numaslab" compare "$dir/run-in.db" "$dir/slow-in.db"
printf '{"schema": 2, "run": {}}' >"$dir/foreign.json"
expect 2 "has no 'benchmarks'" "$numaslab" import "$dir/foreign.json" -o "$dir/z.db"
head -c 700 "$dir/run.json" >"$dir/cut.json"
expect 2 "is not JSON" "$numaslab" import "$dir/cut.json" -o "$dir/z.db"
[ ! -e "$dir/z.db" ] || fail "a failed import left a file"

# bad input
expect 2 "No such file or directory" "$numaslab" compare "$dir/none"
expect 2 "has no run.db" "$numaslab" compare "$dir"
expect 2 "not a result file" "$numaslab" compare "$dir/foreign.db"
expect 2 "cut short" "$numaslab" compare "$dir/cut.db"
expect 2 "cut short" "$numaslab" export --csv "$dir/cut.db" -o "$dir/y.csv"
[ ! -e "$dir/y.csv" ] || fail "a failed export left a file"
expect 2 "takes one run or two" "$numaslab" compare
expect 2 "choose one" "$numaslab" compare --json --csv "$dir/run"
expect 2 "one of '--format', '--csv' and '--json'" "$numaslab" export "$dir/run"
expect 2 "unknown option '--jsno'" "$numaslab" compare --jsno "$dir/run"
expect 2 "cannot write '$dir/no/x'" "$numaslab" export --json "$dir/run" -o "$dir/no/x"
if [ -w /dev/full ]; then
	for format in --json --csv; do
		"$numaslab" compare $format "$dir/run" >/dev/full 2>"$dir/err"
		[ $? = 2 ] && [ "$(wc -l <"$dir/err")" = 1 ] || fail "compare $format to a full disk"
		"$numaslab" export $format "$dir/run" >/dev/full 2>"$dir/err"
		[ $? = 2 ] && [ "$(wc -l <"$dir/err")" = 1 ] || fail "export $format to a full disk"
	done
fi
[ $failures = 0 ]
