#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# record_files.sh FILES OUT: records a kernel while it makes FILES empty files in a new tmpfs on one CPU.
# OUT/trace is the trace, whose header has the caches' slabs before and after; OUT/figures.json says how
# many events there were and how many were lost. For busybox sh in a guest that has numaslab.
files=$1 out=$2

mkdir -p "$out" /files
mount -t tmpfs -o nr_inodes=1000000 none /files || exit 1
mount -t tracefs none /sys/kernel/tracing || exit 1
# A few files are made and deleted first, in the trace as well: up to 6.12 an allocation does not tell the
# name of its cache, so that it is known by that of its frees. These wait for RCU.
cat >/tmp/make_files <<'MAKE'
make() { i=0; while [ $i -lt "$1" ]; do : >"/files/$2$i"; i=$((i + 1)); done; }
make 32 first
rm /files/first*
sleep 1
MAKE
numaslab record -o "$out/trace" -- taskset 1 sh /tmp/make_files 2>/dev/null || exit 1
echo "make $files file" >>/tmp/make_files
sync; sleep 1
numaslab record -o "$out/trace" --json -- taskset 1 sh /tmp/make_files >"$out/figures.json"
