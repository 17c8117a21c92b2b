#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab import and trace info: every event of the recorded texts arrives, and bad input is told in one line.
# usage: test_import.sh NUMASLAB TRACES CORPUS (recorded texts; small ones in every form)
set -u
numaslab=$1 traces=$2 corpus=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

fail() { echo "FAILED: $*"; failed=1; }

# number KEY FILE: the first number of that key in a JSON text, or null.
number() { sed -nE "s/^ *\"$1\": ([0-9.]+|null),?$/\1/p" "$2" | head -n 1; }

# Each event of the text is in the trace, and 16 bytes are enough for one.
check_counts() {
	local text=$1 name=$2 event nr nr_events=0

	"$numaslab" import "$text" -o "$dir/$name" 2>"$dir/err" || { fail "$name: $(cat "$dir/err")"; return; }
	grep -q 'skipped' "$dir/err" && fail "$name: lines were skipped"
	"$numaslab" trace info --json "$dir/$name" >"$dir/json" || fail "$name: no info"
	for event in kmem_cache_alloc kmem_cache_free kmalloc kfree; do
		nr=$(zcat -f "$text" | grep -c " \(kmem:\)\?$event: call_site")
		[ "$(number $event "$dir/json")" = "$nr" ] ||
			fail "$name: $event is $(number $event "$dir/json"), the text has $nr"
		nr_events=$((nr_events + nr))
	done
	[ "$2" != small ] || return
	[ "$(stat -c %s "$dir/$name")" -le $((16 * nr_events)) ] || fail "$name: more than 16 bytes an event"
	"$numaslab" trace info "$dir/$name" >"$dir/text" || fail "$name: no text"
	awk 'length > 80 {exit 1}' "$dir/text" || fail "$name: wider than 80 columns"
	grep -q '^What this trace cannot show' "$dir/text" || fail "$name: nothing on what it cannot show"
}

# Exit status 2 and one line on stderr that holds WORDS: refuse WORDS COMMAND...
refuse() {
	local words=$1 status

	shift
	"$numaslab" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ $status = 2 ] || fail "$*: exit status $status"
	[ "$(wc -l <"$dir/err")" = 1 ] || fail "$*: not one line: $(cat "$dir/err")"
	grep -q -- "$words" "$dir/err" || fail "$*: no '$words' in: $(cat "$dir/err")"
	[ ! -e "$dir/never" ] || fail "$*: left a file"
}

for text in "$traces"/*.gz; do
	name=$(basename "$text" .trace.gz)
	check_counts "$text" "$name"
	zcat "$text" | "$numaslab" import - -o "$dir/piped" 2>/dev/null
	cmp -s "$dir/piped" "$dir/$name" || fail "$name: plain text gives another trace"
done
# what the recording machine's text itself shows: frees on the other CPU, frees of NULL
"$numaslab" trace info --json "$dir/kmem-filetree" >"$dir/json"
[ "$(number null_frees "$dir/json")" = "$(zcat "$traces/kmem-filetree.trace.gz" | grep -c 'kfree: .*ptr=(nil)')" ] ||
	fail "frees of NULL: $(number null_frees "$dir/json")"
[ "$(number mm_page_alloc "$dir/json")" = null ] || fail "pages were not recorded, which is not 0"
[ "$(number cross_node_share "$dir/json")" = null ] || fail "nodes are not known, a share is told"

for text in "$corpus"/*.txt; do
	check_counts "$text" small
done
"$numaslab" import "$corpus/tracefs-6.1-pages.txt" -o "$dir/pages" 2>/dev/null
"$numaslab" trace info --json "$dir/pages" >"$dir/json"
[ "$(number mm_page_alloc "$dir/json")" = 1 ] && [ "$(number mm_page_free "$dir/json")" = 2 ] || fail "pages"
grep -q '"name": "names_cache"' "$dir/json" || fail "a free names the cache of an allocation without a name"
"$numaslab" import "$corpus/tracefs-6.18.txt" -o "$dir/tracefs" 2>/dev/null
"$numaslab" trace info --json "$dir/tracefs" >"$dir/json"
[ "$(number lost "$dir/json")" = 125 ] || fail "lost events: $(number lost "$dir/json"), not 2 + 123"
grep -q '"site": "ext4_htree+0x20 \[ext4\]"' "$dir/json" || fail "a call site keeps its module, not its size"

# bad texts
good="$corpus/perf-6.18.txt" never="$dir/never"
{ cat "$good"; echo 'what is this'; } >"$dir/unknown.txt"
refuse "line 7: no CPU and time: 'what is this'" import "$dir/unknown.txt" -o "$never"
"$numaslab" import --skip-unknown "$dir/unknown.txt" -o "$dir/skipped" 2>&1 | grep -q '1 unknown lines skipped' ||
	fail "unknown lines are not counted"
sed '3s/bytes_req=4096/bytes_req=99999999999999999999/' "$good" >"$dir/absurd.txt"
refuse 'line 3: its fields' import "$dir/absurd.txt" -o "$never"
sed '2s/kfree/sched_switch/' "$good" >"$dir/event.txt"
refuse "line 2: unknown event" import "$dir/event.txt" -o "$never"
{ cat "$good"; for i in $(seq 1 2100); do sed -n '2s/1821/1900/p' "$good"; done; head -n 1 "$good"; } \
	>"$dir/late.txt"
refuse 'late; sort the events' import "$dir/late.txt" -o "$never"
: >"$dir/empty"
refuse 'holds no event' import "$dir/empty" -o "$never"
head -c 5000 "$traces/kmem-filetree.trace.gz" >"$dir/cut.gz"
refuse 'gzip data are truncated' import "$dir/cut.gz" -o "$never"
head -c 2000000 /dev/zero | tr '\0' x >"$dir/long"
refuse 'line 1: longer than' import "$dir/long" -o "$never"
refuse 'No such file' import "$dir/none" -o "$never"
refuse 'regular file' import "$good" -o /dev/null
refuse "'-o FILE'" import "$good"

# bad traces
trace="$dir/kmem-filetree"
refuse 'at byte 0: the file is empty' trace info "$dir/empty"
refuse 'at byte 0: no trace' trace info "$good"
head -c 300000 "$trace" >"$dir/cut"
refuse 'at byte 300000: .*truncated' trace info "$dir/cut"
{ head -c 70000 "$trace"; printf x; tail -c +70002 "$trace"; } >"$dir/damaged"
refuse 'at byte 49232: the block is damaged' trace info "$dir/damaged"
{ head -c 8 "$trace"; printf '\7'; tail -c +10 "$trace"; } >"$dir/version"
refuse 'version 7, this numaslab reads 1' trace info "$dir/version"
refuse 'regular file' trace info "$dir"
refuse "takes 'info' or 'fidelity' and one trace" trace "$trace"
exit $failed
