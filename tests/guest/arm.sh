#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# arm.sh CACHE pmu | arm.sh CACHE backends lse|llsc BACKEND...: what arm_build.sh made, in an arm64 guest.
#
# pmu: the counter library on a PMUv3 through the kernel's own driver. With -icount the PMU has cycles and
# instructions and they are exact; without it, cycles alone. What must hold is in arm/counters.c.
# backends: the conformance suite, so that the double-word CAS of this architecture runs: on a CPU that
# has the atomic instructions (lse), or on one that must loop (llsc). Counts of misses, or how fast
# anything is, are never taken from a guest.
here=$(readlink -f "$(dirname "$0")")
cache=$1 what=$2
built=$cache/build
[ ! -e "$cache/skip" ] || { cat "$cache/skip"; exit 77; }

# guest MODEL OPTION...
guest() {
	local model=$1

	shift
	"$here/guest.sh" --kernel "$cache/vmlinuz" --arch aarch64 --busybox "$cache/busybox" \
		--cpu "$model" "$@"
}

pmu() {
	local counters=(neoverse-n1 --node cpus=1,mib=256 --program "$built/arm_counters")

	guest "${counters[@]}" --qemu -icount --qemu shift=0 arm_counters &&
		guest "${counters[@]}" 'arm_counters no-instructions'
}

# backends lse|llsc BACKEND...
backends() {
	local symbols model=cortex-a57 features='! grep -wq atomics /proc/cpuinfo'

	symbols=$(aarch64-linux-gnu-nm "$built/test_conformance")
	grep -q __aarch64_cas16 <<<"$symbols" && ! grep -q libat_compare_exchange_16 <<<"$symbols" || {
		echo "failed: the double-word CAS is a call of libatomic, which takes a lock"
		return 1
	}
	if [ "$1" = lse ]; then
		model=neoverse-n1
		features=${features#! }
	fi
	shift
	guest $model --limit 280 --node cpus=2,mib=512 --program "$built/test_conformance" "
$features || { echo 'failed: this CPU model is the wrong one'; exit 1; }
status=0
for name in $*; do
	echo \"== \$name\"
	test_conformance \$name || { echo \"failed: \$name\"; status=1; }
done
exit \$status"
}

shift 2
case $what in
pmu) pmu ;;
backends) backends "$@" ;;
*) exit 2 ;;
esac
