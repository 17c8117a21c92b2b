#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# arm_build.sh CACHE LIBPERF: fetches what an arm64 guest needs into CACHE and cross-builds our programs
# in CACHE/build. LIBPERF is the folder that fetch-libperf.sh keeps the sources of libperf in. Status 77
# with the reason when this host cannot; the guests that need it then skip for the same reason.
here=$(readlink -f "$(dirname "$0")")
top=$here/../..
cache=$1 libperf=$2 triplet=aarch64-linux-gnu
mkdir -p "$cache"
rm -f "$cache/skip"

skip() {
	echo "skip: $*" | tee "$cache/skip"
	exit 77
}

for tool in qemu-system-aarch64 $triplet-gcc cmake ninja; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done
said=$("$here/arm_packages.sh" "$cache" 2>&1) || {
	status=$?
	[ $status != 77 ] || skip "${said#skip: }"
	echo "$said"
	exit $status
}
"$top/cmake/fetch-libperf.sh" "$libperf" $triplet >"$cache/libperf.log" 2>&1 ||
	skip "no libperf for arm64: $(tail -n 1 "$cache/libperf.log")"

{
	[ -e "$cache/build/build.ninja" ] || cmake -S "$here/arm" -B "$cache/build" -G Ninja \
		-DCMAKE_TOOLCHAIN_FILE="$top/cmake/$triplet.cmake" -DNUMASLAB_WERROR=ON \
		-DSYSROOT="$(readlink -f "$cache")/sysroot" \
		-DNUMASLAB_LIBPERF_ROOT="$(readlink -f "$libperf")/libperf-$triplet"
} && cmake --build "$cache/build"
