#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Self-tests from the command line: what is wrong is refused, what runs ends with a verdict and the
# status that goes with it. Nothing here says which verdict a run gets: that depends on the host.
# usage: test_selftest.sh NUMASLAB PLANS_FOLDER
set -u
numaslab=$1
export NUMASLAB_PLANS=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
cd "$scratch" || exit 1

fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# refused WORD COMMAND...: exit 2, one line with the word
refused()
{
	local word=$1 status
	shift
	"$numaslab" "$@" >out 2>err
	status=$?
	[ "$status" -eq 2 ] || fail "$*: exit $status, not 2"
	[ "$(wc -l <err)" -eq 1 ] || fail "$*: $(cat err)"
	grep -qF -- "$word" err || fail "$*: '$word' not in $(cat err)"
}

# judged NAME ARGUMENTS...: a verdict as text and the status of that verdict; 80 columns
judged()
{
	local name=$1 status verdict
	shift
	"$numaslab" selftest "$name" "$@" >out 2>err
	status=$?
	verdict=$(sed -n "s/^$name: \([A-Z]*\): .*/\1/p" out)
	case $verdict:$status in
	PASS:0 | FAIL:1 | NOISY:3 | UNPROVED:77) ;;
	*) fail "selftest $name $*: '$verdict' with exit $status: $(cat out err)" ;;
	esac
	awk 'length($0) > 80 { bad = 1 } END { exit bad }' out || fail "$name: wider than 80"
}

# key NAME FILE: the value of a key at the top of a JSON object
key() { sed -n "s/^ \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$2"; }

refused "there are aa, inject, timer" selftest
refused "did you mean 'inject'" selftest injct
refused "overrides look like" selftest aa more
refused "6 or more blocks" selftest aa --blocks 5
refused "6 or more blocks" selftest inject --blocks 5
refused "1 to 100 per cent" selftest inject --pct 0
refused "6 or more blocks" selftest overhead --blocks 1
refused "cannot open" selftest aa --from nowhere
refused "--precision" calibrate --precision 0
refused "--precision" calibrate --precision 1x
refused "--processes" calibrate --processes 1
refused "one plan at a time" calibrate quick full

short="windows=2 window_ms=1 warmup_ms=1"
judged placement
judged timer
# shellcheck disable=SC2086
judged aa $short --contrasts 2 --blocks 6 --output aa
grep -q 'of 2 ' out || fail "aa does not tell of 2 contrasts: $(cat out)"
# the same run again gives the same figures
"$numaslab" selftest aa --contrasts 2 --blocks 6 --from aa >again 2>err
cmp -s out again || fail "--from: $(diff out again)"
"$numaslab" selftest aa --contrasts 2 --blocks 6 --from aa --json >json 2>err
[ "$(key selftest json)" = aa ] || fail "aa --json: $(cat json)"
[ "$(key blocks json)" = 6 ] || fail "aa --json: $(cat json)"
# more contrasts than there are blocks: too many lack a trial
"$numaslab" selftest aa --contrasts 20 --blocks 6 --from aa >out 2>err
[ $? -eq 3 ] || fail "aa of a short run: $(cat out)"
# shellcheck disable=SC2086
judged aa $short --contrasts 1 --blocks 6 --hog --output hog
# shellcheck disable=SC2086
judged inject $short --blocks 6 --pct 50 --output inject
refused "no arm" selftest inject --from aa
# shellcheck disable=SC2086
judged overhead $short --blocks 6

# shellcheck disable=SC2086
"$numaslab" calibrate selftest-aa $short --processes 3 >out 2>err || fail "calibrate: $(cat err)"
awk 'length($0) > 80 { bad = 1 } END { exit bad }' out || fail "calibrate: wider than 80"
grep -q '2 windows in 3 processes' out || fail "calibrate: $(cat out)"
# shellcheck disable=SC2086
"$numaslab" calibrate selftest-aa $short --processes 3 --json >json 2>err || fail "calibrate --json"
grep -q '"processes": 3' json || fail "calibrate --json: $(cat json)"

[ "$failures" -eq 0 ] || exit 1
