#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# fidelity.sh CACHE NUMASLAB SERIES...: kernels of these series are recorded in guests while they make
# 12000 files, and the model replays what was recorded. Every cache that gained or lost more than 50 slabs
# does so in the model as in the kernel, within 2 slabs or 3 %: what the files are made of, at least.
here=$(readlink -f "$(dirname "$0")")
cache=$1 numaslab=$2
files=12000
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nr_failed=0

fail() {
	printf 'FAILED: %s: %s\n' "$series" "$*"
	nr_failed=$((nr_failed + 1))
}

shift 2
for series; do
	kernel=$("$here/kernel.sh" "$cache" "$series" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
	out=$scratch/$series
	"$here/guest.sh" --kernel "$kernel" --node cpus=2,mib=512 --out "$out" --program "$numaslab" \
		--file "$here/record_files.sh" "sh /in/record_files.sh $files /out" >"$scratch/said" 2>&1
	status=$?
	if grep -q 'built without libtracefs' "$scratch/said"; then
		echo "skip: this build has no libtracefs"
		exit 77
	fi
	[ $status = 0 ] || { fail "status $status: $(tail -n 5 "$scratch/said")"; continue; }
	"$numaslab" trace fidelity "$out/trace" >"$scratch/table" 2>"$scratch/err" || fail "status $?"
	cat "$scratch/table" "$scratch/err"
	for name in shmem_inode_cache dentry lsm_inode_cache; do
		grep -q "^$name .* within$" "$scratch/table" || fail "$name is not judged"
	done
done
exit $((nr_failed > 0))
