/* SPDX-License-Identifier: GPL-2.0-only */
/* provenance.h: what a result must say about where and how it was made. */
#ifndef NSLAB_PROVENANCE_H
#define NSLAB_PROVENANCE_H

#include <jansson.h>
#include <stddef.h>

/*
 * {"host_id", "boot_id", "boot_time", "plan_sha256", "topology_sha256", "before": snapshot}, the
 * host below sysroot (NULL: the machine). Texts may be NULL; what is unknown is null or "unknown".
 * NULL when memory is out or the root cannot be opened.
 */
json_t *nslab_provenance_env(const char *sysroot, const char *plan_text, const char *hwloc_xml);
/* {"taken": UTC, "probes": {name: {"state", "value", "why"}}}, see runner/host/probes.h. */
json_t *nslab_provenance_snapshot(const char *sysroot);

/* Version, commit ("is_dirty": true when files differ from it, null when unknown), compiler, libc,
 * flags: {"compiler": ..., "is_for_timing": bool}. */
json_t *nslab_provenance_build(void);

/* "" or why timings of this binary mean nothing ("built with address sanitizer"). */
const char *nslab_provenance_build_warning(void);

const char *nslab_version(void);

/* "Linux 6.1.0 x86_64"; host name; a random UUID; UTC time as 2026-11-22T02:20:57Z. */
void nslab_provenance_kernel(char *text, size_t bytes);
void nslab_provenance_host(char *text, size_t bytes);
void nslab_provenance_uuid(char text[37]);
void nslab_provenance_now(char text[32]);

#endif
