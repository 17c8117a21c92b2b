#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab record on this host: what a trace of a small command holds, how a recording ends, what is said
# when it cannot begin, and that no tracing instance is left behind. All of it in a mount namespace of
# its own, where tracefs is mounted if the host has it not.
# usage: test_record.sh NUMASLAB
set -u
numaslab=$1
tracing=/sys/kernel/tracing
if [ -z "${RECORD_NAMESPACE:-}" ]; then
	RECORD_NAMESPACE=1 unshare -m true 2>/dev/null && RECORD_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
dir=$(mktemp -d) || exit 1
child=
trap '[ -z "$child" ] || kill -9 "$child" 2>/dev/null; rm -rf "$dir"' EXIT
chmod 755 "$dir"
trace=$dir/trace
failures=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

finish()
{
	[ $failures = 0 ] || exit 1
	[ $# = 0 ] || { echo "skip: $*"; exit 77; }
	exit 0
}

# expect STATUS WORDS OPTIONS...: the status of record, and WORDS somewhere on stderr
expect()
{
	local status=$1 words=$2 got

	shift 2
	rm -f "$trace"
	"$numaslab" record -o "$trace" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got = "$status" ] || fail "record $* ended $got, not $status: $(cat "$dir/err")"
	grep -qF -- "$words" "$dir/err" || fail "record $* does not say '$words': $(cat "$dir/err")"
	[ "$status" != 2 ] || [ ! -e "$trace" ] || fail "record $*: a trace beside an error"
	ls "$trace".* >/dev/null 2>&1 && fail "record $* leaves $(ls "$trace".*)"
	return 0
}

# figure NAME: of the JSON in out
figure() { sed -n "s/^ \"$1\": \(.*[^,]\),*\$/\1/p" "$dir/out"; }

expect 2 'nothing to record'
expect 2 "option '--seconds' takes 1..86400, not 0" --seconds 0
expect 2 "give --seconds or a command, not both ('ls')" --seconds 1 -- ls
expect 2 "option '--buffer' takes 1..4096 MiB, not 4097" --buffer 4097 -- ls
if "$numaslab" record -o "$trace" -- true 2>&1 | grep -q 'built without libtracefs'; then
	expect 2 'built without libtracefs' -- true
	finish "this build has no libtracefs"
fi

[ -d $tracing ] || { expect 2 'no tracing in this kernel' -- true; finish "no $tracing"; }
if [ "$(id -u)" != 0 ]; then
	expect 2 'as root: mount -t tracefs' -- true 2>/dev/null
	failures=0
	finish "not root"
fi
unshare -m true 2>/dev/null || finish "no mount namespaces: unshare -m is refused"
mount --make-rprivate / || finish "cannot make mounts private"
while grep -q " $tracing tracefs" /proc/mounts && umount $tracing; do :; done
grep -q ' tracefs ' /proc/mounts || expect 2 "as root: mount -t tracefs nodev $tracing" -- true
mount -t tracefs nodev $tracing || finish "tracefs cannot be mounted"
[ -d $tracing/events/kmem/kmalloc ] || finish "this kernel has no kmem events"

# a trace of something that allocates
expect 0 ' events in ' --json -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done'
[ "$(figure events)" -gt 1000 ] || fail "nine programs made $(figure events) events"
[ "$(figure lost_events)" = 0 ] || fail "lost $(figure lost_events) of $(figure events) events"
[ "$(figure command_status)" = 0 ] || fail "command_status is $(figure command_status)"
[ "$(figure file_bytes)" = "$(stat -c %s "$trace")" ] || fail "file_bytes is $(figure file_bytes)"
events=$(figure events)
"$numaslab" trace info --json "$trace" >"$dir/info" 2>"$dir/err" || fail "trace info: $(cat "$dir/err")"
sum=$(awk '/^ "events": {/ {on = 1; next} /^ }/ {on = 0} on {sum += $2; nr++} END {print nr ": " sum}' "$dir/info")
[ "$sum" = "6: $events" ] || fail "trace info has kinds and events $sum, record said $events"
grep -q '^ "lost": 0,$' "$dir/info" || fail "trace info: $(grep '"lost"' "$dir/info")"
for kind in kmalloc kfree kmem_cache_alloc kmem_cache_free mm_page_alloc mm_page_free; do
	grep -q "^  \"$kind\": [1-9]" "$dir/info" || fail "no $kind in the trace of nine programs"
done

# the machinery of the comparison with the model; other load moves caches, so no bound is asked for
"$numaslab" trace fidelity --json "$trace" >"$dir/info" 2>"$dir/err"
status=$?
case $status in
0 | 1 | 77) ;;
*) fail "trace fidelity: status $status: $(cat "$dir/err")" ;;
esac
grep -q '^   "kernel_slabs": ' "$dir/info" || fail "trace fidelity compares no cache: $(cat "$dir/info")"

# how a command can end
expect 1 "'sh' ended with status 3" -- sh -c 'exit 3'
[ -s "$trace" ] || fail "no trace of a command that failed"
expect 1 "'sh' ended with status 137" -- sh -c 'kill -9 $$'
expect 2 "cannot run 'no-such-program': No such file" -- no-such-program
expect 0 ' events in ' --seconds 1
expect 2 "cannot write '$dir/none/trace': No such file" -o "$dir/none/trace" -- true

# Ctrl-C: what there is
rm -f "$trace"
"$numaslab" record -o "$trace" --seconds 600 2>"$dir/err" &
child=$!
while [ ! "$(cat $tracing/instances/numaslab-$child/tracing_on 2>/dev/null)" = 1 ]; do
	kill -0 $child 2>/dev/null || break
	sleep 0.1
done
kill -INT $child
wait $child
status=$?
[ $status = 0 ] && [ -s "$trace" ] || fail "Ctrl-C: status $status, $(cat "$dir/err")"

# killed: its instance is removed by the next one
"$numaslab" record -o "$trace" --seconds 600 2>"$dir/err" &
child=$!
while [ ! -d $tracing/instances/numaslab-$child ] && kill -0 $child 2>/dev/null; do sleep 0.1; done
kill -9 $child
wait $child 2>/dev/null
rm -f "$trace".*
[ -d $tracing/instances/numaslab-$child ] || fail "a killed recorder left no instance"
expect 0 ' events in ' -- true
[ ! -d $tracing/instances/numaslab-$child ] || fail "the instance of a killed recorder stays"
child=
for instance in $tracing/instances/numaslab-[0-9]*; do
	[ ! -d "$instance" ] || kill -0 "${instance##*-}" || fail "$instance is left"
done

# who may not
cp "$numaslab" "$dir/numaslab"
if setpriv --reuid 65534 --clear-groups "$dir/numaslab" record --help >/dev/null 2>&1; then
	mkdir -m 777 "$dir/open"
	setpriv --reuid 65534 --clear-groups "$dir/numaslab" record -o "$dir/open/trace" -- true \
		2>"$dir/err"
	status=$?
	[ $status = 2 ] || fail "nobody may record: status $status, $(cat "$dir/err")"
	grep -q 'cannot make a tracing instance in .*; recording needs root' "$dir/err" ||
		fail "nobody is told: $(cat "$dir/err")"
	[ -z "$(ls "$dir/open")" ] || fail "nobody leaves $(ls "$dir/open")"
fi
finish
