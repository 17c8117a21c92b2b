#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# selftest.sh ROOT: each lint script is silent on a small clean tree, and finds what is planted there.
# That the whole of a script runs is seen by one violation of each of its rules.
here=$(readlink -f "$(dirname "$0")")
root=$(readlink -f "$1")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
nr_failed=0
# what is piped into plant counts in this shell
shopt -s lastpipe

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# plant SCRIPT FILE EXPECTED: stdin is the planted file; EXPECTED is found in the message about it.
plant() {
	local script=$1 file=$2 expected=$3 said status

	mkdir -p "$tree/$(dirname "$file")"
	cat >"$tree/$file"
	said=$("$here/$script.sh" "$tree")
	status=$?
	rm "$tree/$file"
	[ $status = 77 ] && { printf '%s\n' "$said"; exit 77; }
	[ $status = 1 ] && [[ $said =~ (^|$'\n')"$file":[0-9]+:' '.*"$expected" ]] ||
		fail "$script on $file: wanted '$expected', got status $status and '$said'"
	[ "$(wc -l <<<"$said")" = 1 ] || fail "$script on $file says more than one thing: $said"
}

lines() { yes "$2" | head -n "$1"; }

# opening TEXT: a .c that every rule accepts, then TEXT.
opening() {
	printf '/* SPDX-License-Identifier: GPL-2.0-only */\n'
	printf '/*\n * What it is. How it works. What it\n * leaves out.\n */\n'
	[ $# = 0 ] || printf '%b\n' "$1"
}

git init -q "$tree"
cp "$root/.clang-format" "$tree/"
mkdir -p "$tree"/{include/numaslab,core,topology}
printf '/* SPDX-License-Identifier: MIT */\n#include <stddef.h>\n' >"$tree/include/numaslab/good.h"
printf '/* SPDX-License-Identifier: GPL-2.0-only */\n' >"$tree/core/good.h"
opening '#include "core/good.h"\n#include "numaslab/good.h"\n\n#include <hwloc.h>\n
int nslab_good(void)\n{\n\treturn 0;\n}' >"$tree/topology/topology.c"
for script in headers layering format budgets text; do
	said=$("$here/$script.sh" "$tree") || [ $? = 77 ] || fail "$script on a clean tree: $said"
done

plant headers include/numaslab/bad.h 'does not compile alone by gcc' <<<'size_t nslab_bad(void);'
plant headers include/numaslab/bad.h 'sign' <<'E1'
static inline unsigned nslab_bad(int a)
{
	return a;
}
E1
plant headers core/bad.h 'does not compile alone by gcc' <<<'size_t nslab_bad(void);'

plant layering core/bad.c 'core/ may not include topology/' <<<'#include "topology/topology.h"'
plant layering core/bad.c 'core/ may not include cli/' <<<'  #  include "cli/command.h"'
plant layering include/numaslab/bad.h 'include/ may not include core/err.h' <<<'#include "core/err.h"'
plant layering allocators/bad.c 'allocators/ may not include core/registry.h' <<<'#include "core/registry.h"'
plant layering workloads/bad.c 'workloads/ may not include allocators/' <<<'#include "allocators/slub.h"'
plant layering workloads/bad.c 'workloads/ may not include pthread.h' <<<'#include <pthread.h>'
plant layering results/bad.c 'dlfcn.h is for core/registry.c only' <<<'#include <dlfcn.h>'
plant layering results/bad.c 'hwloc.h is for topology/' <<<'#include <hwloc.h>'
plant layering runner/exec.c 'perf/evlist.h is for runner/counters/ only' <<<'#include <perf/evlist.h>'
plant layering runner/bad.c 'no folder of the project holds' <<<'#include "utils/bad.h"'
plant layering utils/bad.c 'not in the layering table' <<<'#include "core/good.h"'

opening 'int  nslab_bad;' | plant format core/bad.c 'not as clang-format leaves it'

lines 801 '' | plant budgets core/bad.c 'lines of a .c: 801, at most 800'
lines 251 '' | plant budgets core/bad.h 'lines of a .h: 251, at most 250'
printf '%101s\n' '' | plant budgets core/bad.c 'columns: 101'
printf '%12s%s\n' '' '' | tr ' ' '\t' | sed 's/$/12345/' | plant budgets core/bad.c 'columns: 101'
{ echo '{'; lines 79 ''; echo '}'; } | plant budgets core/bad.c 'lines of a function: 81'

printf 'int a;\n' | plant text include/numaslab/bad.h 'SPDX'
opening | sed '1s/GPL-2.0-only/MIT/' | plant text core/bad.c 'SPDX'
opening | sed 's/How it works[.]//' | plant text core/bad.c 'opens with 2 sentences'
opening 'int caf\xc3\xa9;' | plant text core/bad.c 'not ASCII'
opening 'typedef struct bad bad;' | plant text core/bad.c 'typedef'
opening 'int a; ' | plant text core/bad.c 'white space'
opening '/* TODO: later */' | plant text core/bad.c 'without its issue'
opening '/* TODO(#7): later */\n/* FIXME */' | plant text core/bad.c 'without its issue'
printf 'cd /%s/me\n' home | plant text bad.sh 'path of one machine'

# Nine functions of ten are short: 18 short ones and 2 long ones pass, a third long one does not.
{
	for i in $(seq 18); do printf '{\n}\n'; done
	for i in $(seq 3); do echo '{'; lines 49 ''; echo '}'; done
} >"$tree/core/bad.c"
"$here/budgets.sh" "$tree" | grep -q 'functions over 50 lines: 3, at most 2' ||
	fail "budgets does not count long functions"

[ $nr_failed = 0 ] && echo "every planted violation was found"
exit $((nr_failed > 0))
