#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# fuzz.sh TARGET CORPUS SECONDS: runs a libFuzzer program from a copy of its corpus. What it finds
# stays in the working directory as crash-*, to become a file of the corpus with the fix.
set -u
[ -x "$1" ] || { echo "skipped: $1 was not built, no compiler has libFuzzer (libclang-rt-dev)"; exit 77; }
corpus=$(mktemp -d) || exit 1
trap 'rm -rf "$corpus"' EXIT
cp "$2"/* "$corpus" || exit 1
"$1" "$corpus" -max_total_time="$3" -seed=1 -max_len=16384 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
	-error_exitcode=1 \
	>"$corpus/log" 2>&1
status=$?
grep -E '^stat::(number_of_executed|peak)' "$corpus/log"
[ $status = 0 ] || tail -n 60 "$corpus/log"
exit $status
