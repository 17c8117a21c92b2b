#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_reference.sh NUMASLAB REFERENCE: the stored reference results are still read: every summary again
# from the raw windows, the same tables, a topology and a snapshot that are understood.
set -u
numaslab=$1 reference=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
nr_failed=0 nr_seen=0

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

command -v xz >/dev/null || { echo "xz is missing"; exit 77; }
for folder in "$reference"/*/; do
	[ -f "$folder/quick/run.db.xz" ] || continue
	nr_seen=$((nr_seen + 1))
	rm -rf "$dir/quick" && mkdir "$dir/quick"
	xz -dc "$folder/quick/run.db.xz" >"$dir/quick/run.db" || fail "$folder: run.db.xz is damaged"
	"$numaslab" verify "$dir/quick" >"$dir/out" 2>&1 || fail "$folder: $(cat "$dir/out")"
	"$numaslab" compare "$dir/quick" >"$dir/compare.txt" 2>"$dir/err"
	diff "$folder/compare.txt" "$dir/compare.txt" >"$dir/diff" || fail "$folder: compare: $(cat "$dir/diff")"
	"$numaslab" topo --xml "$folder/topology.xml" >"$dir/out" 2>&1 || fail "$folder: $(cat "$dir/out")"
	"$numaslab" tune --snapshot "$folder/snapshot.json" --no-measure --no-oracle --no-plots \
		-o "$dir/advice" >"$dir/out" 2>&1 || fail "$folder: $(cat "$dir/out")"
done
[ $nr_seen -ge 1 ] || fail "there are no reference results in $reference"
[ $nr_failed = 0 ]
