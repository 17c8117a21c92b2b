#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# placement.sh CACHE NUMASLAB CHECK: numaslab on two nodes with CPUs and one with memory only. CHECK
# judges what numaslab says. What the kernel says is judged here: while the trials run, numa_maps of
# every process is sampled, and no page of a bound range may lie on another node.
here=$(readlink -f "$(dirname "$0")")
kernel=$("$here/kernel.sh" "$1" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
numaslab=$2 check=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$here/guest.sh" --kernel "$kernel" --limit 200 --out "$scratch/out" \
	--node cpus=2,mib=512 --node cpus=2,mib=512 --node cpus=0,mib=512 \
	--distance 0,1,21 --distance 0,2,17 --distance 1,2,28 \
	--program "$numaslab" --file "$here/cross.ini" \
	--file "$here/../../examples/plans/numa-matrix.ini" '
numaslab topo --json >/out/topology.json || exit 3
numaslab selftest placement >/out/selftest || exit 4
numaslab run /in/cross.ini --output /out/run &
run=$!
while kill -0 $run 2>/dev/null; do
	cat /proc/[0-9]*/numa_maps 2>/dev/null | grep -E "bind[=:].* N[0-9]+=" >>/out/numa_maps
	sleep 0.1
done
wait $run || exit
numaslab run /in/numa-matrix.ini allocator=nodelocal,slub baseline=slub blocks=1 windows=2 \
	window_ms=5 warmup_ms=2 node_mib=64 ignore=clocksource --output /out/matrix --no-plots' || { echo "failed: exit status $? in the guest"; exit 1; }

status=0
grep -q "^placement: PASS: every page lies where it was asked for" "$scratch/out/selftest" || {
	cat "$scratch/out/selftest"
	status=1
}
"$check" "$scratch/out/topology.json" "$scratch/out/run/run.db" "$scratch/out/matrix/run.db" || status=1
awk '
	match($0, /bind(=static)?:[0-9]+ /) {
		split(substr($0, RSTART, RLENGTH - 1), word, ":")
		node = word[2]
		for (i = 1; i <= NF; i++) {
			if ($i !~ /^N[0-9]+=/)
				continue
			split(substr($i, 2), part, "=")
			nr[node] += part[2]
			if (part[1] != node) {
				print "failed: bound to node " node ", but " part[2] " pages on " part[1]
				bad = 1
			}
		}
	}
	END {
		for (node = 0; node < 3; node++) {
			print "node " node ": " nr[node] + 0 " bound pages seen in numa_maps"
			bad = bad || !nr[node]
		}
		exit bad
	}' "$scratch/out/numa_maps" || status=1
exit $status
