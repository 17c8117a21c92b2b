#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_install.sh CMAKE BUILD COMPILER SOURCE [SANITIZE_FLAGS]: an installed tree works from anywhere:
# run from another folder, plug-ins built against it by CMake and by pkg-config, pages and completions
# that know every command, and a version that an archive of the sources keeps.
set -u
cmake=$1 build=$2 compiler=$3 source=$4 sanitize=${5:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nr_failed=0
unset NUMASLAB_DATA_DIR NUMASLAB_PLANS NUMASLAB_GROUPS NUMASLAB_PLUGIN_PATH NUMASLAB_RUNS

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# must COMMAND...: without it nothing that follows makes sense
must() {
	"$@" >"$dir/log" 2>&1 || { cat "$dir/log"; echo "failed: $*"; exit 1; }
}

must "$cmake" --install "$build" --prefix "$dir/prefix"
prefix=$dir/prefix
numaslab=$prefix/bin/numaslab
share=$prefix/share
mkdir "$dir/elsewhere" && cd "$dir/elsewhere" || exit 1

# ---- plans, templates and groups of counters are found
must "$numaslab" run quick workload=pingpong allocator=slub,null size=64 threads=1 blocks=1 windows=2 \
	window_ms=1 warmup_ms=1
run=$(echo numaslab-runs/*)
[ -f "$run/run.db" ] || fail "no run below the working directory: $run"
[ -n "$(find "$run" -name "*.gp")" ] || fail "no plot was written: the templates are not found"
"$numaslab" help generic | grep -q 'group of counters' || fail "groups of counters are not found"

# ---- a plug-in outside, by CMake and by hand
cp -r "$share/doc/numaslab/examples/plugin-bump" bump
must "$cmake" -S bump -B bump/build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" \
	-DCMAKE_C_FLAGS="-Werror $sanitize"
must "$cmake" --build bump/build
flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name numaslab.pc)") pkg-config --cflags numaslab)
must $compiler -std=c11 -Wall -Wextra -Wpedantic -Werror -fPIC -shared $sanitize $flags bump/bump.c -o by-hand.so
for plugin in bump/build/bump.so ./by-hand.so; do
	"$numaslab" list allocators --plugin "$plugin" | grep -q '^ *bump ' || fail "$plugin is not listed"
	must "$numaslab" check --plugin "$plugin"
done

# ---- every command and every option has its line in a page
page() { gzip -dcf "$share"/man/man*/"$1"* | sed 's/\\-/-/g; s/\\f[BIR]//g'; }
commands=$("$numaslab" --help | awk '/^  [a-z]/ {print $1}')
[ "$(wc -w <<<"$commands")" -ge 18 ] || fail "--help lists few commands: $commands"
for command in $commands; do
	page numaslab.1 | grep -q "numaslab-$command (1)" || fail "numaslab(1) does not know $command"
	for option in $("$numaslab" "$command" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+'); do
		page "numaslab-$command.1" | grep -qE -e "$option( |\$)" || fail "no $option in the page of $command"
	done
done
page numaslab-keys.5 | grep -q '^.B window_ms' || fail "numaslab-keys(5) has no window_ms"
page numaslab-allocators.7 | grep -q '^.B slub.generation' || fail "numaslab-allocators(7) has no slub.generation"
for file in "$share"/man/man*/*; do
	gzip -dcf "$file" | head -n 1 | grep -qE '^\.TH NUMASLAB[-A-Z]* [157] ' || fail "$file has no title"
	! command -v groff >/dev/null || [ -z "$(gzip -dcf "$file" | groff -man -ww -Tutf8 2>&1 >/dev/null)" ] ||
		fail "groff warns of $file"
done

# ---- completion: complete LINE WANTED: the words that bash offers, without starting any process
cat >complete.bash <<'TEXT'
. "$1"
PATH=/nonexistent COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_numaslab
printf '%s\n' "${COMPREPLY[*]}"
TEXT
complete() {
	local got
	got=$(bash complete.bash "$share/bash-completion/completions/numaslab" "$1" 2>&1)
	[ "$got" = "$2" ] || fail "'$1' completes to '$got', not to '$2'"
}
complete 'numaslab comp' compare
complete 'numaslab run --out' --output
complete 'numaslab run qui' 'quick quiet_objects='
complete 'numaslab run slub.gen' slub.generation=
complete 'numaslab run placement=sc' scatter
complete 'numaslab run allocator=slub,nodel' slub,nodelocal
complete 'numaslab plan twin=' 'yes no'
complete 'numaslab env ' 'show check tune reset'
complete 'numaslab trace fidelity --kernel ' '6.1 6.12 6.18'
complete 'numaslab help kmalloc' kmalloc_mix
complete 'numaslab compare ' ''
if command -v fish >/dev/null; then
	fish -c "source $share/fish/vendor_completions.d/numaslab.fish; complete -C 'numaslab run allocator=nodel'" |
		grep -q '^allocator=nodelocal' || fail "fish does not complete allocators"
fi
# what zsh would offer: its own functions are replaced by ones that print
cat >complete.zsh <<'TEXT'
compset() { :; }
compadd() { print -r -- "$keys$found"; }
_files() { :; }
words=(numaslab run $2) CURRENT=3
. $1
TEXT
if command -v zsh >/dev/null; then
	for pair in 'allocator=nodel nodelocal' 'slub.generation= 6.1 6.12 6.18'; do
		zsh -f complete.zsh "$share/zsh/site-functions/_numaslab" "${pair%% *}" | grep -q -- "${pair#* }" ||
			fail "zsh does not complete '${pair%% *}'"
	done
fi

# ---- the version of a checkout and of an archive of it
version=$("$numaslab" --version)
[[ $version =~ ^numaslab\ [0-9]+\.[0-9]+\.[0-9]+([+~][0-9a-z.]+)?$ ]] || fail "--version says '$version'"
if git -C "$source" -c safe.directory='*' archive --format=tar HEAD >sources.tar 2>/dev/null; then
	mkdir archive && tar -xf sources.tar -C archive
	commit=$(git -C "$source" -c safe.directory='*' rev-parse HEAD)
	must "$cmake" -S archive -B archive/build -DCMAKE_C_COMPILER="$compiler" -DNUMASLAB_TESTS=OFF
	for tree in "$source" archive; do
		must "$cmake" -DSOURCE="$tree" -DHEADER="$dir/$(basename "$tree").h" -P "$source/cmake/revision.cmake"
	done
	told=$(sed -n 's/^#define NSLAB_VERSION "\(.*\)"/\1/p' "$dir/$(basename "$source").h")
	grep -qF "NSLAB_VERSION \"$told\"" "$dir/archive.h" || fail "checkout and archive differ: $told, $(cat "$dir/archive.h")"
	grep -qF "NSLAB_GIT_SHA \"$commit\"" "$dir/archive.h" || fail "an archive does not know its commit $commit"
	# neither git's words nor a repository: the number that stands in the file
	sed 's/ .*/ $Format:%H$/' archive/cmake/version.txt >version && mv version archive/cmake/version.txt
	must "$cmake" -DSOURCE=archive -DHEADER="$dir/plain.h" -P "$source/cmake/revision.cmake"
	grep -qF "NSLAB_VERSION \"$(head -n 1 archive/cmake/version.txt)\"" "$dir/plain.h" ||
		fail "a plain copy says $(cat "$dir/plain.h")"
else
	echo "not checked: no git repository to make an archive of"
fi
[ $nr_failed = 0 ]
