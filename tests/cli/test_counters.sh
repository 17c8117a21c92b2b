#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Groups of counters and simulated caches as users meet them. Simulated work is counted, so two
# runs must agree; nothing here depends on the clock.
# usage: test_counters.sh NUMASLAB [SANITIZERS]
set -u
numaslab=$1 sanitizers=${2-}
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
	"$@" >"$dir/out" 2>&1
	got=$?
	[ $got = "$status" ] || fail "$* ended $got, not $status: $(cat "$dir/out")"
	grep -qF -- "$words" "$dir/out" || fail "$* does not say '$words': $(cat "$dir/out")"
}

cat >"$dir/tiny.ini" <<'INI'
[global]
blocks = 2
windows = 3
window_ms = 1
warmup_ms = 1
time_limit_s = 60
node_mib = 64

[one]
workload = pingpong
allocator = nodelocal
size = 64

[two]
workload = churn
allocator = slub
live_objects = 512
INI

# ---- groups
expect 0 ' amd-zen3 ' "$numaslab" list counters
expect 0 '"fits"' "$numaslab" list counters --json
expect 0 'remote-dram-share' "$numaslab" help intel-icx
expect 0 'node-load-misses' "$numaslab" help perf
expect 2 "'intel-ivx' is no event" "$numaslab" plan "$dir/tiny.ini" counters=intel-ivx
expect 0 '' "$numaslab" plan "$dir/tiny.ini" counters=auto,cycles,raw:0x4d3

mkdir "$dir/groups"
printf 'summary mine\nevent C cycles\nmetric c/op events = C / ops\n' >"$dir/groups/mine.txt"
export NUMASLAB_GROUPS=$dir/groups
expect 0 'mine' "$numaslab" list counters
expect 0 '' "$numaslab" plan "$dir/tiny.ini" counters=mine
printf 'summary mine\nmetric c/op events = C / ops\n' >"$dir/groups/mine.txt"
expect 2 'groups/mine.txt:2: formula' "$numaslab" list counters
unset NUMASLAB_GROUPS

# ---- what is absent is told, and is no zero
expect 0 'simulated counters: absent (valgrind is not installed)' env PATH=/nonexistent \
	"$numaslab" run "$dir/tiny.ini" -o "$dir/none" --no-plots --simulate-counters blocks=1
grep -q '^simulated-' "$dir/out" && fail "a value was simulated without valgrind"
"$numaslab" export "$dir/none" --json >"$dir/json" 2>"$dir/err" || fail "export: $(cat "$dir/err")"
grep -q '"reason": *"valgrind is not installed"' "$dir/json" || fail "the result has no reason"

# ---- simulated: twice the same
missing=
command -v valgrind >/dev/null || missing="valgrind is not installed"
[ -z "$sanitizers" ] || missing="valgrind does not run programs with sanitizers"
if [ -z "$missing" ]; then
	for i in 1 2; do
		expect 0 'simulated-L1d-misses/op' "$numaslab" run "$dir/tiny.ini" -o "$dir/sim$i" \
			--no-plots --simulate-counters seed=7
	done
	grep -q 'absent (built without valgrind' "$dir/out" &&
		missing="built without valgrind's headers"
fi
if [ -n "$missing" ]; then
	[ $failures = 0 ] || exit 1
	echo "simulated counters not checked: $missing"
	exit 77
fi
# instructions and accesses are equal; a few misses more or less are the main thread's going to sleep
paste -d, "$dir/sim1/figures.csv" "$dir/sim2/figures.csv" | awk -F, '/simulated-/ {
		difference = $5 - $12; limit = /misses/ ? 0.001 : 0
		if (difference > limit || -difference > limit || $4 != $11) bad = 1
	} END { exit bad }' ||
	fail "two simulations differ: $(diff "$dir/sim1/figures.csv" "$dir/sim2/figures.csv")"
# timing single operations happens in the trial itself and leaves the simulated one alone
expect 0 'simulated-L1d-misses/op' "$numaslab" run "$dir/tiny.ini" -o "$dir/sim3" --no-plots \
	--simulate-counters seed=7 latency=sampled
grep -q 'one operation, ns' "$dir/out" || fail "no latencies beside simulated counters"
for run in sim1 sim3; do
	awk -F, '/simulated-(instructions|accesses)/ { print $4, $5 }' "$dir/$run/figures.csv" \
		>"$dir/$run.work"
done
cmp -s "$dir/sim1.work" "$dir/sim3.work" ||
	fail "latency=sampled changes simulated work: $(diff "$dir/sim1.work" "$dir/sim3.work")"
# 2 cells, 5 rows, once a cell although there are 2 blocks and a twin
[ "$(grep -c ',simulated$' "$dir/sim1/figures.csv")" = 10 ] || fail "not 10 simulated figures"
# per operation: a bracket that leaked would hold the whole program, millions of instructions
awk -F, '/simulated-instructions/ { nr++; value = $(NF - 2); if (value < 20 || value > 50000) bad = 1 }
	END { exit bad || nr != 2 }' "$dir/sim1/figures.csv" ||
	fail "instructions per operation: $(grep simulated-instr "$dir/sim1/figures.csv")"
grep -q 'Simulated by callgrind' "$dir/sim1/run.db" || fail "the result has no note"
exit $((failures > 0))
