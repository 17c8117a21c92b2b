/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.h: the machine's matrices, measured: node x node latency and bandwidth, PU x PU hand-over
 * of a cache line.
 */
#ifndef NSLAB_TOPOLOGY_MEASURE_H
#define NSLAB_TOPOLOGY_MEASURE_H

#include "core/clock.h"
#include "topology/topology.h"

#include <numaslab/types.h>

#define NSLAB_MATRIX_PUS_MAX 32 /* more PUs: so many of them, spread over the cores */

/* NaN: not measured. `from` is where the reading PU is at home. */
struct nslab_matrix {
	int nr_nodes, nr_pus;
	int *pus;	       /* [nr_pus] positions in topo->pus */
	double *latency_ns;    /* [from * nr_nodes + to] of one dependent load */
	double *bandwidth_mbs; /* [from * nr_nodes + to] 10^6 bytes/s, read by one PU */
	double *handover_ns;   /* [a * nr_pus + b] of a line from one PU to the other */
	size_t buffer_bytes;   /* on each node */
	bool is_hardware;      /* false: `note` says why these are not hardware's NUMA figures */
	char note[256];
};

/* What is measured; tests plant their own. 0, or a negative errno: the place stays NaN. */
struct nslab_matrix_probe {
	int (*read)(struct nslab_matrix_probe *probe, int pu, int node, double *latency_ns,
		    double *bandwidth_mbs);
	int (*handover)(struct nslab_matrix_probe *probe, int a, int b, double *ns);
};

/*
 * Measures this machine, in about 0.5 s for each pair of nodes and 20 ms for each pair of PUs.
 * -EINVAL for a topology that is not this machine.
 */
int nslab_matrix_measure(const struct nslab_topo *topo, struct nslab_matrix **matrix,
			 struct nslab_err *err);
/* The same with a probe of one's own. */
int nslab_matrix_fill(const struct nslab_topo *topo, struct nslab_matrix_probe *probe,
		      struct nslab_matrix **matrix, struct nslab_err *err);
void nslab_matrix_free(struct nslab_matrix *matrix); /* NULL is fine */

/* Beside what the firmware says, in at most `columns`. */
void nslab_matrix_print(const struct nslab_matrix *matrix, const struct nslab_topo *topo, FILE *out,
			int columns);
json_t *nslab_matrix_json(const struct nslab_matrix *matrix, const struct nslab_topo *topo);

/* True when files below root ("" or a fixture) show that this is a guest; `sign` says which. */
bool nslab_is_guest(const char *root, char *sign, size_t sign_bytes);

/* ---- the pieces, for tests ---- */

struct nslab_chase_line {
	NSLAB_ALIGNED(64) struct nslab_chase_line *next;
};

/* Links the lines into one cycle through all of them, in random order. */
void nslab_chase_link(struct nslab_chase_line *lines, size_t nr, uint64_t seed);
/* Median ns of a step over rows of nr_steps; the chase goes on where the row before ended. */
double nslab_chase_time(const struct nslab_chase_line *lines, size_t nr_steps, int nr_rows,
			const struct nslab_clock *clock);
/* Median of what is in values, which are put in order; NaN when there is none. */
double nslab_matrix_median(double *values, int nr);
/* Bytes of a buffer that no CPU cache holds: 4 times the largest, 32 to 256 MiB. */
size_t nslab_chase_bytes(const struct nslab_topo *topo);

#endif
