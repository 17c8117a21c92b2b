/* SPDX-License-Identifier: GPL-2.0-only */
/* cpu_id.h: which CPU this is, from the text of /proc/cpuinfo. */
#ifndef NSLAB_CPU_ID_H
#define NSLAB_CPU_ID_H

#include <stddef.h>

/* On ARM: vendor is the implementer ("0x41"), family the part number, model 0. */
struct nslab_cpu_id {
	char vendor[24]; /* "GenuineIntel", "AuthenticAMD", "0x41"; "" when unknown */
	int family, model;
};

/* The first CPU that the text describes; what it does not say is "" or -1. */
void nslab_cpu_id_parse(const char *cpuinfo, struct nslab_cpu_id *id);

/* This machine's. */
void nslab_cpu_id_read(struct nslab_cpu_id *id);

/* "AuthenticAMD family 25 model 17", "implementer 0x41 part 0xd0c", "an unknown CPU". */
void nslab_cpu_id_text(const struct nslab_cpu_id *id, char *text, size_t bytes);

#endif
