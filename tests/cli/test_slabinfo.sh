#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab run --slabinfo: the tables are shaped as the kernel's and their numbers agree with each other.
# usage: test_slabinfo.sh NUMASLAB
set -u
numaslab=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

cat >"$dir/tiny.ini" <<'PLAN'
[global]
allocator = slub, libc
size = 256
batch_objects = 64
threads = 1
blocks = 2
windows = 1
window_ms = 1
warmup_ms = 0

[tables]
workload = batch
PLAN

run()
{
	local output=$1
	shift
	"$numaslab" run "$dir/tiny.ini" --no-plots --quiet --output "$dir/$output" "$@" \
		>"$dir/$output.out" 2>"$dir/err"
}

run with --slabinfo || { echo "FAILED: $(cat "$dir/err")"; exit 1; }
[ -s "$dir/with/slabinfo.txt" ] || { echo "FAILED: no slabinfo.txt"; exit 1; }
tail -n "$(wc -l <"$dir/with/slabinfo.txt")" "$dir/with.out" | cmp - "$dir/with/slabinfo.txt" || exit 1
[ "$(grep -c '^# cell: ' "$dir/with/slabinfo.txt")" = \
	"$(sort -u "$dir/with/slabinfo.txt" | grep -c '^# cell: ')" ] || { echo "FAILED: a cell twice"; exit 1; }
grep -q "^# unavailable: 'libc' does not take its pages" "$dir/with/slabinfo.txt" ||
	{ echo "FAILED: no word on libc"; exit 1; }
awk '
	function fail(what) { print "FAILED: line " NR ": " what ": " $0; bad = 1 }
	/^slabinfo - version: 2.1$/ { nr_tables++; next }
	/^# name +<active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables/ { nr_heads++ }
	/^#/ || /^$/ { next }
	$1 == "Node" {
		nr_nodes++
		if (NF != 15 || $3 != "zone" || $4 !~ /^(DMA|Normal)$/)
			fail("not a line of buddyinfo")
		next
	}
	{
		nr_caches++
		if (NF != 16 || $7 ":" $8 != "::tunables" || $12 ":" $13 != "::slabdata")
			fail("not a line of slabinfo")
		if ($3 != $15 * $5 || $2 > $3 || $14 != $15 || $4 * $5 > $6 * 4096)
			fail("contradicts itself")
		nr_active += $2 > 0
	}
	END {
		if (nr_tables < 1 || nr_heads != nr_tables || nr_nodes < nr_tables || nr_active < nr_tables) {
			print "FAILED: " nr_tables " tables, " nr_heads " heads, " nr_nodes " nodes, " \
				nr_caches " caches, " nr_active " in use"
			bad = 1
		}
		exit bad
	}' "$dir/with/slabinfo.txt" || exit 1

run without || { echo "FAILED: $(cat "$dir/err")"; exit 1; }
[ ! -e "$dir/without/slabinfo.txt" ] || { echo "FAILED: slabinfo.txt without the option"; exit 1; }

# the classic test's own lines: two averages a worker, or one where allocation and free are one loop
cat >"$dir/classic.ini" <<'PLAN'
[global]
allocator = slub
workload = slab_test
phase = n_n, pairs
objects = 100
threads = 1
blocks = 1
windows = 1
window_ms = 1
warmup_ms = 0
twin = no

[classic]
size = 64
PLAN
"$numaslab" run "$dir/classic.ini" --no-plots --quiet --output "$dir/classic" >/dev/null 2>"$dir/err" ||
	{ echo "FAILED: $(cat "$dir/err")"; exit 1; }
"$numaslab" export "$dir/classic" --format slab_test >"$dir/lines"
number='[0-9]+\.[0-9]'
grep -qxE "slub N\*alloc N\*free\(64\): 0=$number/$number Average=$number/$number" "$dir/lines" &&
	grep -qxE "slub N\*\(alloc free\)\(64\): 0=$number Average=$number" "$dir/lines" ||
	{ echo "FAILED: classic lines: $(cat "$dir/lines")"; exit 1; }
