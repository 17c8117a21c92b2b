#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# slab_tsv.sh [debug|counts]: every cache of /sys/kernel/slab as a table with tabs, aliases left out. For busybox
# sh in a guest. `debug` adds the debug options, with `counts` the columns are those that move while a
# workload runs.
columns="object_size slab_size align order objs_per_slab cpu_partial min_partial"
[ "${1:-}" = debug ] && columns="$columns red_zone poison store_user sanity_checks"
[ "${1:-}" = counts ] && columns="slab_size order objs_per_slab cpu_partial min_partial objects total_objects slabs partial"
line=name
for column in $columns; do line="$line	$column"; done
echo "$line"
for cache in /sys/kernel/slab/*; do
	[ -L "$cache" ] && continue
	line=${cache##*/}
	for column in $columns; do
		read -r value rest <"$cache/$column" || value=
		line="$line	$value"
	done
	echo "$line"
done
