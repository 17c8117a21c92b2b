#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_new.sh CMAKE BUILD COMPILER [SANITIZE_FLAGS]: as a new user would: install, `numaslab new allocator`,
# configure against the installed tree, build, check, run. The prefix is moved once, as an installation may be.
set -u
cmake=$1 build=$2 compiler=$3 sanitize=${4:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nr_failed=0
unset NUMASLAB_DATA_DIR

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# must COMMAND...: without it nothing that follows makes sense
must() {
	"$@" >"$dir/log" 2>&1 || { cat "$dir/log"; echo "failed: $*"; exit 1; }
}

# refuse STATUS TEXT ARGUMENT...: `numaslab new` says TEXT in one line on stderr and leaves STATUS
refuse() {
	local status=$1 text=$2 said got

	shift 2
	said=$("$numaslab" new "$@" 2>&1 >"$dir/stdout")
	got=$?
	[ $got = "$status" ] && [[ $said == *"$text"* ]] && [ "$(wc -l <<<"$said")" = 1 ] && [ ! -s "$dir/stdout" ] ||
		fail "new $*: status $got, wanted $status and '$text': $said"
}

must "$cmake" --install "$build" --prefix "$dir/first"
mv "$dir/first" "$dir/prefix"
numaslab=$dir/prefix/bin/numaslab
cd "$dir" || exit 1

# what is refused, and leaves nothing behind
refuse 2 "give a kind and a name"
refuse 2 "give a kind and a name" allocator
refuse 2 "cannot write a new 'workload'; there is allocator" workload mine
for name in Mine 9lives 'a b' ../up a-b '' "$(printf 'a%.0s' {1..33})"; do
	refuse 2 "cannot name an allocator '$name'" allocator "$name"
done
refuse 2 "there is one of that name" allocator slub
refuse 2 "cannot make folder" allocator mine -o "$dir/none/deeper"
[ ! -e mine ] || fail "a refused name left a folder"

listed=$("$numaslab" new allocator mine 2>/dev/null)
[ "$listed" = $'mine/mine.c\nmine/CMakeLists.txt' ] || fail "stdout is not the list of files: $listed"
[ "$(wc -l <mine/CMakeLists.txt)" = 6 ] || fail "CMakeLists.txt is not six lines"
! grep -n '@' mine/* || fail "a word of the template is left"
cp -r mine before
refuse 2 "'mine/mine.c' exists and is not touched" allocator mine
rm mine/mine.c
refuse 2 "'mine/CMakeLists.txt' exists and is not touched" allocator mine
[ ! -e mine/mine.c ] || fail "a file was written beside one that exists"
cp before/mine.c mine/
"$numaslab" new allocator other_2 -o there --json 2>/dev/null | grep -q '"there/other_2.c"' ||
	fail "--json does not name the files"

must "$cmake" -S mine -B mine/build -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$dir/prefix" \
	-DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $sanitize"
must "$cmake" --build mine/build
must "$numaslab" check --plugin mine/build/mine.so
skipped=$("$numaslab" check --plugin mine/build/mine.so 2>/dev/null | awk '$2 == "skip" {print $3}' | tr '\n' ' ')
[ "$skipped" = "shrink node order corruption " ] || fail "other checks are skipped than the tutorial says: $skipped"
must "$numaslab" check --debug --plugin mine/build/mine.so
for debug in no yes; do
	must "$numaslab" run quick --plugin mine/build/mine.so allocator=mine,null workload=pingpong size=64 \
		threads=1 blocks=1 windows=2 window_ms=1 warmup_ms=1 debug=$debug --no-plots --output "$dir/run-$debug"
	grep -q 'mine' "$dir/log" || fail "the table has no row of the new allocator, debug=$debug"
done

# an installation without templates: nothing was wrong with the request
rm -r "$dir/prefix/share/numaslab/templates"
refuse 77 "cannot find template 'allocator.c.in'" allocator lost
[ $nr_failed = 0 ]
