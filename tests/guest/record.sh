#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# record.sh CACHE NUMASLAB SERIES...: numaslab records kernels of these series in guests: the making of
# 2000 files, on 2 nodes. Nothing is lost, and each file's inode is in the trace, by its cache's name.
here=$(readlink -f "$(dirname "$0")")
numaslab=$2
files=2000
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nr_failed=0

fail() {
	printf 'failed: %s: %s\n' "$series" "$*"
	nr_failed=$((nr_failed + 1))
}

figure() { sed -n "s/^ \"$1\": \(.*[^,]\),*\$/\1/p" "$out/figures.json"; }

cache=$1
shift 2
for series; do
	kernel=$("$here/kernel.sh" "$cache" "$series" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
	out=$scratch/$series
	"$here/guest.sh" --kernel "$kernel" --node cpus=1,mib=256 --node cpus=1,mib=256 --out "$out" \
		--program "$numaslab" --file "$here/record_files.sh" \
		"sh /in/record_files.sh $files /out" >"$scratch/said" 2>&1
	status=$?
	if grep -q 'built without libtracefs' "$scratch/said"; then
		echo "skip: this build has no libtracefs"
		exit 77
	fi
	[ $status = 0 ] || { fail "status $status: $(tail -n 5 "$scratch/said")"; continue; }
	[ "$(figure lost_events)" = 0 ] || fail "lost $(figure lost_events) events"
	"$numaslab" trace info --json "$out/trace" >"$scratch/info" || fail "trace info cannot read it"
	for kind in kmem_cache_alloc kmem_cache_free kmalloc kfree mm_page_alloc mm_page_free; do
		grep -q "^  \"$kind\": [1-9]" "$scratch/info" || fail "no $kind in its trace"
	done
	# 32 more files are made and deleted so that their caches have names
	inodes=$(awk '/"allocs"/ {nr = $2 + 0} /"name": "shmem_inode_cache"/ {print nr; exit}' \
		"$scratch/info")
	[ "$inodes" = $((files + 32)) ] || fail "$inodes inodes of $((files + 32)) files"
	printf '%s: %s\n' "$series" "$(tr -d '\n' <"$out/figures.json")"
done
exit $((nr_failed > 0))
