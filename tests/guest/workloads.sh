#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# workloads.sh CACHE NUMASLAB CHECK: workloads that hand objects from node to node, on four nodes with
# one CPU each. CHECK judges what was counted.
here=$(readlink -f "$(dirname "$0")")
kernel=$("$here/kernel.sh" "$1" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
numaslab=$2 check=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

nodes=()
for node in 0 1 2 3; do nodes+=(--node cpus=1,mib=384); done
"$here/guest.sh" --kernel "$kernel" --limit 200 --out "$scratch/out" "${nodes[@]}" \
	--program "$numaslab" --file "$here/workloads.ini" \
	'numaslab run /in/workloads.ini --output /out/run --no-plots >/out/table' ||
	{ echo "failed: exit status $? in the guest"; exit 1; }
"$check" "$scratch/out/run/run.db"
