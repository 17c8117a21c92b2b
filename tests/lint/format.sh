#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# format.sh ROOT: C sources are as clang-format 14 leaves them. Another major version formats otherwise,
# so the test is skipped (77) then.
. "$(dirname "$0")/common.sh" "$1"
tool=$(command -v clang-format-14 || command -v clang-format) || {
	echo "skip: clang-format is not installed"
	exit 77
}
version=$("$tool" --version | grep -oE 'version [0-9]+')
[ "$version" = "version 14" ] || {
	echo "skip: clang-format 14 is needed, this is $version"
	exit 77
}
c_files | xargs -r "$tool" --dry-run -Werror 2>&1 |
	sed -nE 's/^([^:]+:[0-9]+):[0-9]+: error: .*/\1: not as clang-format leaves it/p' | finish
