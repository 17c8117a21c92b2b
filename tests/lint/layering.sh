#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# layering.sh ROOT: who may include what; the table is layering.txt beside this script.
here=$(readlink -f "$(dirname "$0")")
. "$here/common.sh" "$1"

c_files | xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' /dev/null |
	awk -v table="$here/layering.txt" -f "$here/layering.awk" | finish
