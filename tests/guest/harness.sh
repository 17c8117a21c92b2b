#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# harness.sh CACHE: guest.sh itself, before anything of ours runs in a guest: exit statuses, files, nodes,
# distances, and what it says when the guest hangs, dies or cannot be started.
here=$(readlink -f "$(dirname "$0")")
kernel=$("$here/kernel.sh" "$1" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nr_failed=0

# expect WHAT WANTED GOT
expect() {
	[ "$2" = "$3" ] && return
	printf "failed: %s: wanted '%s', got '%s'\n" "$1" "$2" "$3"
	nr_failed=$((nr_failed + 1))
}

guest() { "$here/guest.sh" --kernel "$kernel" "$@" 2>"$scratch/errors"; }

echo "brought in" >"$scratch/note"
said=$(guest --node cpus=2,mib=192 --node cpus=1,mib=192 --node cpus=1,mib=0 --node cpus=0,mib=128 \
	--distance 0,1,21 --distance 0,3,31 --file "$scratch/note" --out "$scratch/out" \
	--program "$(command -v numactl)" '
cd /sys/devices/system/node
echo $(cat has_memory) : $(cat has_cpu) : $(cat node0/distance) : $(cat node3/distance)
cat /proc/sys/kernel/numa_balancing
numactl --membind=3 cat /in/note >/out/note
mkdir /out/folder
echo "out again" >/out/folder/file
exit 7')
expect "exit status" 7 $?
expect "nodes and distances" "0-1,3 : 0-2 : 10 21 20 31 : 31 20 20 10" "$(sed -n 1p <<<"$said")"
expect "automatic balancing" 0 "$(sed -n 2p <<<"$said")"
expect "a file both ways" "brought in" "$(cat "$scratch/out/note")"
expect "a folder" "out again" "$(cat "$scratch/out/folder/file")"

guest --node cpus=1,mib=192 --limit 4 "sleep 1000" >/dev/null
expect "status of a guest that hangs" 124 $?
expect "words on a guest that hangs" "guest: the limit of 4 s passed" "$(tail -n 1 "$scratch/errors")"

said=$(guest --node cpus=1,mib=192 'echo before; sleep 1; echo c >/proc/sysrq-trigger; sleep 1000')
expect "status of a guest that dies" 125 $?
expect "output of a guest that dies" before "$said"

said=$(guest --node cpus=x 'true')
expect "status of bad usage" 126 $?
expect "words on bad usage" "guest: --node takes cpus=N,mib=M, not 'cpus=x'" "$(cat "$scratch/errors")"
said=$(guest --node cpus=1,mib=192 --arch vax 'true')
expect "status of an unknown architecture" 126 $?
expect "words on it" "guest: --arch takes x86_64 or aarch64, not 'vax'" "$(cat "$scratch/errors")"

[ $nr_failed = 0 ] || cat "$scratch/errors"
exit $((nr_failed > 0))
