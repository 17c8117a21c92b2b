#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The tuner as its users meet it: advice by counts is the same each time, objectives and budgets do
# what they say, one cache is explained on a page, plots are drawn once and again, bad input is one
# clear line. Nothing is measured and no kernel boots: guest.oracle and unit.tuner-race do that. All
# caches of the table are tuned once; the rest is about a few of them.
# usage: test_tune.sh NUMASLAB SLABINFO.tsv
set -u
numaslab=$1 table=$2
. "$(dirname "$0")/../support/expect.sh"

# tune_of TABLE OPTIONS...
tune_of()
{
	local of=$1
	shift
	"$numaslab" tune --snapshot "$of" --cpus 2 --nodes 1 --kernel 6.18 --no-measure --no-oracle -q "$@"
}

tune()
{
	tune_of "$dir/few.tsv" --no-plots "$@"
}

awk -F '\t' 'NR == 1 || $2 == "-" && (NR % 12 == 0 || $1 ~ /^(ext4_inode_cache|dentry|radix_tree_node|kmalloc-4k|RAW)$/)' \
	"$table" >"$dir/few.tsv"

# ---- all caches, with plots
tune_of "$table" --all -o "$dir/all" >"$dir/table" 2>"$dir/err" || fail "all caches: $(cat "$dir/err")"
awk 'length($0) > 80' "$dir/table" >"$dir/long"
[ -s "$dir/long" ] && fail "wider than 80 columns: $(cat "$dir/long")"
for name in regret pareto memory locks gap; do
	for ending in dat gp; do
		[ -s "$dir/all/plots/tune-$name.$ending" ] || fail "no plots/tune-$name.$ending"
	done
done
cut -f9 "$dir/all/plots/tune-regret.dat" | grep -q '^ext4_inode_cache 2>' || fail "ext4_inode_cache is not in tune-regret"
if command -v gnuplot >"$dir/out"; then
	for name in regret pareto memory locks gap; do
		[ -s "$dir/all/plots/tune-$name.png" ] || fail "no plots/tune-$name.png"
	done
	rm -r "$dir/all/plots"
	expect 0 'plots/tune-gap.svg' "$numaslab" plot "$dir/all"
	expect 0 'Lock acquisitions' "$numaslab" plot -T dumb "$dir/all/advice.json" tune-locks
fi
NUMASLAB_GNUPLOT=/nonexistent "$numaslab" tune --cache name=mine,size=1128,live=100000 --cpus 64 --kernel 6.12 \
	--no-measure --no-oracle -o "$dir/bare" >"$dir/out" 2>&1 || fail "without gnuplot: $(cat "$dir/out")"
[ "$(grep -c 'plots are tables only: .*gnuplot' "$dir/out")" = 1 ] || fail "gnuplot is not missed: $(cat "$dir/out")"
[ -s "$dir/bare/plots/tune-memory.gp" ] || fail "no script without gnuplot"
expect 2 "did you mean 'tune-gap'" "$numaslab" plot "$dir/bare" tune-gab

# ---- the same twice, table and files
for i in 1 2; do
	tune --all -o "$dir/advice$i" >"$dir/table$i" 2>"$dir/err$i" || fail "tune: $(cat "$dir/err$i")"
done
cmp "$dir/table1" "$dir/table2" || fail "two runs differ: $(diff "$dir/table1" "$dir/table2")"
diff -r "$dir/advice1" "$dir/advice2" >"$dir/diff" || fail "two runs left other files: $(cat "$dir/diff")"
[ -e "$dir/advice1/plots" ] && fail "--no-plots draws plots"
for file in advice.json advice.txt boot.txt sysfs-apply.sh sysfs-undo.sh patch-table.txt plan.ini snapshot.json \
	tuned/numaslab/tuned.conf; do
	[ -s "$dir/advice1/$file" ] || fail "no $file"
done
"$numaslab" plan "$dir/advice1/plan.ini" >"$dir/out" 2>&1 || fail "plan.ini: $(cat "$dir/out")"

# ---- what it wrote is as good as the machine
"$numaslab" tune --snapshot "$dir/advice1/snapshot.json" --no-measure --no-oracle --no-plots -q --all \
	-o "$dir/again" 2>"$dir/err" | tail -n +2 >"$dir/table3" || fail "snapshot.json: $(cat "$dir/err")"
tail -n +2 "$dir/table1" | cmp - "$dir/table3" || fail "its own snapshot gives another advice"

# ---- 1128 bytes: order 3 leaves 0.2 % where order 2 leaves 3.6 %
tune_of "$table" --no-plots --objective memory -o "$dir/memory" >"$dir/out" 2>&1 || fail "memory: $(cat "$dir/out")"
grep -q '^ext4_inode_cache .* 2>3 ' "$dir/out" || fail "memory does not advise order 3: $(cat "$dir/out")"
grep -q 'order 3: memory -3' "$dir/out" || fail "no memory saved: $(cat "$dir/out")"
grep -Eq '^(kmalloc|nsproxy|RAW)' "$dir/out" && fail "memory at the price of time, or a tiny cache: $(cat "$dir/out")"
grep -q '^dentry .*>5' "$dir/out" && fail "dentry in blocks that are not to be had: $(cat "$dir/out")"
grep -q 'held out by counts' "$dir/memory/advice.json" || fail "advice.json tells of no hold-out"
tune --objective memory --high-order 0 -o "$dir/zero" >"$dir/out" 2>&1 || fail "zero: $(cat "$dir/out")"
grep -q '^ext4_inode_cache .*2>' "$dir/out" && fail "order 3 without a budget for it: $(cat "$dir/out")"
expect 0 'order 2:  16384 bytes,   14 objects, tail   592 bytes (3.6%)  <- now' \
	tune --explain ext4_inode_cache -o "$dir/explain"
grep -q 'order 3:  32768 bytes,   29 objects, tail    56 bytes (0.2%)' "$dir/out" || fail "no order 3"
grep -q 'What follows' "$dir/out" || fail "no end: $(cat "$dir/out")"

# ---- caches that are spelled out
expect 0 '1 cache,' "$numaslab" tune --cache name=mine,size=1128,live=100000 --cpus 64 --kernel 6.12 \
	--no-measure --no-oracle --no-plots -q -o "$dir/mine"

# ---- JSON
tune --json -o "$dir/json" >"$dir/out" 2>"$dir/err" || fail "--json: $(cat "$dir/err")"
python3 -m json.tool <"$dir/out" >"$dir/pretty" || fail "--json is no JSON"

# ---- bad input
expect 2 "did you mean 'ext4_inode_cache'" tune --explain ext4_inode_cach -o "$dir/x"
expect 2 "'fast' is no objective" tune --objective fast -o "$dir/x"
expect 2 'give one of' tune --trace /nonexistent -o "$dir/x"
expect 2 "'--memory'" tune --memory lots -o "$dir/x"
expect 2 "'--high-order'" tune --high-order -1 -o "$dir/x"
expect 2 "'budget'" tune --budget soon -o "$dir/x"
expect 2 '--cpus' "$numaslab" tune --snapshot "$table" --no-measure --no-oracle -o "$dir/x"
expect 2 '' tune --memory -90% -o "$dir/x"
expect 2 'no trace of numaslab' "$numaslab" tune --trace "$table" -o "$dir/x"
mkdir "$dir/empty"
expect 2 '' "$numaslab" tune --sysroot "$dir/empty" --no-measure --no-oracle -q -o "$dir/x"
[ -e "$dir/x" ] && fail "a refused call left files"
exit $((failures > 0))
