#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# numaslab order as users call it: the tables of every recorded kernel, known answers, mismatches, folders
# shaped like /sys/kernel/slab, bad input of one line.
# usage: test_order.sh NUMASLAB DATA
set -u
numaslab=$1 data=$2
. "$(dirname "$0")/../support/expect.sh"
prefix=("$numaslab" order)

# check STATUS LAST-LINE OPTIONS...: of order --check
check()
{
	local status=$1 last=$2
	shift 2
	expect "$status" "$last" --check "$@"
	[ "$(tail -n 1 "$dir/out")" = "$last" ] || fail "order --check $*: the last line is $(tail -n 1 "$dir/out")"
}

# table LINE...: a file with these lines, in which every | is a tab
table()
{
	printf '%s\n' "$@" | tr '|' '\t' >"$dir/table.tsv"
}

# row SIZE OPTIONS...: "order objects waste_bytes min_partial cpu_partial" of one size
row()
{
	"$numaslab" order "$@" 2>"$dir/err" | awk '!/^#/ && $1 != "size" {print $2, $3, $4, $6, $7}'
}

same()
{
	[ "$1" = "$2" ] || fail "wanted '$1', got '$2'"
}

# every cache of every kernel that was recorded
check 0 "matched 235 of 235" "$data/slabinfo-6.18-2cpu.tsv" --cpus 2 --kernel 6.18
nr_tables=0
while IFS='|' read -r file release options; do
	case $file in '#'*) continue ;; esac
	nr=$(($(wc -l <"$data/kernels/$file") - 1))
	# shellcheck disable=SC2086
	check 0 "matched $nr of $nr" "$data/kernels/$file" $options
	[ $nr -gt 100 ] || fail "$file of $release holds $nr caches only"
	nr_tables=$((nr_tables + 1))
done <"$data/kernels/list"
[ $nr_tables -ge 8 ] || fail "$nr_tables recorded tables only"

# with wrong words about the machine the same tables do not match
expect 1 "matched " --check "$data/slabinfo-6.18-2cpu.tsv" --cpus 16
expect 1 "matched " --check "$data/slabinfo-6.18-2cpu.tsv" --cpus 2 --max-order 1

# known answers
same "0 64 0 5 120" "$(row 64 --cpus 2)"
same "1 16 0 5 52" "$(row 512 --cpus 4 --kernel 6.12)"
same "2 32 0 5 52" "$(row 512 --cpus=64 --kernel=6.1)"
same "0 1 0 6 6" "$(row 4k --cpus 64 --max-order 0)"
same "3 8 0 6 6" "$(row 4096 --cpus 2)"
same "2 1 4384 6 6" "$(row 12000 --cpus 2 --kernel 6.1)"
same "3 2 8768 6 6" "$(row 12000 --cpus 2 --kernel 6.12)"
same "2 64 0 5 52" "$(row 256 --cpus 2 --min-objects 64)"
same "10 1 0 10 6" "$(row 4m --cpus 2)"
expect 0 "after alignment" 64 --cpus 2
same 3 "$("$numaslab" order 64 128 256 --cpus 8 | grep -vc '#\|size')"
expect 0 "an object of 100 bytes takes 104 or more" 100 --cpus 2

# the later kernels move one limit along with the other, in the order of the words; 6.1 does not
expect 0 "min_order 2, max_order 2," 64 --cpus 2 --max-order 1 --min-order 2
expect 0 "min_order 1, max_order 1," 64 --cpus 2 --min-order=2 --max-order=1
expect 0 "min_order 5, max_order 5," 64 --cpus 2 --min-order 5
expect 0 "min_order 2, max_order 1," 64 --cpus 2 --min-order 2 --max-order 1 --kernel 6.1
same "5 2048 0 5 120" "$(row 64 --cpus 2 --min-order 5 --kernel 6.1)"

# for programs
expect 0 '"waste_percent"' 192 --cpus 2 --json
expect 0 '"matched": 235' --check "$data/slabinfo-6.18-2cpu.tsv" --cpus 2 --json
table 'name|slab_size|order' 'a|64|1' 'b|64|0'
expect 1 '"predicted": 0' --check "$dir/table.tsv" --cpus 2 --json
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; assert json.load(sys.stdin)["mismatches"][0]["cache"] == "a"' \
		<"$dir/out" || fail "JSON of mismatches"
fi

# mismatches are told by cache and column; aliases do not count, in whichever columns there are
table '# a remark' 'alias_of|name|slab_size|order|objs_per_slab|min_partial|cpu_partial|other' \
	'-|good|64|0|64|5|120|x' '-|bad|64|1|128|5|120|x' '|worse|256|0|16|7|8|x' 'good|alias|0|9|9|9|9|'
check 1 "matched 1 of 3" "$dir/table.tsv" --cpus 2
same "bad order 1 0;bad objs_per_slab 128 64;worse min_partial 7 5;worse cpu_partial 8 52;" \
	"$(sed '1d;$d' "$dir/out" | awk '{printf "%s %s %s %s;", $1, $2, $3, $4}')"
table 'name|cpu_partial|slab_size|red_zone|poison|store_user' 'a|0|64|1|0|0' 'b|0|64|0|0|1' 'c|120|64|0|0|0'
check 0 "matched 3 of 3" "$dir/table.tsv" --cpus 2
table 'name|cpu_partial|slab_size|red_zone' 'a|120|64|1' 'c|0|64|0'
check 1 "matched 0 of 2" "$dir/table.tsv" --cpus 2
printf 'name\tslab_size\torder\r\na\t64\t0' >"$dir/table.tsv"
check 0 "matched 1 of 1" "$dir/table.tsv" --cpus 2

# a folder like /sys/kernel/slab: directories are caches, links are aliases
mkdir -p "$dir/slab/:0000064" "$dir/slab/big"
for pair in slab_size:64 object_size:64 align:8 order:0 objs_per_slab:64 min_partial:5 cpu_partial:120; do
	echo "${pair#*:}" >"$dir/slab/:0000064/${pair%:*}"
done
cp "$dir/slab/:0000064/"* "$dir/slab/big"
ln -s :0000064 "$dir/slab/small"
touch "$dir/slab/no-cache"
check 0 "matched 2 of 2" "$dir/slab" --cpus 2
echo 1 >"$dir/slab/big/red_zone"
check 1 "matched 1 of 2" "$dir/slab" --cpus 2
echo 0 >"$dir/slab/big/cpu_partial"
rm "$dir/slab/big/objs_per_slab"
check 0 "matched 2 of 2" "$dir/slab" --cpus 2
echo many >"$dir/slab/big/order"
expect 2 "'big': order is 'many'" --check "$dir/slab" --cpus 2
rm "$dir/slab/big/slab_size"
expect 2 "big' has no slab_size" --check "$dir/slab" --cpus 2
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$dir/slab/:0000064/order"
	expect 2 "Permission denied; only root may" --check "$dir/slab" --cpus 2
fi

# bad tables: file and line
bad()
{
	local words=$1
	shift
	table "$@"
	expect 2 "$words" --check "$dir/table.tsv" --cpus 2
}
bad "table.tsv:1: the columns name and slab_size are needed, 'slab_size' is missing" 'name|order' 'a|0'
bad "table.tsv:1: the columns name and slab_size are needed, 'name' is missing" 'slab_size|order' '8|0'
bad "table.tsv:1: nothing to compare" 'name|slab_size' 'a|8'
bad "table.tsv:1: column 'order' is there twice" 'name|slab_size|order|order' 'a|8|0|0'
bad "table.tsv:2: 2 columns where the first line has 3" 'name|slab_size|order' 'a|8'
bad "table.tsv:2: 4 columns where the first line has 3" 'name|slab_size|order' 'a|8|0|0'
bad "table.tsv:3: cache 'b': order is '-1'" 'name|slab_size|order' 'a|8|0' 'b|8|-1'
bad "table.tsv:2: cache 'a': slab_size is 'x'" 'name|slab_size|order' 'a|x|0'
bad "table.tsv:2: cache 'a': order is ''" 'name|slab_size|order' 'a|8|'
bad "table.tsv:2: cache 'a': order is '99999999999'" 'name|slab_size|order' 'a|8|99999999999'
bad "table.tsv:2: cache 'a': slab_size is 0" 'name|slab_size|order' 'a|0|0'
bad "table.tsv:2: cache 'a': slab_size is 4194305" 'name|slab_size|order' 'a|4194305|0'
bad "object_size 9 is larger than slab_size 8" 'name|slab_size|order|object_size' 'a|8|0|9'
bad "slab_size 72 is no multiple of align 64" 'name|slab_size|order|align' 'a|72|0|64'
bad "table.tsv:2: a cache without a name" 'name|slab_size|order' '|8|0'
bad "table.tsv:4: cache 'a' is there already, in line 2" 'name|slab_size|order' 'a|8|0' 'b|8|0' 'a|8|0'
bad "table.tsv' holds no cache" 'name|slab_size|order'
bad "table.tsv' holds no cache" 'name|slab_size|order|alias_of' 'a|8|0|b'
bad "table.tsv:2: byte 0x1b is no text" 'name|slab_size|order' $'a\e[2J|8|0'
: >"$dir/table.tsv"
expect 2 "table.tsv' holds no cache" --check "$dir/table.tsv" --cpus 2
head -c 20000 "$numaslab" >"$dir/table.tsv"
expect 2 "is no text" --check "$dir/table.tsv" --cpus 2
mkdir "$dir/empty"
expect 2 "empty' holds no cache" --check "$dir/empty" --cpus 2
expect 2 "cannot read '$dir/none': No such file" --check "$dir/none" --cpus 2

# bad usage
expect 2 "give --cpus N" 64
expect 2 "'--cpus' takes 1..8192, not 0" 64 --cpus 0
expect 2 "'--max-order' takes 0..10, not 11" 64 --cpus 2 --max-order 11
expect 2 "'--min-objects' takes 0..32767, not -3" 64 --cpus 2 --min-objects -3
expect 2 "unknown kernel '5.4'" 64 --cpus 2 --kernel 5.4
expect 2 "'x' is no size" x --cpus 2
expect 2 "'0' is no size" 64 0 --cpus 2
expect 2 "size '5m': no slab holds" 64 5m --cpus 2
expect 2 "nothing to do" --cpus 2
expect 2 "not both" 64 --check "$data/slabinfo-6.18-2cpu.tsv" --cpus 2
if [ -w /dev/full ]; then
	"$numaslab" order 64 --cpus 2 >/dev/full 2>"$dir/err"
	[ $? = 2 ] && [ "$(wc -l <"$dir/err")" = 1 ] || fail "order to a full disk"
fi
[ $failures = 0 ]
