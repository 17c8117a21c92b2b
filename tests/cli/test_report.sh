#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cli.report: test_report.sh NUMASLAB MAKE_RUN CHECK: reports of made-up runs; CHECK (check_page.py)
# reads a page as a browser would.
set -u
numaslab=$1
make_run=$2
check=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# expect STATUS TEXT COMMAND...: exit status and a text in stdout and stderr together
expect() {
	local status=$1 text=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ "$rc" != "$status" ] || [[ "$out" != *"$text"* ]]; then
		fail "$*: status $rc, wanted $status with '$text':"
		echo "$out"
	fi
}

# page FOLDER BYTES: the page is well-formed, needs nothing from elsewhere, and is not too large
page() {
	python3 "$check" "$1/report.html" || fail "$1: the page"
	[ "$(wc -c <"$1/report.html")" -le "$2" ] || fail "$1: $(wc -c <"$1/report.html") bytes"
	for file in run.db cells.csv windows.csv plan.ini; do
		[ -s "$1/$file" ] || fail "$1: no $file"
	done
	ls "$1" | grep -q tmp && fail "$1: something is left over"
}

cd "$work" || exit 1
"$make_run" plain.db && "$make_run" odd.db odd blocks=6 && "$make_run" none.db blocks=0 &&
	"$make_run" cells.db families=29 blocks=12 || exit 1

expect 2 "report takes one run" "$numaslab" report plain.db
expect 2 "report takes one run" "$numaslab" report -o out
expect 2 "cannot open" "$numaslab" report missing.db -o out
expect 2 "cannot make folder" "$numaslab" report plain.db -o /proc/none
expect 0 "report [options] RUN -o DIR" "$numaslab" report --help

# without gnuplot: everything but the plots, and why
NUMASLAB_GNUPLOT=/no/such/program expect 0 "bare/report.html" "$numaslab" report plain.db -o bare
grep -q 'There are no plots: cannot run' bare/report.html || fail "no reason for missing plots"
page bare 200000

expect 0 "a b/c/report.html" "$numaslab" report plain.db -o "a b/c"
page "a b/c" 1000000
"$numaslab" export plain.db --csv | cmp - "a b/c/windows.csv" || fail "windows.csv"
"$numaslab" export "a b/c/run.db" --csv | cmp - "a b/c/windows.csv" || fail "the copy of the run"
NUMASLAB_GNUPLOT=/no/such/program expect 0 "none/report.html" "$numaslab" report none.db -o none
page none 200000
expect 0 "cells/report.html" "$numaslab" report cells.db -o cells
page cells 5000000

# names with a meaning
expect 0 "odd/report.html" "$numaslab" report odd.db -o odd
page odd 1000000
expect 0 "odd/report.md" "$numaslab" report odd.db -o odd --markdown
grep -q '^| workload=pingpong | \\<script\\>document' odd/report.md || fail "Markdown: no escaped arm"

if gnuplot --version >/dev/null 2>&1; then
	grep -q '<svg id="p1-svg" role="img" aria-label="Time per' "a b/c/report.html" ||
		fail "no picture in the page"
	grep -q '](plots/throughput.png)' odd/report.md || fail "Markdown: no picture"
	[ -s odd/plots/throughput.png ] || fail "Markdown: no file of a picture"
fi

# plots have been seen
export NUMASLAB_GNUPLOT=/no/such/program
# into the run's own folder: its file stays what it is
mkdir own && cp plain.db own/run.db
expect 0 "own/report.html" "$numaslab" report own -o own
cmp -s plain.db own/run.db || fail "the run's own file was changed"

# never over what is not this run
mkdir other && echo "something else" >other/run.db
expect 2 "another run is there" "$numaslab" report plain.db -o other
[ "$(cat other/*)" = "something else" ] || fail "another run's folder was changed"
expect 0 "own/report.html" "$numaslab" report plain.db -o own

# without templates: the tables, and why there are no plots
NUMASLAB_DATA_DIR=/no/such/folder expect 0 "plots are missing: " "$numaslab" report plain.db -o bare
grep -q 'There are no plots: .*/no/such/folder' bare/report.html || fail "no reason without templates"
exit $failed
