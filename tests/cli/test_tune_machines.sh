#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Advice for machines that are somewhere else: a snapshot of 64 CPUs on 4 nodes, and a recording of a
# load of files. By counts; guest.tune-64cpu asks a kernel about the first.
# usage: test_tune_machines.sh NUMASLAB DATA
set -u
numaslab=$1 data=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# has FILE WORDS
has()
{
	grep -qF -- "$2" "$1" || fail "$1 does not say '$2': $(cat "$1")"
}

# ---- 64 CPUs
"$numaslab" tune --snapshot "$data/snapshot-6.12-64cpu-4node.json" --no-measure --no-oracle --no-plots -q \
	-o "$dir/many" >"$dir/table" 2>"$dir/err" || fail "64 CPUs: $(cat "$dir/err")"
has "$dir/table" '64 CPUs, 4 nodes, Linux 6.12'
python3 - "$dir/many/advice.json" "$dir/many/boot.txt" <<'PYTHON' || fail "64 CPUs: the boot line"
import json, sys
advice = json.load(open(sys.argv[1]))
lines = open(sys.argv[2]).read().splitlines()
moved = [c['cache'] for c in advice['caches']
         if c['order_booted'] is not None and c['order_booted'] != c['order_now']]
assert advice['booted']['nr_changed'] == len(moved), (advice['booted'], moved)
assert advice['booted']['loss'] <= advice['now']['loss'], advice['booted']
assert advice['booted']['regret'] >= -1e-9, advice['booted']
if moved:  # each of them is named beside the line
    assert advice['booted']['line'] in lines, advice['booted']
    told = [line for line in lines if ' -> ' in line and line.startswith('#  ')]
    assert len(told) == len(moved), (told, moved)
    for name in moved:
        assert any(name in line for line in told), name
else:
    assert advice['booted'] == advice['now'], advice['booted']
# what it is made from: losses in the machine's proportion, and the machine's memory
for cache in advice['caches']:
    assert cache['candidates'][cache['now']]['loss'] == 0, cache['cache']
    assert cache['candidates'][cache['advised']]['loss'] <= 0, cache['cache']
assert abs(sum(c['memory_bytes'] for c in advice['caches']) - advice['now']['memory_bytes']) < 1
PYTHON

# ---- files, recorded elsewhere: counts come from the events
"$numaslab" import "$data/traces/kmem-filetree.trace.gz" -o "$dir/files" >"$dir/out" 2>&1 ||
	fail "import: $(cat "$dir/out")"
"$numaslab" tune --trace "$dir/files" --cpus 2 --nodes 1 --kernel 6.18 --no-measure --no-oracle --no-plots -q \
	-o "$dir/trace" >"$dir/table" 2>"$dir/err" || fail "trace: $(cat "$dir/err")"
has "$dir/table" 'no attributes in the trace'
has "$dir/table" 'note: nothing was measured'
python3 - "$dir/trace/advice.json" <<'PYTHON' || fail "trace: dentries and inodes"
import json, sys
caches = {c['cache']: c for c in json.load(open(sys.argv[1]))['caches']}
for name in ('dentry', 'ext4_inode_cache'):
    cache = caches[name]
    assert cache['live'] > 400, cache['live']
    for candidate in cache['candidates']:
        cost = candidate['cost']
        # most files are removed on the other CPU; a standard load has no such share
        assert cost['remote_frees_per_kop'] > 100, (name, cost)
        assert cost['locks_per_kop'] is not None and cost['memory_bytes'] > 0, (name, cost)
        assert cost['holdout']['estimate'] is None and cost['holdout']['n'] == 0, (name, cost)
locks = [c['cost']['locks_per_kop'] for c in caches['ext4_inode_cache']['candidates'][:6]]
assert locks == sorted(locks, reverse=True) and locks[0] > locks[5], locks
PYTHON
"$numaslab" tune --trace "$dir/files" --cpus 2 --nodes 1 --kernel 6.18 --no-measure --no-oracle --no-plots -q \
	--explain dentry -o "$dir/explain" >"$dir/out" 2>&1 || fail "explain: $(cat "$dir/out")"
has "$dir/out" 'allocations and'
has "$dir/out" 'of frees on another CPU'
has "$dir/out" 'not asked for (--no-measure)'
exit $((failures > 0))
