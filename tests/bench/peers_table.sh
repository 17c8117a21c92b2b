#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# peers_table.sh RUN [PEER]: the tables of docs/speed.md from a run of peers-full, -inline or -remote.
#
# One line for each cell: nodelocal against the peer that is fastest in it (or against PEER), as the
# median of the ratios within blocks with its 95 % interval, both turned round from the table, and
# the memory that every trial reported after its last window (windows.csv, medians).
set -eu

run=${1:?usage: peers_table.sh FOLDER-OF-A-RUN [PEER]}

awk -F, -v only="${2:-}" '
function median(list,    v, n, i, j, t) {
	n = split(list, v, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return n ? v[int((n + 1) / 2)] : 0
}
FNR == 1 { nr_files++ }

# windows.csv: once per trial
nr_files == 1 && FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
nr_files == 1 {
	gsub(/"[^"]*"/, "-") # a list of PUs has commas
	if (seen[$column["trial"]]++ || $column["is_valid"] != 1 || $column["is_twin"] == 1)
		next
	split($column["family"], word, " ")
	at = word[1] " " word[2] " " $column["allocator"]
	rss[at] = rss[at] " " $column["rss_bytes"]
	held[at] = held[at] " " $column["held_bytes"]
	next
}

# table.txt
/^workload=/ { flush(); split($0, word, " "); cell = word[1] " " word[2]; next }
/^nodelocal A / { own = $0; sub(/^nodelocal A +/, "", own); sub(/ .*/, "", own); next }
/^libc / { split($0, word, " "); table_ns = word[2]; next }
/^(glibc|jemalloc|mimalloc|tcmalloc) / {
	line = $0
	if (only != "" && line !~ "^" only " ")
		next
	gsub(/[][,]/, " ", line)
	split(line, word, " ")
	nr = word[4]
	if (best == "" || word[5] + 0 < best_ratio) {
		best = word[1]; best_ns = word[2]; best_ratio = word[5] + 0
		low = word[6] + 0; high = word[7] + 0
	}
	next
}

function mib(at) { return at in rss ? sprintf("%.1f", median(rss[at]) / 1048576) : "-" }

function flush(    name) {
	if (cell == "" || best == "")
		return
	name = cell
	sub(/workload=/, "", name); sub(/size=/, "", name)
	split(name, word, " ")
	printf "| %s | %s | %s | %s | %s | %s | **%.2f** | %.2f..%.2f | %d | %.0f | %s |", word[1],
		word[2], own, best, best_ns, table_ns == "" ? "-" : table_ns, 1 / best_ratio,
		high ? 1 / high : 0, low ? 1 / low : 0, nr,
		median(held[cell " nodelocal"]) / 1024, mib(cell " nodelocal")
	printf " %s %s %s %s |\n", mib(cell " glibc"), mib(cell " jemalloc"),
		mib(cell " mimalloc"), mib(cell " tcmalloc")
	cell = best = table_ns = ""
}

BEGIN {
	print "| workload | bytes | nodelocal ns | best peer | its ns | libc row ns | ratio |" \
		" 95 % | n | held KiB | RSS MiB | RSS glibc jemalloc mimalloc tcmalloc |"
	print "|---|---:|---:|---|---:|---:|---:|---|---:|---:|---:|---|"
}
END { flush() }
' "$run/windows.csv" "$run/table.txt"
