#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What `list` names, `help` describes, in 80 columns, and docs/workloads.md tells of every workload.
# usage: test_list.sh NUMASLAB DOCS
set -u
numaslab=$1
docs=$2
failures=0

fail()
{
	echo "FAILED: $*"
	failures=$((failures + 1))
}

narrow() { awk -v what="$1" 'length($0) > 80 { print what ": " length($0) " columns: " $0; bad = 1 } END { exit bad }'; }

"$numaslab" list >/dev/null || fail "list"
"$numaslab" list allocators workloads pages | narrow list || fail "list is too wide"
names() { "$numaslab" list "$1" | sed -n 's/^  \([a-z0-9_]\+\) .*/\1/p'; }
[ "$(names workloads | wc -l)" -ge 20 ] || fail "only $(names workloads | wc -l) workloads"
for kind in allocators workloads pages; do
	for name in $(names $kind); do
		"$numaslab" help "$name" >/dev/null || fail "help $name"
		"$numaslab" help "$name" | narrow "help $name" || fail "help $name is too wide"
	done
done
for name in $(names workloads); do
	grep -q "\*\*$name\*\*" "$docs/workloads.md" || fail "docs/workloads.md does not tell of $name"
done
# a command and a workload of one name are both told
"$numaslab" help list | grep -q '^usage: ' || fail "help list does not tell the command"
"$numaslab" help list | grep -q 'workload' || fail "help list does not tell the workload"
"$numaslab" help nothing 2>/dev/null
[ $? = 2 ] || fail "help of nothing is no usage error"
exit $((failures > 0))
