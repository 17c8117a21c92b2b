# SPDX-License-Identifier: GPL-2.0-only
# expect.sh, to be sourced by shell tests: a scratch folder $dir that goes away, a count of $failures,
# and commands held against the status and the words that they must end with.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
prefix=() # what stands before every command: prefix=("$numaslab" order)

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS WORDS COMMAND...: the status, and WORDS somewhere in what is printed, which lies in
# $dir/out and $dir/err. What is refused (2) says so in one line, and prints nothing else.
expect()
{
	local status=$1 words=$2 got
	shift 2
	set -- "${prefix[@]}" "$@"
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ $got = "$status" ] || fail "$* ended $got, not $status: $(cat "$dir/err")"
	cat "$dir/out" "$dir/err" | grep -qF -- "$words" || fail "$* does not say '$words'"
	[ "$status" != 2 ] || [ "$(wc -l <"$dir/err")" = 1 ] || fail "$*: more than one line"
	[ "$status" != 2 ] || [ ! -s "$dir/out" ] || fail "$*: output beside an error"
}
