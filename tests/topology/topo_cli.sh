#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab topo as a user calls it: what goes to stdout, one line on stderr, exit statuses.
set -u
numaslab=$1
data=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# good ARGS: exit 0, something on stdout, nothing on stderr
good() {
	"$numaslab" topo "$@" >"$work/out" 2>"$work/err" || fail "topo $*: exit $?"
	[ -s "$work/err" ] && fail "topo $*: stderr: $(cat "$work/err")"
}

# bad WORD ARGS: exit 2, nothing on stdout, one line on stderr that holds WORD
bad() {
	local word=$1
	shift
	"$numaslab" topo "$@" >"$work/out" 2>"$work/err"
	local rc=$?
	[ $rc -eq 2 ] || fail "topo $*: exit $rc, not 2"
	[ -s "$work/out" ] && fail "topo $*: wrote to stdout"
	[ "$(wc -l <"$work/err")" -eq 1 ] || fail "topo $*: stderr: $(cat "$work/err")"
	grep -qF -- "$word" "$work/err" || fail "topo $*: no '$word' in: $(cat "$work/err")"
}

good
grep -q "PU" "$work/out" || fail "no PU in the picture"
good --json
grep -q '"this_machine": true' "$work/out" || fail "this machine is not this machine"
good --json --sim-nodes 3
grep -q '"simulated": true' "$work/out" || fail "--sim-nodes is not labelled"
good --synthetic 'pack:2 [numa] core:2 pu:2'
good --json --xml "$data/qemu-hmat-2n-2cxl-memcache.xml"
grep -q '"memory-side"' "$work/out" || fail "no memory-side cache"

good --xml "$data/qemu-hmat-2n-2cxl-memcache.xml" --export "$work/copy.xml"
[ -s "$work/out" ] && fail "--export wrote to stdout"
grep -q '</topology>' "$work/copy.xml" || fail "the exported file is not complete"
good --xml "$work/copy.xml"

head -c 5000 "$data/qemu-hmat-2n-2cxl-memcache.xml" >"$work/cut.xml"
: >"$work/empty.xml"
echo '<topology version="3.0"></topology>' >"$work/new.xml"
echo '<topology version="2.0"><object type="Machine"/></topology>' >"$work/odd.xml"
bad "$work/cut.xml" --xml "$work/cut.xml"
bad "empty" --xml "$work/empty.xml"
bad "format 3" --xml "$work/new.xml"
bad "$work/odd.xml" --xml "$work/odd.xml"
bad "No such file" --json --xml "$work/none.xml"
bad "foo:3" --synthetic foo:3
bad "--sim-nodes" --sim-nodes 0x
bad "1..256" --sim-nodes 257
bad "give one" --xml "$work/copy.xml" --synthetic pu:2
bad "unexpected 'extra'" extra
bad "cannot write" --export "$work/none/t.xml"
bad "simulated" --sim-nodes 2 --export "$work/simulated.xml"
[ -e "$work/simulated.xml" ] && fail "a refused export left a file"
[ -e "$work/none" ] && fail "a refused export made a folder"

if [ -w /dev/full ]; then
	"$numaslab" topo >/dev/full 2>"$work/err" && fail "a full stdout is not noticed"
	bad "No space left" --export /dev/full
fi
[ $failures -eq 0 ] && echo "all good"
exit $((failures != 0))
