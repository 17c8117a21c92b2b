#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# budgets.sh ROOT: lengths of files, functions and lines.
here=$(readlink -f "$(dirname "$0")")
. "$here/common.sh" "$1"

c_files | xargs -r awk -f "$here/budgets.awk" | finish
