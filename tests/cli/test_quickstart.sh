#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_quickstart.sh QUICKSTART: where there is no apt, quickstart tells what to install, under the names
# of other systems too, and touches nothing. The system without apt is a PATH that has a few tools.
set -u
quickstart=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nr_failed=0

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

mkdir "$dir/bin"
for tool in bash awk cat dirname readlink env id; do
	ln -s "$(command -v $tool)" "$dir/bin/$tool"
done

for job in build test 'test --all'; do
	PATH=$dir/bin bash "$quickstart" $job >"$dir/out" 2>"$dir/err"
	[ $? = 2 ] || fail "$job without apt is not status 2"
	[ ! -s "$dir/out" ] || fail "$job without apt prints data"
	grep -q 'this system has no apt' "$dir/err" || fail "$job does not say why: $(cat "$dir/err")"
	fedora=$(grep -E '^    dnf install ' "$dir/err")
	arch=$(grep -E '^    pacman -S --needed ' "$dir/err")
	for word in gcc hwloc-devel numactl-devel sqlite-devel ninja-build inih-devel; do
		[[ " $fedora " == *" $word "* ]] || fail "$job: Fedora's names lack $word: $fedora"
	done
	for word in gcc hwloc numactl sqlite ninja libinih; do
		[[ " $arch " == *" $word "* ]] || fail "$job: Arch's names lack $word: $arch"
	done
	for line in "$fedora" "$arch"; do
		[ -z "$(tr ' ' '\n' <<<"$line" | grep . | sort | uniq -d)" ] || fail "$job: a name stands twice: $line"
		[[ " $line " != *" = "* && " $line " != *" - "* ]] || fail "$job: a mark of the table is taken for a name"
	done
	grep -qE '^    libhwloc-dev +topology: ' "$dir/err" || fail "$job: no Debian name with what it is for"
	grep -q 'cmake --preset bench' "$dir/err" || fail "$job does not tell how to build"
done
grep -qE '^    lintian +judges' "$dir/err" || fail "test --all does not want lintian"
PATH=$dir/bin bash "$quickstart" test 2>&1 | grep -q lintian && fail "test alone wants lintian"
[ $nr_failed = 0 ]
