#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# reference.sh NUMASLAB PAGE: the page is what the program prints, so it cannot go stale.
unset NUMASLAB_PLUGIN_PATH
"$1" help --reference | diff -u "$2" - && exit 0
echo "print it again: numaslab help --reference >docs/reference.md"
exit 1
