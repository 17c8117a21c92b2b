#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# faulty.sh NUMASLAB PLUGIN CHECK PATTERN: `check --plugin` must fail the plug-in in CHECK, with a text
# that matches PATTERN, must still tell about every other check, and must exit 1.
numaslab=$1 plugin=$2 check=$3 pattern=$4
lines=$("$numaslab" check --plugin "$plugin" 2>/dev/null)
status=$?
printf '%s\n' "$lines"
if [ $status -ne 1 ]; then
	echo "exit status $status, expected 1" >&2
	exit 1
fi
if ! grep -qE "^faulty +fail +$check +.*($pattern)" <<<"$lines"; then
	echo "no line fails '$check' with '$pattern'" >&2
	exit 1
fi
expected=$("$numaslab" check slub 2>/dev/null | wc -l)
if [ "$(wc -l <<<"$lines")" -ne "$expected" ]; then
	echo "$(wc -l <<<"$lines") lines, expected $expected: a check is missing" >&2
	exit 1
fi
