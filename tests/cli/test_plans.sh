#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Plans every shipped plan on every shared topology, and on shapes that nobody ships.
# usage: test_plans.sh NUMASLAB PLANS_FOLDER SHARED_FOLDER TRACE
set -u
numaslab=$1
plans=$2
shared=${NUMASLAB_SHARED:-$3}
trace=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail()
{
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# A plan on a topology: the table ends with trials and a duration, plan.json has as many trials,
# and a second time gives the same bytes.
plan_on()
{
	local plan=$1
	shift
	local table json trials

	case $plan in
	*/replay.ini) set -- "$@" trace="$trace" ;; # it ships without one
	esac

	table=$("$numaslab" plan "$plan" "$@" 2>"$scratch/err") || {
		# a plan of pairs has nothing to run on one PU, and says so
		[[ "$*" == *pu:1 ]] && grep -q 'no cell can run here' "$scratch/err" && return
		fail "$plan $*: $(cat "$scratch/err")"
		return
	}
	"$numaslab" plan "$plan" "$@" --json >"$scratch/a.json" || fail "$plan $* --json"
	"$numaslab" plan "$plan" "$@" --json >"$scratch/b.json"
	cmp -s "$scratch/a.json" "$scratch/b.json" || fail "$plan $*: plan.json differs"
	trials=$(sed -n 's/^  "trials": \([0-9]*\),$/\1/p' "$scratch/a.json")
	[ "${trials:-0}" -gt 0 ] || fail "$plan $*: no trial in plan.json"
	case $table in
	*" $trials trials of "*", about "*) ;;
	*) fail "$plan $*: the table does not tell of $trials trials" ;;
	esac
}

# A command line that is wrong: exit 2, one line on stderr with these words, nothing on stdout.
refused()
{
	local word=$1 status
	shift
	"$numaslab" plan "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
	[ "$status" -eq 2 ] || fail "plan $*: exit $status, not 2"
	[ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "plan $*: $(cat "$scratch/err")"
	[ -s "$scratch/out" ] && fail "plan $*: wrote to stdout"
	grep -qF -- "$word" "$scratch/err" || fail "plan $*: '$word' not in $(cat "$scratch/err")"
}

shipped=0
for plan in "$plans"/*.ini; do
	shipped=$((shipped + 1))
	plan_on "$plan"
	plan_on "$plan" --sim-nodes 2
	plan_on "$plan" --synthetic "pu:1"
	plan_on "$plan" --synthetic "package:2 node:2 core:4 pu:2"
done
[ "$shipped" -ge 6 ] || fail "only $shipped plans in $plans"

# the name alone finds the shipped plan; numbers can be overridden
cd "$plans/../.." || exit 1
"$numaslab" plan | grep -q "6 blocks, 228 trials of 20 windows of 10 ms" ||
	fail "quick is not 228 trials: $("$numaslab" plan | tail -1)"
"$numaslab" plan quick blocks=3 size=64 | grep -q "3 blocks, 75 trials" ||
	fail "quick blocks=3 size=64: $("$numaslab" plan quick blocks=3 size=64 | tail -1)"

refused "did you mean 'quick'" quikc
refused "command line: '0' is not a value for 'blocks'" quick blocks=0
refused "did you mean 'blocks'" quick block=1
refused "cannot open plan" "$scratch/none.ini"
refused "one plan at a time" quick full
refused "not both" quick --xml a --synthetic b
refused "0..256" quick --sim-nodes 1000
refused "slub" quick allocator=slbu

topologies=0
for xml in "$shared"/data/topologies/*.xml; do
	[ -e "$xml" ] || break
	topologies=$((topologies + 1))
	for plan in "$plans"/*.ini; do
		plan_on "$plan" --xml "$xml"
	done
done

[ "$failures" -eq 0 ] || exit 1
if [ "$topologies" -eq 0 ]; then
	echo "skipped: no topologies in $shared/data/topologies (NUMASLAB_SHARED names the folder)"
	exit 77
fi
echo "$shipped plans on $topologies topologies"
