#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A recorded trace on several designs: the counts of one pass are the same in every run, what the
# workload tells reaches table, CSV and plot, and bad traces are one line each.
# usage: test_replay.sh NUMASLAB MAKE_TRACE PLANS
set -u
numaslab=$1
make_trace=$2
plans=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAILED: $*"; exit 1; }

replay()
{
	local output=$1
	shift
	"$numaslab" run "$plans/replay.ini" blocks=1 windows=1 window_ms=1 warmup_ms=0 twin=no \
		trace="$dir/a.trace" --quiet --output "$dir/$output" "$@" >"$dir/$output.out" 2>"$dir/err"
}

# value of a figure for an arm of a run
figure() { awk -F, -v arm="$2" -v name="$3" '$(NF-4) == "0" && $(NF-5) == arm && $(NF-3) == name { print $(NF-2) }' "$dir/$1/figures.csv"; }

"$make_trace" "$dir/a.trace" 20000 4 || exit 1
replay one || fail "$(cat "$dir/err")"
replay two || fail "$(cat "$dir/err")"
grep -v ,passes, "$dir/one/figures.csv" >"$dir/one.csv"
grep -v ,passes, "$dir/two/figures.csv" >"$dir/two.csv"
cmp "$dir/one.csv" "$dir/two.csv" || fail "one worker's counts differ between two runs"
cmp "$dir/one/points.csv" "$dir/two/points.csv" || fail "one worker's curves differ between two runs"
grep -q '^figure' "$dir/one.out" || fail "the table does not tell the counts"
[ -s "$dir/one/curves.dat" ] || fail "no curves"

# every allocator did the same events; frees on another CPU are the trace's
for arm in nodelocal slub slab slob libc; do
	[ "$(figure one $arm events)" = "$(figure one sheaves events)" ] || fail "events of $arm"
	[ "$(figure one $arm remote_frees)" = "$(figure one sheaves remote_frees)" ] || fail "remote frees of $arm"
done
[ "$(figure one slub remote_frees)" -gt 100 ] || fail "no frees on other CPUs"
# a cache that only grows: slabs follow from the objects (21 of 192 bytes in a page, 42 in two)
moved=$(figure one slub "traced objects t-dentry")
replay recorded orders=recorded allocator=slub cpus=2 || fail "$(cat "$dir/err")"
slabs=$(figure recorded slub "model slabs t-dentry")
[ "$slabs" -ge $((moved / 21)) ] && [ "$slabs" -le $((moved / 21 + 8)) ] ||
	fail "$moved objects of 21 a slab took $slabs slabs"

# the recorded kernel's own slabs first; frees of both still balance
replay filled fill=yes allocator=slub,slab || fail "$(cat "$dir/err")"
# slabs of the model beside those of the kernel that was recorded, the same each time
# (the made-up kernel's slabs are all full, those that four CPUs hold here are not)
"$numaslab" trace fidelity --cpus 2 --moved 10 --slabs 4 "$dir/a.trace" >"$dir/table" 2>"$dir/err" ||
	fail "fidelity: status $?: $(cat "$dir/table" "$dir/err")"
grep -q '^t-dentry  *+[0-9]*  *+[0-9]*  *[0-9.]*%  *+62  *+6[2-6]  *within$' "$dir/table" ||
	fail "fidelity: $(cat "$dir/table")"
"$numaslab" trace fidelity --cpus 2 --moved 10 --slabs 0 --percent 0 "$dir/a.trace" >"$dir/table"
[ $? = 1 ] && grep -q '^t-dentry .* OUTSIDE$' "$dir/table" || fail "fidelity: $(cat "$dir/table")"
[ "$(awk 'length > 80' "$dir/table" | grep -vc "$dir")" = 0 ] || fail "fidelity: wider than 80 columns"
for i in 1 2; do
	"$numaslab" trace fidelity --json --cpus 2 --moved 10 --slabs 4 "$dir/a.trace" >"$dir/json$i" || fail "fidelity --json"
done
cmp "$dir/json1" "$dir/json2" || fail "fidelity differs between two runs"
grep -q '"judged": [1-9]' "$dir/json1" || fail "fidelity: $(cat "$dir/json1")"
"$numaslab" trace fidelity --cpus 2 --moved 1000000 "$dir/a.trace" >"$dir/table"
[ $? = 77 ] || fail "fidelity: no cache moved so far, but it is judged"
"$numaslab" trace fidelity --kernel 2.6 "$dir/a.trace" >"$dir/table" 2>"$dir/err"
[ $? = 2 ] && grep -q '6.1 | 6.12 | 6.18' "$dir/err" || fail "fidelity: an unknown kernel: $(cat "$dir/err")"
# what sysfs counted and no event told of
replay untraced fill=yes untraced=yes allocator=slub,slab,libc || fail "$(cat "$dir/err")"
# a part: what is held out begins with what the search left, and both together are the whole
for part in all search holdout; do
	replay part-$part only="t-dentry kmalloc-128" segment=$part allocator=slub threads=1 ||
		fail "segment=$part: $(cat "$dir/err")"
done
left=$(figure part-search slub "traced objects t-dentry")
[ "$left" -gt 0 ] && [ "$(figure part-all slub "traced objects t-dentry")" = \
	$((left + $(figure part-holdout slub "traced objects t-dentry"))) ] ||
	fail "the segments do not move what the whole does"
[ "$(figure part-all slub skipped)" = 0 ] || fail "a part reads what it leaves out"
[ "$(figure part-all slub events)" -lt "$(figure one slub events)" ] || fail "only= plays all"
replay part-shared only=t-inode segment=holdout threads=2 fill=yes allocator=slub,slab || fail "$(cat "$dir/err")"
replay part-none only=t-none allocator=slub
grep -q "'t-none' in" "$dir/part-none.out" || fail "a cache that is not there: $(tail -n 3 "$dir/part-none.out")"
# two workers share the trace, paced or not
replay shared threads=2 allocator=nodelocal,slub,slab || fail "$(cat "$dir/err")"
[ "$(figure shared slub events)" -gt 0 ] || fail "two workers did nothing"
replay paced pace=yes threads=2 allocator=slub windows=3 window_ms=20 || fail "$(cat "$dir/err")"
grep -q 'latency_p50' "$dir/paced/figures.csv" || fail "a paced replay told no latency"

# bad input: one line, exit 2
bad()
{
	local what=$1 word=$2
	shift 2
	"$numaslab" run "$plans/replay.ini" --quiet "$@" >"$dir/bad.out" 2>"$dir/err"
	[ $? = 2 ] || fail "$what: exit status is not 2"
	[ "$(wc -l <"$dir/err")" = 1 ] || fail "$what: not one line: $(cat "$dir/err")"
	grep -q "$word" "$dir/err" || fail "$what: $(cat "$dir/err")"
}
bad "no trace" "needs a trace"
bad "a paced part" "whole traces" trace="$dir/a.trace" only=t-dentry pace=yes
bad "no such file" "No such file" trace="$dir/none"
bad "another file" "no trace of numaslab" trace="$0"
head -c 100000 "$dir/a.trace" >"$dir/short.trace"
bad "truncated" "at byte" trace="$dir/short.trace"
: >"$dir/empty.trace"
bad "empty" "empty" trace="$dir/empty.trace"
# a flipped bit in a block is found before anything is replayed
cp "$dir/a.trace" "$dir/flip.trace"
printf '\377' | dd of="$dir/flip.trace" bs=1 seek=5000 conv=notrunc status=none
"$numaslab" run "$plans/replay.ini" --quiet --no-plots blocks=1 twin=no trace="$dir/flip.trace" -o "$dir/flip" \
	>"$dir/flip.out" 2>&1
[ $? = 1 ] && grep -q "at byte" "$dir/flip/table.txt" || fail "a flipped bit: $(tail -n 3 "$dir/flip.out")"
echo "replay: counts repeat, bad traces are named"
