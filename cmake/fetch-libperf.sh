#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Builds libperf from the kernel source that the distribution packages, for systems that have no
# libperf package (Debian 12 among them). It downloads one package (139 MB) with apt-get, takes
# the few folders that libperf needs out of it (they stay, 4 MB, for the next build), builds two
# static libraries and installs them with their headers. Nothing is installed on the system and root
# is not needed. A second run finds the result and does nothing.
set -eu

usage() {
	cat <<-'END'
	usage: fetch-libperf.sh OUTDIR [TRIPLET]
	Leaves OUTDIR/libperf/include/perf/*.h and OUTDIR/libperf/lib/{libperf,libapi}.a; give
	-DNUMASLAB_LIBPERF_ROOT=OUTDIR/libperf to CMake unless OUTDIR is build-deps. With a TRIPLET,
	e.g. aarch64-linux-gnu, it is OUTDIR/libperf-TRIPLET, made by that cross compiler.
	environment: LINUX_SOURCE_PACKAGE (default: what linux-source depends on), CC, MAKE
	exit status: 0 done, 1 failed, 2 usage, or apt-get, dpkg-deb, make or the compiler is missing
	END
}

say() {
	echo "libperf: $*" >&2
}

case "${1-}" in
-h | --help)
	usage
	exit 0
	;;
'' | -*)
	usage >&2
	exit 2
	;;
esac

mkdir -p "$1"
out=$(cd "$1" && pwd)
triplet=${2-}
make=${MAKE:-make}
cc=${CC:-cc}
[ -z "$triplet" ] || cc=$triplet-gcc
source=$out/libperf-source
result=$out/libperf${triplet:+-$triplet}
log=$result.log
work=$result-build

if [ -f "$result/lib/libperf.a" ] && [ -f "$result/lib/libapi.a" ] &&
   [ -f "$result/include/perf/evlist.h" ]; then
	say "found in $result"
	exit 0
fi
for tool in apt-get apt-cache dpkg-deb tar xz "$make" "$cc"; do
	if ! command -v "$tool" >/dev/null; then
		say "cannot build: '$tool' is missing (Debian: apt dpkg tar xz-utils make gcc)"
		exit 2
	fi
done

package=${LINUX_SOURCE_PACKAGE:-$(apt-cache depends linux-source 2>/dev/null |
	sed -n 's/^ *Depends: \(linux-source-[0-9.]*\)$/\1/p' | head -n 1)}
package=${package:-linux-source-6.1}

find_deb() {
	find "$out" -maxdepth 1 -name "${package}_*.deb" | head -n 1
}

# The package, in $out, unless it is there.
download() {
	[ -z "$(find_deb)" ] || return 0
	say "downloading $package (139 MB for 6.1)"
	rm -rf "$out/download"
	mkdir "$out/download"
	if ! (cd "$out/download" && apt-get -q download "$package") >"$log" 2>&1; then
		say "cannot download $package (run apt-get update?):"
		tail -n 3 "$log" >&2
		exit 1
	fi
	# moved only when whole, so that an interrupted download is not taken for the package
	mv "$out/download/$package"_*.deb "$out/"
	rmdir "$out/download"
	downloaded=yes
}

# The needed folders, for any machine, in $source.
unpack() {
	deb=$(find_deb)
	say "taking the needed folders out of $(basename "$deb")"
	rm -rf "$source.part"
	mkdir "$source.part"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' >"$source.part/linux.tar.xz"
	for path in lib/perf lib/api lib/str_error_r.c lib/zalloc.c build scripts include arch; do
		echo "$package/tools/$path"
	done >"$source.part/paths"
	# the archive is one stream: tar reads all of it, about 10 s
	tar -xJf "$source.part/linux.tar.xz" -C "$source.part" --strip-components=1 \
		-T "$source.part/paths"
	rm "$source.part/linux.tar.xz" "$source.part/paths"
	mv "$source.part" "$source"
}

if [ ! -d "$source" ]; then
	downloaded=
	download
	unpack
	[ -z "$downloaded" ] || rm "$deb"
fi

# What the kernel's makefiles call the machine that the compiler compiles for.
case $($cc -dumpmachine) in
x86_64-* | i?86-*) arch=x86 ;;
aarch64-*) arch=arm64 ;;
powerpc*) arch=powerpc ;;
riscv*) arch=riscv ;;
s390*) arch=s390 ;;
*) arch=$(uname -m) ;;
esac

say "building${triplet:+ for $triplet}"
rm -rf "$work" "$result"
cp -R "$source" "$work"
# -Wno-error: its makefile asks for -Werror, which a newer compiler may trip over. A make that
# called us must not hand its flags down.
for target in all install_headers; do
	if ! env -u MAKEFLAGS -u MAKELEVEL "$make" -C "$work/tools/lib/perf" CC="$cc" ARCH=$arch \
		CROSS_COMPILE="${triplet:+$triplet-}" EXTRA_CFLAGS="-g -O2 -Wno-error" \
		prefix="$work/stage" "$target" >>"$log" 2>&1; then
		tail -n 5 "$log" >&2
		say "cannot build libperf, see $log"
		exit 1
	fi
done
mkdir "$work/stage/lib"
cp "$work/tools/lib/perf/libperf.a" "$work/tools/lib/api/libapi.a" "$work/stage/lib/"
mv "$work/stage" "$result"
rm -rf "$work"
say "installed in $result"
