/* SPDX-License-Identifier: GPL-2.0-only */
/* provenance.h: what a result must say about where and how it was made. */
#ifndef NSLAB_PROVENANCE_H
#define NSLAB_PROVENANCE_H

#include <jansson.h>
#include <stddef.h>

/* Every probed setting of the running system by name; what is absent reads "unknown". */
json_t *nslab_provenance_env(void);

/* Compiler, flags, options, version, sanitizers: {"compiler": ..., "is_for_timing": bool}. */
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
