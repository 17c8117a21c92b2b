/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * provenance.c: reads the settings that move benchmark figures, and states how this binary was
 * built.
 *
 * One table of files; each is read as text and kept verbatim, trimmed. A file that is not there or
 * may not be read gives "unknown", never a guess and never "ok". Nothing here changes a setting or
 * judges one.
 */
#define _GNU_SOURCE
#include "runner/provenance.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *path;
} probes[] = {
	{"kernel_version", "/proc/version"},
	{"kernel_cmdline", "/proc/cmdline"},
	{"governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"},
	{"scaling_driver", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"},
	{"intel_no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo"},
	{"boost", "/sys/devices/system/cpu/cpufreq/boost"},
	{"smt_active", "/sys/devices/system/cpu/smt/active"},
	{"isolated_cpus", "/sys/devices/system/cpu/isolated"},
	{"online_cpus", "/sys/devices/system/cpu/online"},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource"},
	{"randomize_va_space", "/proc/sys/kernel/randomize_va_space"},
	{"thp_enabled", "/sys/kernel/mm/transparent_hugepage/enabled"},
	{"thp_defrag", "/sys/kernel/mm/transparent_hugepage/defrag"},
	{"numa_balancing", "/proc/sys/kernel/numa_balancing"},
	{"zone_reclaim_mode", "/proc/sys/vm/zone_reclaim_mode"},
	{"ksm_run", "/sys/kernel/mm/ksm/run"},
	{"perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid"},
	{"cgroup_cpu_max", "/sys/fs/cgroup/cpu.max"},
	{"cpuset_cpus", "/sys/fs/cgroup/cpuset.cpus.effective"},
	{"cpuset_mems", "/sys/fs/cgroup/cpuset.mems.effective"},
	{"loadavg", "/proc/loadavg"},
	{"pressure_cpu", "/proc/pressure/cpu"},
	{"buddyinfo", "/proc/buddyinfo"},
};

static void read_text(const char *path, char *text, size_t bytes)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, bytes - 1, file) : 0;

	if (file)
		fclose(file);
	while (n && strchr(" \n\t", text[n - 1]))
		n--;
	text[n] = '\0';
	if (!n)
		snprintf(text, bytes, "unknown");
}

json_t *nslab_provenance_env(void)
{
	json_t *env = json_object();
	char text[4096];

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		read_text(probes[i].path, text, sizeof(text));
		json_object_set_new(env, probes[i].name, json_string(text));
	}
	return env;
}

const char *nslab_version(void)
{
	return NSLAB_VERSION;
}

const char *nslab_provenance_build_warning(void)
{
#if defined(__SANITIZE_THREAD__)
	return "built with the thread sanitizer: timings mean nothing";
#elif defined(__SANITIZE_ADDRESS__)
	return "built with the address sanitizer: timings mean nothing";
#elif !defined(__OPTIMIZE__)
	return "built without optimisation: timings mean nothing";
#else
	return "";
#endif
}

/* 64-bit FNV-1a of the file that runs: another build of the same version is another program. */
static void binary_fingerprint(char text[32])
{
	FILE *file = fopen("/proc/self/exe", "re");
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	unsigned char buffer[65536];
	size_t n;

	snprintf(text, 32, "unknown");
	if (!file)
		return;
	while ((n = fread(buffer, 1, sizeof(buffer), file))) {
		for (size_t i = 0; i < n; i++)
			hash = (hash ^ buffer[i]) * UINT64_C(0x100000001b3);
	}
	if (!ferror(file))
		snprintf(text, 32, "fnv1a:%016" PRIx64, hash);
	fclose(file);
}

json_t *nslab_provenance_build(void)
{
	char binary[32];

	binary_fingerprint(binary);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "binary", binary, "version",
			 NSLAB_VERSION, "compiler", __VERSION__, "build_type", NSLAB_BUILD_TYPE,
			 "c_flags", NSLAB_C_FLAGS, "is_for_timing",
			 !*nslab_provenance_build_warning());
}

void nslab_provenance_kernel(char *text, size_t bytes)
{
	struct utsname name;

	if (uname(&name))
		snprintf(text, bytes, "unknown");
	else
		snprintf(text, bytes, "%s %s %s", name.sysname, name.release, name.machine);
}

void nslab_provenance_host(char *text, size_t bytes)
{
	if (gethostname(text, bytes))
		snprintf(text, bytes, "unknown");
	text[bytes - 1] = '\0';
}

void nslab_provenance_uuid(char text[37])
{
	uint8_t b[16] = {0};

	if (getrandom(b, sizeof(b), 0) < 0)
		b[0] = (uint8_t)time(NULL);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

void nslab_provenance_now(char text[32])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
