/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.c: which places of the matrices are measured, from where, and what they may be called.
 *
 * A node's figures are taken by the first usable PU that is at home there; a node without one, and
 * a node without memory, leave their row or column unmeasured, which is NaN and not zero. PUs are
 * measured in pairs, each pair once, since a hand-over there and back is timed. More PUs than fit
 * are thinned evenly: first threads of cores before their siblings.
 *
 * Figures taken in a guest, on simulated nodes, or where the kernel refuses to bind memory are not
 * the hardware's NUMA latency, and the matrix says so itself. The probe that really measures is in
 * measure_probe.c; everything here runs on a made-up one too.
 */
#include "topology/measure.h"

#include "core/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHASE_BYTES_MIN ((size_t)32 << 20)
#define CHASE_BYTES_MAX ((size_t)256 << 20)
#define CHASE_ROWS_MAX	64

/* ---- the chase ---- */

/*
 * Sattolo's shuffle: swapping each line's successor only with that of an earlier line leaves one
 * cycle, where an ordinary shuffle leaves several and a chase sees one of them.
 */
void nslab_chase_link(struct nslab_chase_line *lines, size_t nr, uint64_t seed)
{
	for (size_t i = 0; i < nr; i++)
		lines[i].next = &lines[i];
	for (size_t i = nr; i > 1; i--) {
		size_t j = nslab_rng_below(&seed, (uint32_t)(i - 1));
		struct nslab_chase_line *swap = lines[i - 1].next;

		lines[i - 1].next = lines[j].next;
		lines[j].next = swap;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double nslab_matrix_median(double *values, int nr)
{
	if (nr < 1)
		return NAN;
	qsort(values, (size_t)nr, sizeof(*values), by_value);
	return values[nr / 2];
}

double nslab_chase_time(const struct nslab_chase_line *lines, size_t nr_steps, int nr_rows,
			const struct nslab_clock *clock)
{
	const struct nslab_chase_line *at = lines;
	double rows[CHASE_ROWS_MAX];
	int nr = nr_rows < CHASE_ROWS_MAX ? nr_rows : CHASE_ROWS_MAX;

	for (int row = 0; row < nr; row++) {
		uint64_t start = nslab_now_ns(clock);

		for (size_t i = 0; i < nr_steps; i++)
			at = at->next;
		__asm__ volatile("" : : "r"(at) : "memory"); /* the chase is wanted */
		rows[row] = (double)(nslab_now_ns(clock) - start) / (double)nr_steps;
	}
	return nslab_matrix_median(rows, nr);
}

size_t nslab_chase_bytes(const struct nslab_topo *topo)
{
	uint64_t largest = 0;
	size_t bytes;

	for (int i = 0; i < topo->nr_caches; i++) {
		if (topo->caches[i].level > 0 && topo->caches[i].size_bytes > largest)
			largest = topo->caches[i].size_bytes;
	}
	bytes = largest > CHASE_BYTES_MAX / 4 ? CHASE_BYTES_MAX : 4 * (size_t)largest;
	return bytes < CHASE_BYTES_MIN ? CHASE_BYTES_MIN : bytes;
}

/* ---- the matrix ---- */

void nslab_matrix_free(struct nslab_matrix *matrix)
{
	if (!matrix)
		return;
	free(matrix->pus);
	free(matrix->latency_ns);
	free(matrix->bandwidth_mbs);
	free(matrix->handover_ns);
	free(matrix);
}

static double *matrix_places(int nr)
{
	size_t nr_places = (size_t)nr * (size_t)nr;
	double *places = calloc(nr_places + 1, sizeof(*places));

	for (size_t i = 0; places && i < nr_places; i++)
		places[i] = NAN;
	return places;
}

static int matrix_candidates(const struct nslab_topo *topo, bool is_first_only, int *pus)
{
	int nr = 0;

	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].is_usable && (!is_first_only || !topo->pus[i].smt))
			pus[nr++] = i;
	}
	return nr;
}

static int matrix_pus(const struct nslab_topo *topo, struct nslab_matrix *matrix)
{
	int nr;

	matrix->pus = calloc((size_t)topo->nr_pus + 1, sizeof(*matrix->pus));
	if (!matrix->pus)
		return -ENOMEM;
	nr = matrix_candidates(topo, false, matrix->pus);
	if (nr > NSLAB_MATRIX_PUS_MAX)
		nr = matrix_candidates(topo, true, matrix->pus);
	matrix->nr_pus = nr < NSLAB_MATRIX_PUS_MAX ? nr : NSLAB_MATRIX_PUS_MAX;
	for (int i = 0; i < matrix->nr_pus; i++)
		matrix->pus[i] = matrix->pus[i * nr / matrix->nr_pus];
	return 0;
}

/* First usable PU at home on the node, or -1. */
static int matrix_reader(const struct nslab_topo *topo, int node)
{
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].is_usable && topo->pus[i].node == node)
			return i;
	}
	return -1;
}

static void matrix_nodes(const struct nslab_topo *topo, struct nslab_matrix_probe *probe,
			 struct nslab_matrix *matrix)
{
	for (int from = 0; from < topo->nr_nodes; from++) {
		int pu = matrix_reader(topo, from);

		for (int to = 0; pu >= 0 && to < topo->nr_nodes; to++) {
			int at = from * topo->nr_nodes + to;

			if (topo->nodes[to].memory_bytes)
				probe->read(probe, pu, to, &matrix->latency_ns[at],
					    &matrix->bandwidth_mbs[at]);
		}
	}
}

static void matrix_handovers(struct nslab_matrix_probe *probe, struct nslab_matrix *matrix)
{
	int nr = matrix->nr_pus;

	for (int a = 0; a < nr; a++) {
		for (int b = a + 1; b < nr; b++) {
			double ns = NAN;

			if (probe->handover(probe, matrix->pus[a], matrix->pus[b], &ns))
				ns = NAN;
			matrix->handover_ns[a * nr + b] = matrix->handover_ns[b * nr + a] = ns;
		}
	}
}

int nslab_matrix_fill(const struct nslab_topo *topo, struct nslab_matrix_probe *probe,
		      struct nslab_matrix **result, struct nslab_err *err)
{
	struct nslab_matrix *matrix = calloc(1, sizeof(*matrix));

	if (!matrix || matrix_pus(topo, matrix))
		goto no_memory;
	matrix->nr_nodes = topo->nr_nodes;
	matrix->buffer_bytes = nslab_chase_bytes(topo);
	matrix->is_hardware = true;
	matrix->latency_ns = matrix_places(matrix->nr_nodes);
	matrix->bandwidth_mbs = matrix_places(matrix->nr_nodes);
	matrix->handover_ns = matrix_places(matrix->nr_pus);
	if (!matrix->latency_ns || !matrix->bandwidth_mbs || !matrix->handover_ns)
		goto no_memory;
	matrix_nodes(topo, probe, matrix);
	matrix_handovers(probe, matrix);
	*result = matrix;
	return 0;
no_memory:
	nslab_matrix_free(matrix);
	return nslab_fail(err, -ENOMEM, "cannot measure the machine: out of memory");
}

/* ---- is it a machine? ---- */

static const struct {
	const char *path;
	const char *words[6]; /* any of them */
} guest_signs[] = {
	{"/proc/cpuinfo", {" hypervisor"}},
	{"/sys/class/dmi/id/sys_vendor", {"QEMU", "VMware", "innotek", "Xen"}},
	{"/sys/class/dmi/id/product_name",
	 {"KVM", "Virtual Machine", "VirtualBox", "Bochs", "QEMU", "Google Compute Engine"}},
	{"/sys/hypervisor/type", {"xen", "kvm"}},
};

bool nslab_is_guest(const char *root, char *sign, size_t sign_bytes)
{
	char path[4096], text[8192];

	for (size_t i = 0; i < sizeof(guest_signs) / sizeof(guest_signs[0]); i++) {
		FILE *file;
		size_t n;

		snprintf(path, sizeof(path), "%s%s", root, guest_signs[i].path);
		file = fopen(path, "re");
		n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
		if (file)
			fclose(file);
		text[n] = '\0';
		for (int w = 0; w < 6 && guest_signs[i].words[w]; w++) {
			const char *word = guest_signs[i].words[w];

			if (!strstr(text, word))
				continue;
			snprintf(sign, sign_bytes, "%s says '%s'", guest_signs[i].path,
				 word + (*word == ' '));
			return true;
		}
	}
	return false;
}
