/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * provenance.c: what a result must say about where, when and of what it was made.
 *
 * The host's probes (runner/host/) are taken before and after a run, with slab and buddy tables
 * among them, so that a reader can tell what changed meanwhile. Long inputs are stored beside their
 * SHA-256. The host is named by a hash of its machine-id under a salt of this project: two runs of
 * one host can be paired, and the machine-id, which other programs keep secret, is not given away.
 * What cannot be read is "unknown" or null, never a guess. Nothing here changes a setting.
 */
#define _GNU_SOURCE
#include "runner/provenance.h"

#include "runner/host/probes.h"

#include <gnu/libc-version.h>
#include <inttypes.h>
#include <revision.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifdef __clang__
# define PROVENANCE_COMPILER "" /* names itself */
#else
# define PROVENANCE_COMPILER "gcc "
#endif
#define HOST_ID_SALT "numaslab host 1:"

static json_t *sha256_json(const char *text)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	if (!text)
		return json_null();
	return json_string(SHA256Data((const uint8_t *)text, strlen(text), hex));
}

static json_t *host_id_json(const struct nslab_host_root *root)
{
	char salted[256], id[128];

	nslab_host_read_word(root, "/etc/machine-id", id, sizeof(id));
	if (!strcmp(id, "unknown"))
		return json_null();
	snprintf(salted, sizeof(salted), HOST_ID_SALT "%s", id);
	return sha256_json(salted);
}

static void utc_text(time_t when, char text[32])
{
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* "btime SECONDS" of /proc/stat. */
static json_t *boot_time_json(const struct nslab_host_root *root)
{
	json_t *json = NULL;
	char *text, *at, when[32];

	if (nslab_host_read(root, "/proc/stat", &text, NULL))
		return json_null();
	at = strstr(text, "\nbtime ");
	if (at) {
		utc_text((time_t)strtoll(at + 7, NULL, 10), when);
		json = json_string(when);
	}
	free(text);
	return json ? json : json_null();
}

static json_t *probes_json(const struct nslab_host_root *root)
{
	struct nslab_host_report report;
	json_t *probes = NULL;

	if (!nslab_host_report_read(root, &report))
		probes = nslab_host_report_json(&report);
	nslab_host_report_free(&report);
	return probes;
}

static json_t *snapshot_json(const struct nslab_host_root *root)
{
	char now[32];

	nslab_provenance_now(now);
	return json_pack("{s:s, s:o*}", "taken", now, "probes", probes_json(root));
}

json_t *nslab_provenance_env(const char *sysroot, const char *plan_text, const char *hwloc_xml)
{
	struct nslab_host_root root;
	char boot_id[64];
	json_t *env;

	if (nslab_host_root_open(sysroot, &root, NULL))
		return NULL;
	nslab_host_read_word(&root, "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	env = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "host_id", host_id_json(&root), "boot_id",
			boot_id, "boot_time", boot_time_json(&root), "plan_sha256",
			sha256_json(plan_text), "topology_sha256", sha256_json(hwloc_xml), "before",
			snapshot_json(&root));
	nslab_host_root_close(&root);
	return env;
}

json_t *nslab_provenance_snapshot(const char *sysroot)
{
	struct nslab_host_root root;
	json_t *snapshot;

	if (nslab_host_root_open(sysroot, &root, NULL))
		return NULL;
	snapshot = snapshot_json(&root);
	nslab_host_root_close(&root);
	return snapshot;
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
	json_t *is_dirty = NSLAB_GIT_DIRTY < 0 ? json_null() : json_boolean(NSLAB_GIT_DIRTY);

	binary_fingerprint(binary);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:b}", "binary", binary,
			 "version", NSLAB_VERSION, "git_sha", NSLAB_GIT_SHA, "is_dirty", is_dirty,
			 "compiler", PROVENANCE_COMPILER __VERSION__, "libc",
			 json_sprintf("glibc %s", gnu_get_libc_version()), "build_type",
			 NSLAB_BUILD_TYPE, "c_flags", NSLAB_C_FLAGS, "is_for_timing",
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
	utc_text(time(NULL), text);
}
