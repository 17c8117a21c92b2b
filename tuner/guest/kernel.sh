#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh DIR [6.1|6.12]: prints the path of Debian's cloud kernel of that series (6.1 unless told) in
# DIR, fetching its package there first if need be. Nothing is installed. Status 77 with the reason when
# it cannot be had here.
set -u
dir=$1
series=${2:-6.1}
[ "$series" = 6.1 ] || dir=$dir/$series
mkdir -p "$dir" && cd "$dir" || exit 1
dir=$PWD

skip() {
	printf 'skip: no kernel %s for guests: %s\n' "$series" "$*" >&2
	exit 77
}

# The newest package of a series. That of 6.1 is the one that the metapackage depends on, e.g.
# linux-image-6.1.0-N-cloud-amd64; the later series have no metapackage of their own.
package_name() {
	if [ "$series" = 6.1 ]; then
		apt-cache depends linux-image-cloud-amd64 2>/dev/null |
			awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}'
	else
		apt-cache search --names-only "^linux-image-${series//./\\.}\..*deb12-cloud-amd64\$" 2>/dev/null |
			awk '{print $1}' | sort -V | tail -n 1
	fi
}

# What apt knows may be nothing or out of date: refresh it once where that is allowed.
download() {
	local name

	name=$(package_name)
	[ -n "$name" ] && apt-get download -q "$name" >apt.log 2>&1 && return
	[ "$(id -u)" = 0 ] && apt-get update -q >apt.log 2>&1 || return
	name=$(package_name)
	[ -n "$name" ] && apt-get download -q "$name" >apt.log 2>&1
}

# one at a time: they share a folder
if [ ! -e vmlinuz ] && command -v flock >/dev/null; then
	exec 9>lock && flock 9
fi
if [ ! -e vmlinuz ]; then
	[ "$(uname -m)" = x86_64 ] || skip "guests are x86-64, this is $(uname -m)"
	command -v apt-get dpkg-deb >/dev/null || skip "this system has no apt"
	rm -rf package ./linux-image-*.deb
	download || skip "apt-get: $(grep -v '^W:' apt.log 2>/dev/null | tail -n 1)"
	dpkg-deb -x linux-image-*.deb package || exit 1
	mv package/boot/vmlinuz-* vmlinuz || exit 1
	rm -rf package ./linux-image-*.deb
fi
echo "$dir/vmlinuz"
