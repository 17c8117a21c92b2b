#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# move_files.sh FILES OUT: makes FILES empty files in a new tmpfs and deletes them, on one CPU, with the
# caches' counts before, with the files, and after, in OUT/before.tsv, made.tsv and deleted.tsv. For
# busybox sh in a guest. Everything that counting itself needs is brought in first.
files=$1 out=$2
here=$(dirname "$0")
counts() { taskset 2 sh "$here/slab_tsv.sh" counts >"$out/$1.tsv"; }

mkdir -p "$out" /files
mount -t tmpfs -o nr_inodes=100000 none /files
counts warm && rm "$out/warm.tsv"
sync; sleep 1
counts before
taskset 1 sh -c 'i=0; while [ $i -lt '"$files"' ]; do : >/files/$i; i=$((i + 1)); done'
counts made
taskset 1 rm -r /files/[0-9]*
sleep 1
counts deleted
umount /files
