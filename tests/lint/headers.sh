#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# headers.sh ROOT [COMPILER...]: every public header compiles alone, under strict flags, by each
# compiler; every header of the pipeline compiles alone too, by the first one.
. "$(dirname "$0")/common.sh" "$1"
shift
[ $# -gt 0 ] || set -- gcc
strict='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
wide=
[ "$(uname -m)" != x86_64 ] || wide=-mcx16

# alone COMPILER FILE NAME FLAG...: a source that holds nothing but the include of NAME.
alone() {
	local compiler=$1 file=$2 name=$3

	shift 3
	printf '#include <%s>\n' "$name" | "$compiler" "$@" -fsyntax-only -x c - 2>&1 |
		awk -v what="$file:1: does not compile alone by $compiler: " \
			'/error:/ {print what $0; exit}'
}

{
	for header in $(sources 'include/numaslab/*.h'); do
		for compiler; do
			alone "$compiler" "$header" "${header#include/}" $strict -Iinclude
		done
	done
	for header in $(sources '*.h' | grep -vE '^(include|tests|examples)/'); do
		alone "$1" "$header" "$header" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $wide -I. -Iinclude
	done
} | finish
