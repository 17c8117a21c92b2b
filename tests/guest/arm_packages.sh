#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# arm_packages.sh DIR: leaves in DIR what an arm64 guest takes from Debian's arm64 packages: vmlinuz,
# busybox, and sysroot/ with the libraries that our programs are linked against. Status 77 with the
# reason when it cannot be had here.
#
# The packages come by an apt configuration that lives in DIR, with lists and a cache of its own: the
# system is not told of another architecture, and nothing is installed. Its sources are what the system's
# apt has from Debian.
set -u
libraries=(libnuma-dev libjansson-dev)
mkdir -p "$1" && cd "$1" || exit 1

skip() {
	printf 'skip: no arm64 packages: %s\n' "$*" >&2
	exit 77
}

# What apt says last, warnings apart.
last_words() { grep -v '^W:' apt.log | tail -n 1; }

# The system's sources, as lines; none when it has no lists of packages yet.
sources() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg words=arch=arm64

	[ ! -r $keys ] || words+=" signed-by=$keys"
	apt-get indextargets --format "deb [$words] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
		'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sort -u
}

# Proxies and the like stay as the system has them; what would run after an update does not.
configure() {
	mkdir -p lists/partial cache/archives/partial || return
	: >status
	sources >sources.list
	if [ ! -s sources.list ] && [ "$(id -u)" = 0 ]; then
		apt-get update -q >apt.log 2>&1
		sources >sources.list
	fi
	[ -s sources.list ] || skip "apt knows no package list of Debian (apt-get update gets them)"
	cat >apt.conf <<-CONF
	#clear APT::Architectures;
	#clear APT::Update;
	#clear DPkg::Post-Invoke;
	APT::Architecture "arm64";
	APT::Architectures { "arm64"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Dir::Etc::sourcelist "$PWD/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::State::lists "$PWD/lists";
	Dir::State::status "$PWD/status";
	Dir::Cache "$PWD/cache";
	CONF
}

# The package that the metapackage depends on, e.g. linux-image-6.1.0-N-cloud-arm64.
kernel_package() {
	apt-cache -c apt.conf depends linux-image-cloud-arm64 2>/dev/null |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}'
}

fetch() {
	local kernel

	apt-get -c apt.conf update -q >apt.log 2>&1 || return
	kernel=$(kernel_package)
	apt-get -c apt.conf download -q "${kernel:-linux-image-cloud-arm64}" busybox-static \
		"${libraries[@]}" >apt.log 2>&1
}

unpack() {
	local package

	for package in linux-image busybox-static; do
		dpkg-deb -x ./"$package"[_-]*.deb unpacked || return
	done
	for package in "${libraries[@]}"; do
		dpkg-deb -x ./"$package"_*.deb sysroot || return
	done
	mv unpacked/bin/busybox . && mv unpacked/boot/vmlinuz-* vmlinuz
}

[ ! -e vmlinuz ] || exit 0
for tool in apt-get apt-cache dpkg-deb; do
	command -v $tool >/dev/null || skip "this system has no $tool"
done
rm -rf ./*.deb unpacked sysroot
configure || exit 1
fetch || skip "apt-get: $(last_words)"
unpack || exit 1
rm -rf ./*.deb unpacked lists cache
