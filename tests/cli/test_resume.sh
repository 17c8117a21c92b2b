#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A run that is killed with -9 at moments of chance and gone on with is the run that was left alone:
# no finished trial is lost or run again, and plan, cells, order, seeds are the same. When the kill
# falls decides only what is covered.
# usage: test_resume.sh NUMASLAB KILLS
set -u
numaslab=$1 kills=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# what must be alike: cell, block, position, attempt, number and seed of every trial, in order
trials()
{
	"$numaslab" export --csv "$1" | tail -n +2 | cut -d, -f10,22-26 | uniq
}

# every finished trial with its raw windows
windows()
{
	"$numaslab" export --csv "$1" 2>/dev/null | tail -n +2 | sort
}

cat >"$dir/plan.ini" <<'INI'
[global]
allocator = null, slub, nodelocal
baseline = slub
blocks = 4
windows = 2
window_ms = 1
warmup_ms = 1
time_limit_s = 60
node_mib = 16
invalidate = off

[one]
workload = pingpong
size = 64
INI

started=$(date +%s%N)
"$numaslab" run "$dir/plan.ini" -o "$dir/whole" -q --no-plots >/dev/null || fail "the whole run ended $?"
took_ms=$((($(date +%s%N) - started) / 1000000))
trials "$dir/whole" >"$dir/want"
[ "$(sort -u "$dir/want" | wc -l)" = 16 ] || fail "the whole run has other than 16 trials"

nr_killed=0
for kill in $(seq "$kills"); do
	run=$dir/run-$kill
	"$numaslab" run "$dir/plan.ini" -o "$run" -q --no-plots >/dev/null 2>&1 &
	pid=$!
	delay_ms=$((RANDOM * took_ms / 32768))
	sleep "$((delay_ms / 1000)).$(printf %03d $((delay_ms % 1000)))"
	kill -9 $pid 2>/dev/null && nr_killed=$((nr_killed + 1))
	wait $pid 2>/dev/null
	if ! "$numaslab" verify "$run" >"$dir/out" 2>&1; then
		# before the run's first record there is nothing to lose and nothing to go on with
		grep -qE 'holds no run|is empty|no such file|No such file|has no run.db' "$dir/out" ||
			fail "kill $kill: verify says $(cat "$dir/out")"
		continue
	fi
	windows "$run" >"$dir/before"
	"$numaslab" run --resume "$run" -q --no-plots >/dev/null 2>"$dir/err" ||
		fail "kill $kill: the resume ended $?: $(cat "$dir/err")"
	windows "$run" >"$dir/after"
	[ -z "$(comm -23 "$dir/before" "$dir/after")" ] || fail "kill $kill: finished trials are lost"
	trials "$run" | cmp -s - "$dir/want" || fail "kill $kill: the trials differ"
	cmp -s "$run/plan.json" "$dir/whole/plan.json" || fail "kill $kill: plan.json differs"
	"$numaslab" verify "$run" >"$dir/out" 2>&1 || fail "kill $kill: $(cat "$dir/out")"
	rm -rf "$run"
done
echo "$nr_killed of $kills runs were killed before their end"

# a whole run is shown, and not run again
"$numaslab" run --resume "$dir/whole" --no-plots >"$dir/out" 2>"$dir/err" || fail "a whole run: $?"
grep -q 'nothing is left to run' "$dir/err" || fail "a whole run is run again: $(cat "$dir/err")"
grep -q '^slub A' "$dir/out" || fail "a whole run shows no table"

# what a resume refuses
refused()
{
	local words=$1
	shift
	"$numaslab" run "$@" >/dev/null 2>"$dir/err"
	[ $? = 2 ] || fail "$* did not end 2"
	grep -qF -- "$words" "$dir/err" || fail "$* does not say '$words': $(cat "$dir/err")"
}
refused 'from the run itself' --resume "$dir/whole" blocks=9
refused 'from the run itself' --resume "$dir/whole" -o "$dir/other"
refused 'No such file' --resume "$dir/nowhere"
refused 'has no run.db' --resume "$dir"
[ $failures = 0 ] || exit 1
