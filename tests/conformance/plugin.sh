#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# plugin.sh CMAKE BUILD EXAMPLE COMPILER CFLAGS: installs numaslab into a new prefix, builds the example
# plug-in against it with find_package() and again with pkg-config, and lets the installed binary check
# the plug-in. The prefix is moved once, so that no path of the build can be in it.
set -e
cmake=$1 build=$2 example=$3 compiler=$4 cflags=$5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$cmake" --install "$build" --prefix "$dir/first" >"$dir/install.log" 2>&1 || { cat "$dir/install.log"; exit 1; }
mv "$dir/first" "$dir/prefix"
numaslab=$dir/prefix/bin/numaslab

"$cmake" -S "$example" -B "$dir/build" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$dir/prefix" \
	-DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Wconversion -Werror $cflags" >"$dir/configure.log" 2>&1 ||
	{ cat "$dir/configure.log"; exit 1; }
"$cmake" --build "$dir/build" >"$dir/build.log" 2>&1 || { cat "$dir/build.log"; exit 1; }
"$numaslab" check --plugin "$dir/build/bump.so"
if nm -u "$dir/build/bump.so" | grep -q nslab_; then
	echo "the plug-in links something of numaslab" >&2
	exit 1
fi

pc=$(dirname "$(find "$dir/prefix" -name numaslab.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags numaslab)
# shellcheck disable=SC2086
"$compiler" -std=c11 -shared -fPIC $flags $cflags -o "$dir/other.so" "$example/bump.c"
"$numaslab" check --plugin "$dir/other.so" --check overlap

# what cannot be checked is bad input: one line and exit 2
printf 'not a shared object' >"$dir/text.so"
for bad in "$dir/none.so" "$dir/text.so"; do
	status=0
	lines=$("$numaslab" check --plugin "$bad" 2>&1) || status=$?
	if [ $status -ne 2 ] || [ "$(wc -l <<<"$lines")" -ne 1 ]; then
		echo "'$bad': exit status $status, expected 2 and one line: $lines" >&2
		exit 1
	fi
done
