#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# debug_tools.sh VICTIM TOOL SANITIZE: what ASan or Valgrind (TOOL: asan, valgrind) makes of each planted
# fault. A build with a sanitizer cannot run under Valgrind, and ASan is only in a build with it.
victim=$1 tool=$2 sanitize=$3
nr_failed=0

skip() {
	echo "skip: $*"
	exit 77
}

# expect FAULT PATTERN: the output of the victim has PATTERN; without one there is no output.
expect() {
	local said

	said=$("${run[@]}" "$victim" "$1" 2>&1)
	if [ -n "$2" ] && ! grep -qE "$2" <<<"$said" || [ -z "$2" ] && [ -n "$said" ]; then
		printf "failed: %s under %s: wanted '%s', got:\n%s\n" "$1" "$tool" "$2" "$said"
		nr_failed=$((nr_failed + 1))
	fi
}

case $tool in
asan)
	[[ $sanitize == *address* ]] || skip "this build is without ASan (NUMASLAB_SANITIZE=address)"
	run=(env ASAN_OPTIONS=detect_leaks=0)
	expect none ''
	expect overrun 'AddressSanitizer: use-after-poison'
	expect read-after-free 'AddressSanitizer: use-after-poison'
	;;
valgrind)
	[ -z "$sanitize" ] || skip "a program with sanitizers does not run under valgrind"
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	valgrind -q true 2>/dev/null || skip "valgrind does not run here"
	run=(valgrind -q)
	expect none ''
	expect uninitialised 'Conditional jump or move depends on uninitialised value'
	expect uninitialised '^debug: valgrind: 1 new uses of uninitialised or freed memory'
	expect overrun 'Invalid write of size 1'
	expect overrun '^debug: overrun: 1 bytes behind 100 bytes'
	expect read-after-free 'Invalid read of size 1'
	expect read-after-free '^debug: valgrind: 1 new uses of uninitialised or freed memory'
	;;
esac
[ $nr_failed = 0 ]
