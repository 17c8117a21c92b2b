#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tune.sh CACHE NUMASLAB SNAPSHOT: the machine of 64 CPUs and 4 nodes whose snapshot a real kernel wrote is
# tuned, and 2 CPUs stand for its 64: a kernel booted with the advised line must have the orders that were
# predicted; and one booted with what stands in for 64 CPUs must have, cache by cache, the orders that the
# snapshot shows.
here=$(readlink -f "$(dirname "$0")")
cache=$1 numaslab=$2 snapshot=$3
kernel=$("$here/kernel.sh" "$cache" 6.12 2>&1) || { status=$?; echo "$kernel"; exit $status; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nr_failed=0

fail() {
	printf 'FAILED: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# ask NAME OPTIONS...: the oracle's answer in NAME.json
ask() {
	local name=$1 status
	shift
	"$numaslab" oracle --snapshot "$snapshot" --kernel "$kernel" --json "$@" >"$scratch/$name.json" 2>"$scratch/err"
	status=$?
	[ $status != 77 ] || { cat "$scratch/err"; exit 77; }
	[ $status = 0 ] || fail "$name: status $status: $(cat "$scratch/err")"
	python3 -c 'import json, sys; a = json.load(open(sys.argv[1])); print(a["command_line"], "|", a["verdict"])
sys.exit(a["verdict"] not in ("confirmed", "rule confirmed on 6.12"))' "$scratch/$name.json" || fail "$name"
}

"$numaslab" tune --snapshot "$snapshot" --no-measure --no-oracle --no-plots -q -o "$scratch/advice" \
	>"$scratch/table" 2>&1 || fail "tune: $(cat "$scratch/table")"
line=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["booted"]["line"])' "$scratch/advice/advice.json")
ask advised --cmdline "$line"
# what leaves min_objects to the number of CPUs
ask stand-in --cmdline slab_max_order=2
ask now
python3 - "$scratch" "$snapshot" <<'PYTHON' || fail "the stand-in for 64 CPUs"
import json, sys
for name in ('stand-in', 'now'):
    answer = json.load(open('%s/%s.json' % (sys.argv[1], name)))
    assert answer['cpus'] == 2 and answer['stand_in_min_objects'] == 4 * (7 + 1), answer['command_line']
guest = {c['name']: c for c in answer['caches']}
machine = json.load(open(sys.argv[2]))['caches']
same = [c for c in machine if guest.get(c.get('folder', c['name']), {}).get('slab_size') == c['slab_size']]
wrong = [c['name'] for c in same if guest[c.get('folder', c['name'])]['order'] != c['order']]
print('%d of %d caches have the stride of 64 CPUs, %d another order' % (len(same), len(machine), len(wrong)))
assert len(same) > 150 and not wrong, wrong
PYTHON
exit $((nr_failed > 0))
