#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab compare and export as users call them: exit statuses, width, errors of one line.
# usage: test_compare.sh NUMASLAB MAKE_RUN
set -u
numaslab=$1
make_run=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS WORDS COMMAND...: the status, and WORDS somewhere in what is printed
expect()
{
	local status=$1 words=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got = "$status" ] || fail "$* ended $got, not $status: $(cat "$dir/err")"
	cat "$dir/out" "$dir/err" | grep -qF -- "$words" || fail "$* does not say '$words'"
	[ "$status" != 2 ] || [ "$(wc -l <"$dir/err")" = 1 ] || fail "$*: more than one line"
	[ "$status" != 2 ] || [ ! -s "$dir/out" ] || fail "$*: output beside an error"
}

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
expect 1 'family,arm,key' "$numaslab" compare --csv "$dir/run" "$dir/slow.db"
expect 0 '"windows":[' "$numaslab" export --json "$dir/dead.db"
expect 0 'run,started,host' "$numaslab" export --csv "$dir/dead.db"
# 66 trials with 20 windows, 6 crashed ones with a row each, a header
[ "$(wc -l <"$dir/out")" = $((66 * 20 + 6 + 1)) ] || fail "export --csv has $(wc -l <"$dir/out") lines"
"$numaslab" export --csv "$dir/dead.db" -o "$dir/x.csv" || fail "export -o ended $?"
cmp -s "$dir/out" "$dir/x.csv" || fail "export -o writes something else than export"

# bad input
expect 2 "No such file or directory" "$numaslab" compare "$dir/none"
expect 2 "has no run.db" "$numaslab" compare "$dir"
expect 2 "not a result file" "$numaslab" compare "$dir/foreign.db"
expect 2 "cut short" "$numaslab" compare "$dir/cut.db"
expect 2 "cut short" "$numaslab" export --csv "$dir/cut.db" -o "$dir/y.csv"
[ ! -e "$dir/y.csv" ] || fail "a failed export left a file"
expect 2 "takes one run or two" "$numaslab" compare
expect 2 "choose one" "$numaslab" compare --json --csv "$dir/run"
expect 2 "one of '--csv' and '--json'" "$numaslab" export "$dir/run"
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
