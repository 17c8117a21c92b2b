#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# text.sh ROOT: how files open, and what must not stand in them.
here=$(readlink -f "$(dirname "$0")")
. "$here/common.sh" "$1"

# complain WHY: grep's file:line:text as file:line: WHY
complain() { sed -E "s/^([^:]+:[0-9]+):.*/\1: $1/"; }

{
	c_files | xargs -r awk -f "$here/opening.awk"
	c_files | xargs -r grep -nP '[^\x00-\x7F]' /dev/null | complain 'not ASCII'
	c_files | xargs -r grep -nE '\btypedef[[:space:]]+(struct|union|enum)\b' /dev/null |
		complain 'a typedef hides a struct, union or enum'
	c_files | xargs -r grep -nE '[[:space:]]+$' /dev/null | complain 'ends in white space'
	sources . ':!tests/lint' | xargs -r grep -InE '\b(TODO|FIXME|XXX)\b' /dev/null |
		grep -vE '\b(TODO|FIXME|XXX)\(#[0-9]+\)' | complain 'a mark without its issue: write it as MARK(#7)'
	sources . ':!LICENSE' | xargs -r grep -InE '(^|[^[:alnum:]_.])/(root|home|work|farm)/' /dev/null |
		complain 'a path of one machine'
} | finish
