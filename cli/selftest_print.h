/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_print.h: what the self-tests found, for people and for programs.
 */
#ifndef NSLAB_SELFTEST_PRINT_H
#define NSLAB_SELFTEST_PRINT_H

#include "runner/selftest.h"

#include <jansson.h>
#include <stdio.h>

/* Words of a verdict: "PASS", "FAIL", "NOISY". */
enum nslab_selftest_verdict {
	NSLAB_SELFTEST_PASS,
	NSLAB_SELFTEST_FAIL,
	NSLAB_SELFTEST_NOISY,	 /* the host is too noisy to tell */
	NSLAB_SELFTEST_UNPROVED, /* the kernel does not let us ask */
};

const char *nslab_selftest_word(enum nslab_selftest_verdict verdict);

/* JSON objects without a verdict; NULL when memory is out. */
json_t *nslab_aa_json(const struct nslab_aa *aa);
json_t *nslab_injection_json(const struct nslab_injection *injection);
json_t *nslab_overhead_json(const struct nslab_overhead *overhead);
json_t *nslab_placement_json(const struct nslab_node_proof *proofs, int nr);
json_t *nslab_calibration_json(const struct nslab_calibration *rows, size_t nr, double precision);

/* At most 80 columns, without the line of the verdict. */
void nslab_aa_print(const struct nslab_aa *aa, FILE *out);
void nslab_injection_print(const struct nslab_injection *injection, FILE *out);
void nslab_overhead_print(const struct nslab_overhead *overhead, FILE *out);
void nslab_placement_print(const struct nslab_node_proof *proofs, int nr, FILE *out);
void nslab_calibration_print(const struct nslab_calibration *rows, size_t nr, double precision,
			     FILE *out);

#endif
