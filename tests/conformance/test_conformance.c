/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_conformance.c NAME [debug] [KEY=VALUE]...: holds one built-in allocator, with these
 * parameters, against the suite, in this process.
 *
 * The check command forks for each check; here everything stays in one process, so that sanitizers
 * see all of it, also at its end. Skips are printed with their reasons, and an allocator whose
 * checks are all skipped fails: then nothing was tested. Nothing here depends on the machine.
 */
#include "core/param.h"
#include "runner/conformance.h"
#include "runner/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_all(const struct nslab_conformance_target *target)
{
	struct nslab_conformance_check check;
	unsigned nr[3] = {0};

	for (size_t i = 0; (check = nslab_conformance_at(i)).name; i++) {
		struct nslab_conformance_result result;

		nslab_conformance_run(target, i, &result);
		nr[result.verdict]++;
		printf("%s %-14s %s\n", nslab_check_verdict_word(result.verdict), check.name,
		       result.text);
		fflush(stdout);
	}
	return nr[NSLAB_VERDICT_FAIL] || !nr[NSLAB_VERDICT_PASS];
}

/* Defaults and what the command line says; NULL after a message. */
static void *read_params(const struct nslab_allocator_ops *ops, char **argv, int argc)
{
	void *params = calloc(1, ops->params_size ? ops->params_size : 1);
	struct nslab_err err = {""};
	int rc = params ? nslab_param_defaults(ops->params, params, &err) : -ENOMEM;

	for (int i = 0; i < argc && !rc; i++) {
		char *value = strchr(argv[i], '=');
		const struct nslab_param *row;

		if (value)
			*value++ = '\0';
		row = nslab_param_find(ops->params, argv[i]);
		rc = row && value ? nslab_param_set(row, value, params, &err) : -EINVAL;
	}
	if (!rc)
		return params;
	fprintf(stderr, "test_conformance: bad parameter: %s\n", err.text);
	free(params);
	return NULL;
}

int main(int argc, char **argv)
{
	struct nslab_conformance_target target = {.seed = 20};
	const struct nslab_entry_record *allocator, *page;
	struct nslab_registry *registry;
	struct nslab_err err = {""};
	int status = 1;

	target.is_debug = argc > 2 && !strcmp(argv[2], "debug");
	if (argc < 2 || nslab_registry_open(NULL, &registry, &err)) {
		fprintf(stderr, "test_conformance: %s\n", argc < 2 ? "a name please" : err.text);
		return 1;
	}
	if (nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, argv[1], &allocator, &err) ||
	    nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &page, &err)) {
		fprintf(stderr, "test_conformance: %s\n", err.text);
	} else {
		int first = 2 + target.is_debug;
		void *params = read_params(allocator->ops.allocator, argv + first, argc - first);

		target.allocator = allocator->ops.allocator;
		target.allocator_params = params;
		target.page = page->ops.page;
		status = params ? run_all(&target) : 1;
		free(params);
	}
	nslab_registry_destroy(registry);
	return status;
}
