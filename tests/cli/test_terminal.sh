#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_terminal.sh NUMASLAB: what a person at a terminal sees: first steps, guesses, colours, how much
# is said, and what Ctrl-C does. A terminal is made by script(1).
set -u
numaslab=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
nr_failed=0
unset NO_COLOR NUMASLAB_RUNS
tiny=(quick workload=pingpong allocator=slub,slab size=64 threads=1 blocks=2 windows=2 window_ms=1 warmup_ms=1
	invalidate=off --no-plots)

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# expect STATUS TEXT COMMAND...: what it says on stderr, which is one line
expect() {
	local status=$1 text=$2 got
	shift 2
	"$@" >out 2>err
	got=$?
	[ $got = "$status" ] && grep -qF -- "$text" err && [ "$(wc -l <err)" = 1 ] ||
		fail "$*: status $got, wanted $status and '$text': $(cat err)"
}

# ---- the first steps, on stderr since nothing was asked for
"$numaslab" >out 2>err
[ $? = 2 ] || fail "no argument is not a wrong usage"
[ ! -s out ] || fail "no argument prints data"
[ "$(grep -c '^  [a-z]' err)" = 5 ] || fail "not five commands: $(cat err)"
for command in $(awk '/^  [a-z]/ {print $1}' err); do
	"$numaslab" "$command" --help >out 2>err || fail "$command --help ends $?"
	grep -q "^usage: numaslab $command" out || fail "$command --help says $(head -n 1 out)"
done

# ---- mistyped
expect 2 "did you mean 'run'" "$numaslab" rnu
expect 2 "did you mean '--quiet'" "$numaslab" run --queit
expect 2 "did you mean 'quick'" "$numaslab" run quikc
expect 2 "did you mean 'size'" "$numaslab" run sise=64
expect 2 "did you mean 'slub'" "$numaslab" help slbu
expect 2 "did you mean 'keys'" "$numaslab" help kyes
expect 2 "there are bash, zsh, fish" "$numaslab" help --completion tcsh
expect 2 "no page 'rnu'" "$numaslab" help --man rnu

# ---- how much is said
"$numaslab" run "${tiny[@]}" -o quiet --quiet >out 2>err || fail "--quiet ends $?"
[ "$(cat err)" = "results: quiet" ] || fail "--quiet says $(cat err)"
"$numaslab" run "${tiny[@]}" -o verbose --verbose >out 2>err || fail "--verbose ends $?"
nr_trials=$("$numaslab" verify verbose 2>&1 | grep -oE '[0-9]+ trials' | grep -oE '[0-9]+')
[ "$(grep -cE '^block [01] .* [0-9.]+ ns/op' err)" = "${nr_trials:-none}" ] ||
	fail "--verbose does not tell each of $nr_trials trials: $(cat err)"
expect 2 "no cell that was compared matches 'salb', did you mean 'slab'" "$numaslab" compare verbose --primary salb

# ---- colours: on a terminal only, and not where they are not wanted
escape=$(printf '\033')
"$numaslab" rnu 2>err
grep -q "$escape" err && fail "colours in a file"
if ! command -v script >/dev/null; then
	echo "not checked: there is no script(1) to make a terminal"
else
	at_terminal() { script -qec "$*" /dev/null </dev/null >seen 2>&1; }
	TERM=xterm at_terminal "$numaslab rnu"
	grep -q "$escape\[31mnumaslab:$escape\[0m unknown command" seen || fail "no colour on a terminal: $(cat -v seen)"
	TERM=xterm NO_COLOR=1 at_terminal "$numaslab rnu"
	grep -q "$escape" seen && fail "NO_COLOR is not honoured"
	TERM=xterm NO_COLOR= at_terminal "$numaslab rnu"
	grep -q "$escape" seen || fail "an empty NO_COLOR takes the colours away"
	TERM=dumb at_terminal "$numaslab rnu"
	grep -q "$escape" seen && fail "colours on a dumb terminal"
	TERM=dumb at_terminal "$numaslab run ${tiny[*]} -o bar"
	grep -qE $'\r\[[# ]{20}\] [0-9]+/[0-9]+ [0-9.]+/s [0-9]+:[0-9]{2} left ' seen || fail "no bar on a terminal: $(cat -v seen)"
fi

# ---- Ctrl-C: a second one does not wait for the trial in hand, and takes it along
"$numaslab" run "${tiny[@]}" windows=1 window_ms=50000 time_limit_s=100 -o twice >out 2>err &
run=$!
trial=
for _ in $(seq 300); do
	trial=$(cat /proc/$run/task/$run/children 2>/dev/null)
	[ -z "$trial" ] || [ ! -e twice/run.db ] || break
	sleep 0.1
done
[ -n "$trial" ] || fail "no trial was started: $(cat err)"
kill -INT $run
for _ in $(seq 100); do
	grep -q 'once more ends at once' err && break
	sleep 0.1
done
grep -q 'once more ends at once' err || fail "the first Ctrl-C is not answered: $(cat err)"
kill -0 $run 2>/dev/null || fail "the first Ctrl-C does not wait for the trial in hand"
kill -INT $run
wait $run
[ $? = 130 ] || fail "the second Ctrl-C ends it with $?, not 130"
# a dead one may wait for whoever adopted it
lives() { grep -q '^State:[[:space:]]*[^ZX]' "/proc/$1/status" 2>/dev/null; }
for _ in $(seq 100); do
	lives "$trial" || break
	sleep 0.1
done
! lives "$trial" || fail "the trial lives on"
[ $nr_failed = 0 ]
