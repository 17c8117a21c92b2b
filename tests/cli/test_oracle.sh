#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_oracle.sh NUMASLAB DATA WRITE: statuses and words of `numaslab oracle`. The guest is a script that
# answers with what a real kernel showed once; real guests are guest.oracle's.
set -u
numaslab=$1 data=$2 write=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export NUMASLAB_GUEST=$scratch/guest
nr_failed=0

# expect STATUS WORDS ARGUMENT...
expect() {
	local wanted=$1 words=$2 status

	shift 2
	"$numaslab" oracle --kernels "$scratch" "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
	[ $status = "$wanted" ] && cat "$scratch/out" "$scratch/err" | grep -qF -- "$words" && return
	printf "FAILED: oracle %s: status %s, not %s with '%s'\n" "$*" $status "$wanted" "$words"
	cat "$scratch/out" "$scratch/err"
	nr_failed=$((nr_failed + 1))
}

mkdir "$NUMASLAB_GUEST"
echo 'echo /dev/null' >"$NUMASLAB_GUEST/kernel.sh"
cat >"$NUMASLAB_GUEST/guest.sh" <<SCRIPT
while [ "\$1" != --out ]; do shift; done
mkdir "\$2" && cp '$data/kernels/6.12-16cpu.tsv' "\$2/booted.tsv" && echo 6.12.117 >"\$2/release"
SCRIPT
"$write" "$scratch/machine" "$data/kernels/6.12-16cpu.tsv" || printf 'FAILED: no snapshot\n'

expect 0 "confirmed" --snapshot "$scratch/machine"
[ "$(tail -n 1 "$scratch/out")" = confirmed ] || { echo "FAILED: the verdict is not the last line"; nr_failed=1; }
expect 0 "the machine has 16 CPUs: slab_min_objects 24 stands in for them" --snapshot "$scratch/machine"
expect 0 '"verdict": "confirmed"' --snapshot "$scratch/machine" --json
expect 1 "unconfirmed: " --snapshot "$scratch/machine" --cmdline slab_max_order=1
expect 1 "not as predicted:" --snapshot "$scratch/machine" --cmdline slab_max_order=1
expect 2 "boot parameter 'slab_max_order=x' takes 0..10" --snapshot "$scratch/machine" --cmdline slab_max_order=x
expect 2 "a guest has 1..64 CPUs, not 65" --snapshot "$scratch/machine" --guest-cpus 65
expect 2 "option '--guest-nodes' takes 0..8192, not -1" --snapshot "$scratch/machine" --guest-nodes -1
expect 2 "option '--cpus' takes 1..8192, not 0" --snapshot "$scratch/machine" --cpus 0
expect 2 "give --cpus N" --snapshot "$data/slabinfo-6.18-2cpu.tsv" --rules 6.18
expect 0 "rule confirmed on 6.12" --snapshot "$data/slabinfo-6.18-2cpu.tsv" --cpus 16 --nodes 1 --rules 6.18
expect 2 "together with its undo" --snapshot "$scratch/machine" --apply "$scratch/machine"
expect 2 "options only, not 'dentry'" --snapshot "$scratch/machine" dentry
expect 2 "nowhere" --snapshot "$scratch/nowhere"
expect 2 "cannot read kernel '$scratch/nowhere'" --snapshot "$scratch/machine" --kernel "$scratch/nowhere"

printf '%s\n' 'echo "skip: no apt" >&2' 'exit 77' >"$NUMASLAB_GUEST/kernel.sh"
expect 77 "skipped: cannot get kernel 6.12: no apt; give a vmlinuz" --snapshot "$scratch/machine"
exit $((nr_failed > 0))
