#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab snapshot as users call it: on a tree, on this machine where its caches may be read, into
# files, and wrong calls of one line.
# usage: test_snapshot.sh NUMASLAB
set -u
numaslab=$1
. "$(dirname "$0")/../support/expect.sh"
prefix=("$numaslab" snapshot)

tree=$dir/tree
slab=$tree/sys/kernel/slab
mkdir -p "$tree/proc/sys/kernel" "$slab/:0000064" "$tree/sys/devices/system/cpu"
echo 6.12.48-amd64 >"$tree/proc/sys/kernel/osrelease"
echo "root=/dev/secret slab_max_order=2" >"$tree/proc/cmdline"
echo 0-3 >"$tree/sys/devices/system/cpu/present"
for pair in slab_size:64 object_size:60 align:8 order:0 objs_per_slab:64 min_partial:5 cpu_partial:120; do
	echo "${pair#*:}" >"$slab/:0000064/${pair%:*}"
done
ln -s :0000064 "$slab/small"

expect 0 '"aliases": ["small"]' --sysroot "$tree"
grep -q '"cmdline_slab": "slab_max_order=2"' "$dir/out" || fail "boot parameters are missing"
grep -q secret "$dir/out" && fail "a secret is told"
grep -q "^note: /proc/buddyinfo cannot be read" "$dir/err" || fail "no note on stderr"
cp "$dir/out" "$dir/first"
expect 0 "note: " --sysroot "$tree" -o "$dir/second"
[ ! -s "$dir/out" ] || fail "output beside a file"
cmp "$dir/first" "$dir/second" || fail "two snapshots of one tree differ"

# wrong
expect 2 "snapshot takes no operand, not 'file'" file
expect 2 "cannot open root '/nowhere'" --sysroot /nowhere
expect 2 "cannot write '/nowhere/x': No such file" --sysroot "$tree" -o /nowhere/x
echo 5.10.0-8 >"$tree/proc/sys/kernel/osrelease"
expect 2 "kernel '5.10.0-8' are not known; give --kernel" --sysroot "$tree" -o "$dir/third"
[ ! -e "$dir/third" ] || fail "a file of a snapshot that failed"
expect 0 "those of 6.1 are taken" --sysroot "$tree" --kernel 6.1
echo 65 >"$slab/:0000064/object_size"
expect 2 "object_size 65 is larger than slab_size 64" --sysroot "$tree"
rm -r "$slab"
expect 2 "run as root, or give a snapshot" --sysroot "$tree"

# this machine, if its kernel is one whose rules are known
case $(uname -r) in
6.[1-6].* | 6.[89].* | 6.1[0-9].*) is_known=yes ;;
*) is_known= ;;
esac
if [ "$is_known" ] && [ -r /sys/kernel/slab/task_struct/order ] && [ "$(getconf PAGESIZE)" = 4096 ]; then
	expect 0 '"name": "task_struct"'
	[ "$(wc -c <"$dir/out")" -lt 200000 ] || fail "the snapshot of this machine is too large"
fi
[ $failures = 0 ]
