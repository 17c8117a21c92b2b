#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab run as users call it: what a run leaves, trials that crash, hang or leak, a run that is
# killed, bad input. Windows are short; nothing here depends on what the clock says.
# usage: test_run.sh NUMASLAB PLUGIN_DIE PLUGIN_HANG PLUGIN_LEAK PLUGIN_EAT PLUGIN_SCRIBBLE
set -u
numaslab=$1 die=$2 hang=$3 leak=$4 eat=$5 scribble=$6
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
}

cat >"$dir/tiny.ini" <<'INI'
[global]
allocator = null, slub, nodelocal
baseline = slub
blocks = 2
windows = 3
window_ms = 1
warmup_ms = 1
time_limit_s = 60
node_mib = 64

[one]
workload = pingpong
size = 64, 256

[two]
workload = churn
live_objects = 512
INI

# ---- a whole run
expect 0 'results: ' "$numaslab" run "$dir/tiny.ini" -o "$dir/run" --no-plots
for file in run.db plan.json table.txt windows.csv; do
	[ -s "$dir/run/$file" ] || fail "the run left no $file"
done
cmp -s "$dir/out" "$dir/run/table.txt" || fail "table.txt is not the table that was printed"
awk 'length($0) > 78 { bad = 1 } END { exit bad }' "$dir/out" || fail "the table is too wide"
for words in 'machine ' 'kernel ' 'empty loop ' 'slub A ' "slub A'" nodelocal; do
	grep -qF -- "$words" "$dir/out" || fail "the table does not say '$words'"
done
grep -q 'failed' "$dir/out" && fail "a cell failed: $(grep failed "$dir/out")"
# 3 cells families x 4 arms x 2 blocks x 3 windows, and a header
[ "$(wc -l <"$dir/run/windows.csv")" = 73 ] || fail "$(wc -l <"$dir/run/windows.csv") lines of CSV"
grep -q '^[^,]*,' "$dir/run/windows.csv" || fail "windows.csv is not CSV"
"$numaslab" export --json "$dir/run" >"$dir/run.json" || fail "export ended $?"
grep -q '"reason"' "$dir/run.json" || fail "no counter gives a reason for its absence"
expect 0 ' 24 trials, 72 windows: 0 differences' "$numaslab" verify "$dir/run"
expect 2 'verify takes one run' "$numaslab" verify
expect 2 'is not a result file' "$numaslab" verify "$dir/tiny.ini"
expect 2 'holds a run already' "$numaslab" run "$dir/tiny.ini" -o "$dir/run" --no-plots

# ---- the same plan with simulated nodes says so
expect 0 'simulated' "$numaslab" run "$dir/tiny.ini" -o "$dir/sim" --no-plots --sim-nodes 4 blocks=1

# ---- trials that fail are named and the others go on (a sanitizer turns a signal into a status)
sed '/^\[two\]/,$d' "$dir/tiny.ini" >"$dir/one.ini"
expect 1 'failed: ' "$numaslab" run "$dir/tiny.ini" allocator=slub,faulty --plugin "$die" \
	-o "$dir/die" --no-plots
grep -qE '^faulty +failed: (crash: SIG|exit status )' "$dir/out" || fail "a crash is not named"
grep -qE '^slub A +[0-9.]+ ' "$dir/out" || fail "slub has no figures beside a crash"
expect 1 'hang: no result after 1 s' "$numaslab" run "$dir/one.ini" allocator=slub,faulty \
	--plugin "$hang" size=64 time_limit_s=1 -o "$dir/hang" --no-plots
expect 1 'pages allocated' "$numaslab" run "$dir/tiny.ini" allocator=slub,faulty --plugin "$leak" \
	-o "$dir/leak" --no-plots

grep -qE '^slub A +[0-9.]+ ' "$dir/out" || fail "slub has no figures beside a leak"
# AddressSanitizer, where it is in, ends the trial at the write itself
found='reported: debug: '
grep -q 'address.* sanitizer' "$dir/err" && found='failed: exit status 1: '
expect 1 "$found" "$numaslab" run "$dir/one.ini" allocator=slub,faulty debug=yes \
	--plugin "$scribble" size=64 -o "$dir/scribble" --no-plots
grep -qE '^slub A +[0-9.]+ ' "$dir/out" || fail "slub has no figures beside an overrun"
if grep -q sanitizer "$dir/err"; then
	echo "skipped: sanitizers keep memory of their own, no limit holds it"
else
	expect 1 'failed: memory: it held ' "$numaslab" run "$dir/one.ini" allocator=slub,faulty \
		memory_limit_mib=64 --plugin "$eat" size=64 -o "$dir/eat" --no-plots
	grep -qE '^slub A +[0-9.]+ ' "$dir/out" || fail "slub has no figures beside a glutton"
fi

# ---- killed: every finished trial is there
"$numaslab" run "$dir/tiny.ini" blocks=500 invalidate=off -o "$dir/killed" --no-plots >/dev/null 2>"$dir/err" &
run=$!
for _ in $(seq 600); do
	[ "$("$numaslab" export --csv "$dir/killed" 2>/dev/null | wc -l)" -gt 60 ] && break
	sleep 0.1
done
kill -9 $run
wait $run 2>/dev/null
expect 0 'interrupted' "$numaslab" compare "$dir/killed"
grep -qE '^nodelocal +[0-9.]+' "$dir/out" || fail "compare has no figures of a killed run"
[ "$("$numaslab" export --csv "$dir/killed" | wc -l)" -gt 60 ] || fail "finished trials are lost"

# ---- Ctrl-C ends after the trial in hand, with a table
"$numaslab" run "$dir/tiny.ini" blocks=500 invalidate=off -o "$dir/stopped" --no-plots >"$dir/out" 2>"$dir/err" &
run=$!
for _ in $(seq 600); do
	[ "$("$numaslab" export --csv "$dir/stopped" 2>/dev/null | wc -l)" -gt 60 ] && break
	sleep 0.1
done
kill -TERM $run
wait $run || fail "a stopped run ended $?: $(cat "$dir/err")"
grep -q '^slub A' "$dir/out" || fail "a stopped run printed no table"

# ---- bad input: one line, exit 2, nothing left
expect 2 "did you mean 'size'" "$numaslab" run "$dir/tiny.ini" sise=64 -o "$dir/bad"
expect 2 'which accepts' "$numaslab" run "$dir/tiny.ini" size=0 -o "$dir/bad"
expect 2 "did you mean 'slub'" "$numaslab" run "$dir/tiny.ini" allocator=slbu -o "$dir/bad"
expect 2 'no node 77' "$numaslab" run "$dir/tiny.ini" placement=node:77 -o "$dir/bad"
expect 2 'cannot make folder' "$numaslab" run "$dir/tiny.ini" -o /proc/nowhere/run
[ ! -e "$dir/bad" ] || fail "bad input left a folder"

[ $failures = 0 ] || exit 1
