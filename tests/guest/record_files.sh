#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# record_files.sh FILES OUT: records a kernel while it makes FILES empty files in a new tmpfs on one CPU.
# OUT/trace is the trace, whose header has the caches' slabs before and after; OUT/figures.json says how
# many events there were and how many were lost. For busybox sh in a guest that has numaslab.
files=$1 out=$2

mkdir -p "$out" /files
mount -t tmpfs -o nr_inodes=1000000 none /files || exit 1
mount -t tracefs none /sys/kernel/tracing || exit 1
# what the commands themselves need is brought in first
taskset 1 sh -c ': >/files/first; i=0; while [ $i -lt 9 ]; do i=$((i + 1)); done'
numaslab record -o "$out/trace" -- true 2>/dev/null || exit 1
sync; sleep 1
numaslab record -o "$out/trace" --json -- \
	taskset 1 sh -c 'i=0; while [ $i -lt '"$files"' ]; do : >/files/$i; i=$((i + 1)); done' \
	>"$out/figures.json"
