#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# make.sh DIR: three trees shaped like the /proc and /sys of a server, in DIR/good, DIR/intel and DIR/amd.
# good: 4 PUs in 2 packages, everything that `numaslab env` looks at is there and nothing is wrong.
# intel, amd: the same with 8 PUs as such servers come: powersave or schedutil governor, turbo and SMT on,
# huge pages always, automatic NUMA balancing; the Intel one was throttled by heat, the AMD one by a quota.
set -eu
[ $# = 1 ] || { echo "usage: make.sh DIR" >&2; exit 2; }
mkdir -p "$1"
top=$(readlink -f "$1")

umask 022
read_only=() private=()

# put PATH TEXT [MODE]: one file of the tree; \n in TEXT is a new line. Modes are set at the end.
put()
{
	local file=$root$1
	[ -d "${file%/*}" ] || mkdir -p "${file%/*}"
	printf '%b\n' "$2" >"$file"
	case ${3:-} in
	0444) read_only+=("$file") ;;
	0400) private+=("$file") ;;
	esac
}

cpus=/sys/devices/system/cpu

# cpu N GOVERNOR DRIVER SIBLINGS
cpu()
{
	local cpu=$cpus/cpu$1 state

	put $cpu/cpufreq/scaling_governor "$2"
	put $cpu/cpufreq/scaling_driver "$3"
	put $cpu/cpufreq/scaling_min_freq 800000
	put $cpu/cpufreq/scaling_max_freq 3400000
	put $cpu/topology/thread_siblings_list "$4" 0444
	for state in 0:0 1:2 2:133; do
		put $cpu/cpuidle/state${state%:*}/latency ${state#*:} 0444
		put $cpu/cpuidle/state${state%:*}/disable 0
	done
}

# heat N COUNT: how often the core of PU N was slowed down
heat()
{
	put $cpus/cpu$1/thermal_throttle/core_throttle_count $2 0444
	put $cpus/cpu$1/thermal_throttle/package_throttle_count 0 0444
}

kernel()
{
	put /proc/version 'Linux version 6.12.0 (builder@example) (gcc 12.2.0) #1 SMP' 0444
	put /proc/cmdline 'root=/dev/sda1 ro quiet' 0444
	put /proc/sys/kernel/osrelease 6.12.0 0444
	put /boot/config-6.12.0 'CONFIG_SLUB=y\nCONFIG_SLUB_STATS=n\nCONFIG_HZ=250\nCONFIG_FOO=y\nCONFIG_PREEMPT_VOLUNTARY=y'
	put /proc/sys/kernel/random/boot_id 11111111-2222-4333-8444-555555555555 0444
	put /proc/sys/kernel/randomize_va_space 2
	put /proc/sys/kernel/perf_event_paranoid 2
	put /proc/sys/kernel/perf_event_max_sample_rate 100000
	put /etc/machine-id 0123456789abcdef0123456789abcdef 0444
	put /sys/devices/system/clocksource/clocksource0/current_clocksource tsc
	put $cpus/vulnerabilities/meltdown 'Not affected' 0444
	put $cpus/vulnerabilities/spectre_v2 'Mitigation: Retpolines' 0444
	put /sys/class/dmi/id/bios_version 1.8.2 0444
	put /sys/class/dmi/id/product_name 'Example Server' 0444
	put /sys/class/hwmon/hwmon0/temp1_input 41000 0444
}

memory()
{
	local mm=/sys/kernel/mm node

	put $mm/transparent_hugepage/enabled 'always [madvise] never'
	put $mm/transparent_hugepage/defrag 'always defer defer+madvise [madvise] never'
	put $mm/transparent_hugepage/khugepaged/defrag 1
	put $mm/numa/demotion_enabled false
	put $mm/lru_gen/enabled 0x0007
	put $mm/ksm/run 0
	put /proc/sys/kernel/numa_balancing 0
	put /proc/sys/vm/zone_reclaim_mode 0
	put /proc/sys/vm/compaction_proactiveness 20
	put /proc/meminfo 'MemTotal: 4096 kB\nHugePages_Total:       8\nHugePages_Free:        8\nHugePages_Surp:        0\nHugepagesize:       2048 kB' 0444
	put /proc/vmstat 'nr_free_pages 1000\nnuma_hit 100\nnuma_pages_migrated 0' 0444
	put /proc/buddyinfo 'Node 0, zone   Normal      1      2      3' 0444
	put /proc/pagetypeinfo 'Page block order: 9' 0400
	put /proc/slabinfo 'slabinfo - version: 2.1' 0400
	for node in 0 1; do
		put /sys/devices/system/node/node$node/meminfo "Node $node MemTotal:  2048 kB\nNode $node MemFree:   1024 kB" 0444
	done
	put /sys/kernel/debug/extfrag/extfrag_index 'Node 0, zone Normal -1.000 -1.000' 0444
	put /sys/kernel/debug/extfrag/unusable_index 'Node 0, zone Normal 0.000 0.011' 0444
	put /proc/pressure/memory 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0' 0444
}

activity()
{
	put /proc/self/cgroup '0::/user.slice/job\\x2d1.scope' 0444
	put '/sys/fs/cgroup/user.slice/job\x2d1.scope/cpu.max' 'max 100000'
	put '/sys/fs/cgroup/user.slice/cpu.max' 'max 100000'
	put '/sys/fs/cgroup/user.slice/cpu.stat' 'usage_usec 5000\nnr_periods 0\nnr_throttled 0' 0444
	put /sys/fs/cgroup/cpuset.cpus.effective 0-3 0444
	put /sys/fs/cgroup/cpuset.mems.effective 0-1 0444
	put /proc/interrupts '           CPU0       CPU1\n  24:        100         50  PCI-MSI 0-edge  nvme0q0\n LOC:       1000       1000  Local timer interrupts' 0444
	put /proc/irq/default_smp_affinity f
	put /proc/irq/24/smp_affinity_list 0-3
	put /proc/stat 'cpu  1000 0 500 98000 10 0 5 0 0 0\ncpu0 250 0 125 24500 3 0 1 0 0 0\nbtime 1767225600' 0444
	put /proc/pressure/cpu 'some avg10=0.20 avg60=0.10 avg300=0.00 total=12345' 0444
	put /proc/loadavg '0.10 0.05 0.01 1/300 4242' 0444
	put /proc/self/schedstat '2575251 62533 1' 0444
	put /proc/cpuinfo 'processor\t: 0\nmicrocode\t: 0x2b0001\nprocessor\t: 1\nmicrocode\t: 0x2b0001' 0444
}

# base ROOT LAST-PU
base()
{
	root=$top/$1
	kernel
	memory
	activity
	put $cpus/online "0-$2" 0444
	put $cpus/isolated '' 0444
	put $cpus/nohz_full '(null)' 0444
}

# a server as it comes: what both vendors have in common
as_it_comes()
{
	put $cpus/smt/active 1 0444
	put $cpus/smt/control on
	put /sys/kernel/mm/transparent_hugepage/enabled '[always] madvise never'
	put /proc/sys/kernel/numa_balancing 1
	put /sys/kernel/mm/ksm/run 1
}

base good 3
for n in 0 1 2 3; do
	cpu $n performance intel_pstate $n
	heat $n 0
done
put $cpus/smt/active 0 0444
put $cpus/smt/control off
put $cpus/intel_pstate/no_turbo 1
put $cpus/intel_pstate/status active

base intel 7
for n in 0 1 2 3 4 5 6 7; do
	cpu $n powersave intel_pstate $((n % 4)),$((n % 4 + 4))
	heat $n $((n * 3))
done
as_it_comes
put $cpus/intel_pstate/no_turbo 0
put $cpus/intel_pstate/status active

base amd 7
for n in 0 1 2 3 4 5 6 7; do
	cpu $n schedutil acpi-cpufreq $((n % 4)),$((n % 4 + 4))
	put $cpus/cpu$n/cpufreq/boost 1
done
as_it_comes
put $cpus/cpufreq/boost 1
put $cpus/amd_pstate/status disable
put /sys/fs/cgroup/user.slice/cpu.max '150000 100000'
put /sys/fs/cgroup/user.slice/cpu.stat 'usage_usec 5000\nnr_periods 90\nnr_throttled 12' 0444

chmod 0444 "${read_only[@]}"
chmod 0400 "${private[@]}"
