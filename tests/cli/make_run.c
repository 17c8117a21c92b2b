/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_run.c: writes a synthetic run file for the shell tests.
 *
 *	make_run FILE [blocks=N] [scale=X] [seed=N] [host=NAME] [simulated] [unfinished] [crash]
 *		[families=N] [bare] [odd] [bulk]
 *	make_run FILE table
 *
 * The second form prints the table of a run. See tests/unit/synthetic_run.h for what is in it. Left
 * out: everything that a real run measures.
 */
#include "results/table.h"
#include "tests/unit/synthetic_run.h"

#include <stdlib.h>

static int print_table(const char *path)
{
	struct nslab_run_file file;
	struct nslab_err err = {""};

	if (nslab_run_file_open(path, &file, &err) ||
	    nslab_results_table(file.list, &file.run, file.status, file.harness_ns, stdout,
				NSLAB_TABLE_COLUMNS)) {
		fprintf(stderr, "make_run: %s\n", err.text);
		return 1;
	}
	nslab_run_file_close(&file);
	return 0;
}

int main(int argc, char **argv)
{
	struct synthetic_spec spec = {
		.nr_blocks = 12, .scale = 1.0, .seed = 1, .is_finished = true};
	struct nslab_err err = {""};

	if (argc < 2)
		return 2;
	if (argc == 3 && !strcmp(argv[2], "table"))
		return print_table(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "blocks=", 7))
			spec.nr_blocks = atoi(argv[i] + 7);
		else if (!strncmp(argv[i], "scale=", 6))
			spec.scale = atof(argv[i] + 6);
		else if (!strncmp(argv[i], "seed=", 5))
			spec.seed = strtoull(argv[i] + 5, NULL, 10);
		else if (!strncmp(argv[i], "host=", 5))
			spec.host_name = argv[i] + 5;
		else if (!strncmp(argv[i], "families=", 9))
			spec.nr_families = atoi(argv[i] + 9);
		else if (!strcmp(argv[i], "bare"))
			spec.is_bare = true;
		else if (!strcmp(argv[i], "odd"))
			spec.is_odd = true;
		else if (!strcmp(argv[i], "bulk"))
			spec.is_bulk = true;
		else if (!strcmp(argv[i], "simulated"))
			spec.is_simulated = true;
		else if (!strcmp(argv[i], "unfinished"))
			spec.is_finished = false;
		else if (!strcmp(argv[i], "crash"))
			spec.has_crash = true;
		else
			return 2;
	}
	if (synthetic_write(argv[1], &spec, &err)) {
		fprintf(stderr, "make_run: %s\n", err.text);
		return 1;
	}
	return 0;
}
