#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab env as users call it, on made-up servers: statuses, one-line errors, 80 columns, JSON, and a tune
# that is taken back to the byte.
# usage: test_env.sh NUMASLAB MAKE-SYSROOTS
set -u
numaslab=$1
make=$2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export XDG_STATE_HOME=$dir/state
failures=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS WORDS OPTIONS...: the status, and WORDS somewhere in what is printed
expect()
{
	local status=$1 words=$2 got
	shift 2
	"$numaslab" env "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got = "$status" ] || fail "env $* ended $got, not $status: $(cat "$dir/err")"
	cat "$dir/out" "$dir/err" | grep -qF -- "$words" || fail "env $* does not say '$words'"
	[ "$status" != 2 ] || [ "$(wc -l <"$dir/err")" = 1 ] || fail "env $*: more than one line"
}

# digest ROOT: names, modes, owners and bytes
digest()
{
	(cd "$1" && find . -printf '%P %m %U %G %y\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

narrow()
{
	local wide
	wide=$(awk 'length($0) > 80' "$dir/out")
	[ -z "$wide" ] || fail "wider than 80 columns: $wide"
}

bash "$make" "$dir" || exit 1

expect 0 '16 ok, 0 unknown' check --sysroot "$dir/good"
expect 0 'performance (4 files)' show --sysroot "$dir/good"
narrow
for server in intel amd; do
	expect 1 'fix: numaslab env tune' check --sysroot "$dir/$server"
	narrow
	expect 0 'warn    governor' show --sysroot "$dir/$server"
	narrow
done
mkdir "$dir/empty"
expect 0 '0 ok' check --sysroot "$dir/empty"
grep -q 'not to be read here' "$dir/out" || fail "unknown is not told apart"
narrow

expect 0 '"root"' show --sysroot "$dir/intel" --json
expect 1 '"fix": "numaslab env tune"' check --sysroot "$dir/intel" --json
! grep -q '"state": "ok"' "$dir/out" || fail "check --json tells what is fine"

before=$(digest "$dir/intel")
expect 2 'give --yes' tune --sysroot "$dir/intel"
[ "$before" = "$(digest "$dir/intel")" ] || fail "tune wrote without being told to"
[ ! -e "$dir/state" ] || fail "tune left an undo file without being told to"
expect 0 'powersave -> performance' tune --sysroot "$dir/intel" --yes --smt off --max-latency 10
[ -s "$dir/state/numaslab/env-undo" ] || fail "no undo file"
[ "$before" != "$(digest "$dir/intel")" ] || fail "tune wrote nothing"
expect 0 'nothing to change' tune --sysroot "$dir/intel" --yes
expect 2 'is for root' reset --sysroot "$dir/amd"
expect 0 'restored' reset --sysroot "$dir/intel"
[ "$before" = "$(digest "$dir/intel")" ] || fail "reset did not restore the tree"
expect 2 'there is no undo file' reset --sysroot "$dir/intel"

echo 'numaslab undo 1' >"$dir/damaged"
expect 2 'damaged' reset --sysroot "$dir/intel" --undo "$dir/damaged"
expect 2 'damaged' tune --sysroot "$dir/intel" --undo "$dir/damaged" --yes
[ "$before" = "$(digest "$dir/intel")" ] || fail "a damaged undo file led to a write"
expect 1 'undo file' tune --sysroot "$dir/intel" --undo "$dir/damaged/x" --yes
[ "$before" = "$(digest "$dir/intel")" ] || fail "a tune without undo file wrote"
expect 2 'show, check, tune, reset' frobnicate
expect 2 'show, check, tune, reset'
expect 2 'show, check, tune, reset' show check
expect 2 "takes off, not 'on'" tune --sysroot "$dir/intel" --smt on
expect 2 'takes -1..4' tune --sysroot "$dir/intel" --perf 9
expect 2 'takes 0 or more' tune --sysroot "$dir/intel" --max-latency=-5
expect 2 'is for show and check' reset --json --sysroot "$dir/intel"
expect 2 'cannot open root' show --sysroot "$dir/none"

exit $((failures > 0))
