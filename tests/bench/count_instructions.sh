#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# count_instructions.sh BENCH_PAIRS: instructions of each fast path, counted by callgrind.
#
# For every arm and pattern one trial of bench_pairs runs under callgrind. A pair's count is the
# whole loop (its own instructions too) over the pairs that ran; a function's is its own
# instructions over its calls, slow paths aside. No clock is involved, so the counts are the same on
# a busy machine, and a change of one instruction shows. Compare with docs/instructions.md, which
# also names the compiler. Needs valgrind; a peer that is not installed is left out.
set -eu

bench=${1:?usage: count_instructions.sh path/to/bench_pairs}
pairs=65536 # that a call of the loop does, as long as a window takes longer than it should
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# count ARM PATTERN_NUMBER LIBRARY: callgrind's profile of one trial
count() {
	LD_PRELOAD=$3 valgrind --tool=callgrind --callgrind-out-file="$scratch/out" \
		--compress-strings=no --compress-pos=no "$bench" --trial "$1" "$2" 64 \
		>/dev/null 2>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
	if grep -q 'cannot be preloaded' "$scratch/log"; then
		return 1
	fi
}

# sums FORMAT: instructions per pair of the loop, and per call of the table's functions
sums() {
	awk -v pairs="$pairs" -v what="$1" '
	/^fn=/    { fn = substr($0, 4) }
	/^cfn=/   { callee = substr($0, 5) }
	/^calls=/ { split($1, part, "="); calls[callee] += part[2]; is_call = 1; next }
	/^[0-9]/  { if (is_call) inside[callee] += $NF; else own[fn] += $NF; is_call = 0 }
	END {
		for (f in calls) {
			if (what == "pair" && f ~ /^run_/)
				printf "%.1f", inside[f] / (calls[f] * pairs)
			if (what == "calls" && f ~ /^(nodelocal|null)_(alloc|free|kmalloc|kfree)$/)
				printf "| `%s` | %.0f |\n", f, own[f] / calls[f]
		}
	}' "$scratch/out"
}

echo '| instructions per pair, 64 bytes | pingpong | batch256 | churn4096 | bursts64 |'
echo '|---|---:|---:|---:|---:|'
while read -r arm library; do
	line="| $arm |"
	for pattern in 0 1 2 3; do
		count "$arm" $pattern "$library" || continue 2
		line="$line $(sums pair) |"
		if [ $pattern = 0 ]; then
			sums calls >>"$scratch/calls"
		fi
	done
	echo "$line"
done <<EOF
empty
ceiling
null-cache
null-kmalloc
nodelocal-cache
nodelocal-kmalloc
nodelocal-inline
glibc
jemalloc libjemalloc.so.2
mimalloc libmimalloc.so.2.0
tcmalloc libtcmalloc_minimal.so.4
EOF
echo
echo '| function | instructions per call |'
echo '|---|---:|'
sort "$scratch/calls"
