#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Hosts that refuse something: system calls, PUs, /sys, a place to write, a counter. Each gives a run
# that says what it could not do, or one line and exit 2. What this machine cannot play is told.
# usage: test_hosts.sh NUMASLAB DENY MAKE-SYSROOTS PLANS_FOLDER
set -u
numaslab=$1 deny=$2 make=$3
export NUMASLAB_PLANS=$4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
nr_runs=0

fail()
{
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS WORDS COMMAND...; $run is a folder that is not there yet
expect()
{
	local status=$1 words=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got = "$status" ] || fail "$* ended $got, not $status: $(cat "$dir/err")"
	cat "$dir/out" "$dir/err" | tr '\n' ' ' | tr -s ' ' | grep -qF -- "$words" ||
		fail "$* does not say '$words': $(cat "$dir/out" "$dir/err")"
	nr_runs=$((nr_runs + 1))
	run=$dir/run-$nr_runs
}

cat >"$dir/plan.ini" <<'INI'
[global]
allocator = slub, nodelocal
baseline = slub
blocks = 1
windows = 2
window_ms = 1
warmup_ms = 1
time_limit_s = 60
node_mib = 16

[one]
workload = pingpong
size = 64
INI
plan=$dir/plan.ini
run=$dir/run-0

# ---- seccomp: placement cannot be had, or not be checked; figures come all the same
"$deny" mbind true
if [ $? = 77 ]; then
	echo "skipped: no seccomp filters here"
else
	for call in mbind move_pages; do
		expect 0 "placement unavailable: seccomp: $call" \
			"$deny" $call "$numaslab" run "$plan" -o "$run" --no-plots
		grep -qE '^nodelocal +[0-9.]+ ' "$dir/out" || fail "$call: no figures"
	done
	# pages that nobody could look up are not right and not wrong
	grep -qE '^nodelocal .* -$' "$dir/out" || fail "move_pages: a hit rate that nobody measured"
	expect 0 "hardware counters: absent" \
		"$deny" perf_event_open "$numaslab" run "$plan" -o "$run" --no-plots
	grep -qE '^nodelocal +[0-9.]+ ' "$dir/out" || fail "perf_event_open: no figures"
	expect 1 "cannot bind worker 0 to PU" \
		"$deny" sched_setaffinity "$numaslab" run "$plan" -o "$run" --no-plots
fi

# ---- one PU: what takes two is skipped and says so
expect 0 "takes 1 thread, not 2" taskset -c 0 "$numaslab" run "$plan" threads=1..2 -o "$run" --no-plots
if [ "$(nproc)" -gt 1 ]; then
	grep -qF 'taskset/cpuset leaves PUs 0' "$dir/err" || fail "the mask is not told"
fi
expect 2 "no cell can run here" taskset -c 0 "$numaslab" run "$plan" threads=2 -o "$run" --no-plots

# ---- no place to write, no /sys: in a mount namespace of our own
if unshare -m true 2>/dev/null; then
	mkdir "$dir/sealed"
	expect 2 "Read-only file system" unshare -m sh -c "mount -t tmpfs -o ro none '$dir/sealed' &&
		cd '$dir/sealed' && HOME='$dir/sealed' exec '$numaslab' run '$plan' --no-plots"
	expect 0 "results: $run" unshare -m sh -c "mount -t tmpfs -o ro none '$dir/sealed' &&
		cd '$dir/sealed' && HOME='$dir/sealed' exec '$numaslab' run '$plan' -o '$run'"
	expect 0 "nodelocal" unshare -m sh -c "mount -t tmpfs none /sys &&
		exec '$numaslab' run '$plan' -o '$run' --no-plots"
	grep -qE '^nodelocal +[0-9.]+ ' "$dir/out" || fail "without /sys: no figures"
	grep -qF '/sys' "$dir/err" || fail "without /sys: nobody says so: $(cat "$dir/err")"
else
	echo "skipped: no mount namespace of our own (needs root): read-only home, no /sys"
fi

# ---- a host on which figures mean nothing is refused by name; what only moves them is told
unset NUMASLAB_IGNORE
bash "$make" "$dir/servers" || exit 1
hpet=$dir/servers/good
echo hpet >"$hpet/sys/devices/system/clocksource/clocksource0/current_clocksource"
expect 2 "clocksource: hpet: reading the clock takes longer" \
	"$numaslab" run "$plan" --sysroot "$hpet" -o "$run" --no-plots
[ "$(wc -l <"$dir/err")" = 1 ] || fail "the refusal is not one line: $(cat "$dir/err")"
[ ! -e "$run" ] || fail "a refused run left a folder"
# nor does a self-test vouch for such a host, or calibration give its figures
for command in "selftest aa" "selftest inject" "selftest overhead" calibrate; do
	# shellcheck disable=SC2086
	expect 2 "clocksource: hpet: reading the clock takes longer" \
		"$numaslab" $command --sysroot "$hpet"
done
short="windows=2 window_ms=1 warmup_ms=1"
# shellcheck disable=SC2086
expect 0 "2 windows in 2 processes" "$numaslab" calibrate selftest-aa $short --processes 2 \
	--sysroot "$hpet" --ignore clocksource
expect 2 "quota_throttled: nr_throttled" \
	"$numaslab" run "$plan" --sysroot "$dir/servers/amd" -o "$run" --no-plots
tight=$dir/tight
cp -a "$dir/servers/amd" "$tight"
rm -f "$tight/sys/fs/cgroup/user.slice/cpu.stat"
echo 4 >"$tight/proc/sys/kernel/perf_event_paranoid"
expect 0 "cpu_quota, perf_paranoid; " \
	"$numaslab" run "$plan" --sysroot "$tight" -o "$run" --no-plots
expect 0 "warning: this host: governor, turbo" \
	"$numaslab" run "$plan" --sysroot "$dir/servers/intel" -o "$run" --no-plots
expect 0 "warning: this host: turbo" "$numaslab" run "$plan" --sysroot "$dir/servers/intel" \
	-o "$run" --no-plots --ignore governor
expect 0 "results: $run" "$numaslab" run "$plan" --sysroot "$hpet" -o "$run" --no-plots \
	--ignore clocksource
"$numaslab" export --json "$dir/run-$((nr_runs - 1))" >"$dir/json" 2>/dev/null
grep -q '"ignored": *\["clocksource"\]' "$dir/json" || fail "the result does not say what was ignored"
expect 0 "results: $run" "$numaslab" run "$plan" ignore=clocksource --sysroot "$hpet" \
	-o "$run" --no-plots
NUMASLAB_IGNORE=governor,clocksource expect 0 "results: $run" \
	"$numaslab" run "$plan" --sysroot "$hpet" -o "$run" --no-plots
# more huge pages than any pool holds: every cell says what it could not have
expect 1 "cannot take 1048576 MiB for each of 1 nodes from the pool of huge pages: Cannot allocate" \
	"$numaslab" run "$plan" huge=hugetlb node_mib=1048576 --sysroot "$dir/servers/intel" \
	--sim-nodes 1 -o "$run" --no-plots
echo 'HugePages_Free: 0' >"$hpet/meminfo" && mv -f "$hpet/meminfo" "$hpet/proc/meminfo"
expect 2 "huge_pages: the plan says huge=hugetlb, and the pool of huge pages is empty" \
	"$numaslab" run "$plan" huge=hugetlb --ignore clocksource --sysroot "$hpet" -o "$run"
expect 2 "did you mean 'clocksource'" "$numaslab" run "$plan" --ignore clocksourse

[ $failures = 0 ] || exit 1
