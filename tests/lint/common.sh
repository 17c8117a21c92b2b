# SPDX-License-Identifier: GPL-2.0-only
# common.sh ROOT: goes to ROOT and gives the lint scripts what they share. A script prints
# `file:line: message` for each violation; `finish` makes the exit status of it.
set -u
cd "$1" || exit 2
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# sources PATTERN...: files that git tracks or would track.
sources() {
	git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" |
		while read -r file; do
			[ ! -f "$file" ] || printf '%s\n' "$file"
		done
}

c_files() { sources '*.c' '*.h'; }

# Violations come in on stdin.
finish() {
	sort -u >"$found"
	cat "$found"
	[ ! -s "$found" ]
}
