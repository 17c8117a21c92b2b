#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# suite.sh [--all]: builds every configuration, runs its tests and sums up. A configuration that
# does not build counts as a failed test, and the others still run. Tests labelled `slow` run with
# --all only. Exit status 1: something failed, or a test of tests/required.txt was skipped.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
out=build/suite
jobs=$(nproc)
tier=(-LE '^slow$')
[ "${1:-}" = --all ] && tier=()
rm -rf "$out" && mkdir -p "$out" || exit 1

heading() { printf '\n=== %s\n' "$*"; }

build() {
	local begin=$SECONDS status=passed

	heading "$1: build"
	cmake --preset "$1" >"$out/$1.log" 2>&1 && cmake --build --preset "$1" >>"$out/$1.log" 2>&1 ||
		status=failed
	if [ $status = failed ]; then
		grep -v '^\[[0-9]*/[0-9]*\] ' "$out/$1.log" | tail -n 60
	else
		grep -E 'warning:|numaslab: ' "$out/$1.log"
	fi
	printf '%s\tbuild.%s\t%s\t%s\n' "$1" "$1" $status $((SECONDS - begin)) >>"$out/results.tsv"
	[ $status = passed ]
}

# check PRESET [WRAPPER...]: the preset's tests, each of which counts.
check() {
	local preset=$1

	shift
	heading "$preset: tests"
	"$@" ctest --preset "$preset" -j "$jobs" ${tier[@]+"${tier[@]}"} \
		--output-junit "$PWD/$out/$preset.xml" >"$out/$preset.txt" 2>&1
	if [ $? = 0 ]; then
		tail -n 4 "$out/$preset.txt"
	else
		cat "$out/$preset.txt"
	fi
	awk -v run="$preset" -f tests/support/junit.awk "$out/$preset.xml" >"$out/rows" 2>/dev/null
	[ -s "$out/rows" ] ||
		printf '%s\tctest\tfailed\t0\tno test ran\n' "$preset" >"$out/rows"
	cat "$out/rows" >>"$out/results.tsv"
}

# ThreadSanitizer of gcc 12 refuses address spaces that are randomised by more than 28 bits.
fixed=()
setarch -R true 2>/dev/null && fixed=(setarch -R)

build ci && check ci
build asan && check asan
build tsan && check tsan ${fixed[@]+"${fixed[@]}"}
build clang
build no-libperf && check no-libperf

heading summary
awk -v required=tests/required.txt -f tests/support/summary.awk "$out/results.tsv"
