#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# orders.sh CACHE NUMASLAB REPLAY boots|more-boots [RECORD]: the rules against real kernels. Each row boots
# one with a number of CPUs and boot parameters. In the guest numaslab holds its rules against
# /sys/kernel/slab, where every cache must match; the same caches come back as a table, which must match
# here; and files are made and deleted, whose slabs REPLAY finds again in the model. What the kernels showed
# is kept in the folder RECORD, if there is one: so the files of tests/data/kernels were made.
here=$(readlink -f "$(dirname "$0")")
cache=$1 numaslab=$2 replay=$3 rows=$4 record=${5:-}
# so many that what a CPU's partial list happens to hold in the end (12 slabs of dentries) is below 3 %
files=12000
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
nr_failed=0

# series | CPUs | files are made and deleted | boot parameters | the same for numaslab
boots() {
	cat <<'TABLE'
6.1|2|yes||
6.1|4|no|slub_max_order=0|--max-order 0
6.12|4|yes||
6.12|2|no|slab_min_objects=64|--min-objects 64
TABLE
}

more-boots() {
	cat <<'TABLE'
6.1|1|no||
6.1|4|yes||
6.1|16|yes||
6.1|4|yes|slub_max_order=0|--max-order 0
6.1|2|yes|slub_min_objects=64|--min-objects 64
6.1|2|no|slub_min_order=4|--min-order 4
6.1|2|no|slub_debug=FZPU|
6.12|1|no||
6.12|2|yes||
6.12|16|yes||
6.12|4|yes|slab_max_order=0|--max-order 0
6.12|2|yes|slab_min_objects=64|--min-objects 64
6.12|2|no|slab_min_order=4|--min-order 4
6.12|2|no|slab_min_order=2 slab_max_order=1|--min-order 2 --max-order 1
6.12|2|no|slab_max_order=1 slab_min_order=2|--max-order 1 --min-order 2
6.12|2|no|slab_debug=FZPU|
TABLE
}

fail() {
	printf 'FAILED: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

# keep NAME OPTIONS: the table of orders, and the counts of the caches that moved by more than 50 slabs
keep() {
	local from=$scratch/$1 state

	mkdir -p "$record" && cp "$from/orders.tsv" "$record/$1.tsv" || return
	printf '%s|%s|%s\n' "$1.tsv" "$(cat "$from/release")" "$2" >>"$record/list"
	[ -e "$from/made.tsv" ] || return 0
	mkdir -p "$record/$1-files" || return
	for state in before made deleted; do
		awk -F '\t' 'FNR == 1 { file++ } file == 1 { slabs[$1] = $9 }
			file == 2 && $9 > slabs[$1] + 50 { is_moved[$1] = 1 }
			file == 3 && (FNR == 1 || $1 in is_moved)' \
			"$from/before.tsv" "$from/made.tsv" "$from/$state.tsv" >"$record/$1-files/$state.tsv"
	done
}

# check SERIES CPUS HAS_FILES PARAMETERS OPTIONS...
check() {
	local series=$1 cpus=$2 has_files=$3 parameters=$4 kernel status name out nr last columns=

	shift 4
	[[ $parameters != *debug* ]] || columns=debug
	kernel=$("$here/kernel.sh" "$cache" "$series" 2>&1) || { status=$?; echo "$kernel"; exit $status; }
	name=$series-${cpus}cpu${parameters:+-${parameters// /-}}
	out=$scratch/$name
	printf '%s\n' "--- $name"
	"$here/guest.sh" --kernel "$kernel" --node "cpus=$cpus,mib=512" --append "$parameters" \
		--program "$numaslab" --file "$here/slab_tsv.sh" --file "$here/move_files.sh" --out "$out" "
uname -r >/out/release
numaslab order --check /sys/kernel/slab --cpus $cpus --kernel $series $* >/out/live 2>&1
echo \"status \$?\" >>/out/live
sh /in/slab_tsv.sh $columns >/out/orders.tsv
[ $has_files = no ] || sh /in/move_files.sh $files /out" || fail "$name: exit status $? in the guest"
	[ -s "$out/live" ] || return
	nr=$(($(wc -l <"$out/orders.tsv") - 1))
	[ "$nr" -gt 100 ] || fail "$name: $nr caches only"
	[ "$(cat "$out/live")" = "matched $nr of $nr
status 0" ] || { fail "$name: in the guest"; cat "$out/live"; }
	last=$("$numaslab" order --check "$out/orders.tsv" --cpus "$cpus" --kernel "$series" "$@" | tail -n 1)
	[ "$last" = "matched $nr of $nr" ] || fail "$name: the table: $last"
	printf '%s: %s\n' "$(cat "$out/release")" "$last"
	[ "$has_files" = no ] ||
		"$replay" "$series" "$cpus" $files "$out" || fail "$name: slab counts"
	[ -z "$record" ] || keep "$name" "--cpus $cpus --kernel $series $*"
}

while IFS='|' read -r series cpus has_files parameters options; do
	# shellcheck disable=SC2086
	check "$series" "$cpus" "$has_files" "$parameters" $options </dev/null
done < <("$rows")
exit $((nr_failed > 0))
