#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# access.sh CACHE NUMASLAB MARK PLUGIN: local cells make local accesses and cells across nodes remote ones,
# exactly. QEMU shows every access of a guest with two nodes to PLUGIN, which counts by CPU and node.
#
# NUMASLAB is the real program whose workloads switch the counting on around each batch, so runner,
# placement, arena and backends are what users have; only accesses to the arena's pages are counted, so
# there is no noise to allow for: one access of the wrong node fails the test. A plain loop over bound
# memory, of 49,152 loads, shows first that the counting itself is exact. A guest has no caches worth the
# name: these are accesses, never misses or times.
here=$(readlink -f "$(dirname "$0")")
kernel=$("$here/kernel.sh" "$1" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
numaslab=$2 mark=$3 plugin=$4 mib=512
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
load=(-plugin "$plugin,node-mib=$mib,out=$scratch/rows")
said=$(echo quit | timeout 20 qemu-system-x86_64 -M none -nodefaults -display none -monitor stdio \
	"${load[@]}" 2>&1) || {
	echo "skip: qemu-system-x86_64 does not load the plug-in: ${said##*(qemu) }"
	exit 77
}

# Row i: what runs, how, and CPU:NODE for each CPU whose accesses must all go to that node. The row's
# number is the label under which the plug-in reports it.
names=() wanted=() commands=()
row() {
	names+=("$1")
	wanted+=("$2")
	commands+=("$3")
}

# cell ALLOCATOR WORKLOAD THREADS PLACEMENT MEMORY WANTED
cell() {
	row "$1 $2 $4 memory=$5" "$6" "access_numaslab run /in/access.ini workload=$2 allocator=$1 threads=$3 \
placement=$4 memory=$5 --quiet --no-plots --output /tmp/run${#names[@]} >/tmp/said &&
access_mark report ${#names[@]}"
}

for cpu in 0 1; do
	for node in 0 1; do
		row "control" "$cpu:$node" "access_mark loop ${#names[@]} $cpu $node"
	done
done
for allocator in slub sheaves slab nodelocal; do
	cell $allocator pingpong 1 node:0 local 0:0
	cell $allocator pingpong 1 node:1 local 1:1
	cell $allocator pingpong 1 node:0 remote 0:1
	cell $allocator remote_free 2 cross:0,1 node:1 "0:1 1:1"
done
# What dies on the other node is written there. nodelocal's consumer leaves objects alone: it gathers
# pointers at home, and the producer reads those.
for allocator in slub sheaves slab; do
	cell $allocator remote_free 2 cross:0,1 local "0:0 1:0"
done
cell nodelocal remote_free 2 cross:0,1 local 1:1

"$here/guest.sh" --kernel "$kernel" --limit 280 --node cpus=1,mib=$mib --node cpus=1,mib=$mib \
	--program "$numaslab" --program "$mark" --file "$here/access.ini" \
	--qemu "${load[0]}" --qemu "${load[1]}" "
access_mark learn 0 1 || exit 1
$(printf '%s || { cat /tmp/said; exit 1; }\n' "${commands[@]}")" ||
	{ echo "failed: exit status $? in the guest"; exit 1; }

for i in "${!names[@]}"; do
	printf '%s\t%s\t%s\n' $i "${names[i]}" "${wanted[i]}"
done | awk -F '\t' '
	function fail(why) {
		print "failed: " name[label] ", CPU " cpu ": " why
		bad = 1
	}
	NR == FNR {
		name[$1] = $2
		nr_wanted = split($3, pairs, " ")
		for (i = 1; i <= nr_wanted; i++) {
			split(pairs[i], pair, ":")
			wanted[$1, pair[1]] = pair[2]
		}
		next
	}
	# label, CPU, operations, loads and stores of node 0, 1, ..., and of no known node
	{
		split($0, field, " ")
		label = field[1]
		cpu = field[2]
		ops = field[3]
		printf "%-40s CPU %s %7d ops   node 0 %7d loads %7d stores   node 1 %7d loads %7d stores\n",
			name[label], cpu, ops, field[4], field[5], field[6], field[7]
		if (!((label, cpu) in wanted))
			next
		node = wanted[label, cpu]
		delete wanted[label, cpu]
		for (i = 4; i in field; i++) {
			if (int((i - 4) / 2) != node && field[i])
				fail(field[i] " accesses of another node than " node)
		}
		loads = field[4 + 2 * node]
		stores = field[5 + 2 * node]
		if (name[label] == "control" && (loads != 49152 || stores))
			fail("49152 loads wanted")
		# each object that is made is written to; a consumer may put several away by one store
		is_consumer = name[label] ~ /remote_free/ && cpu == 1
		if (name[label] != "control" && (!ops || stores < (is_consumer ? 1 : ops)))
			fail("fewer stores than objects")
	}
	END {
		for (key in wanted) {
			split(key, part, SUBSEP)
			print "failed: " name[part[1]] ", CPU " part[2] ": nothing was counted"
			bad = 1
		}
		exit bad
	}' - "$scratch/rows"
