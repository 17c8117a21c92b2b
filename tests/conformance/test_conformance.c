/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_conformance.c NAME [debug]: holds one built-in allocator against the suite, in this process.
 *
 * The check command forks for each check; here everything stays in one process, so that sanitizers
 * see all of it, also at its end. Skips are printed with their reasons, and an allocator whose
 * checks are all skipped fails: then nothing was tested. Nothing here depends on the machine.
 */
#include "runner/conformance.h"
#include "runner/world.h"

#include <stdio.h>
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

int main(int argc, char **argv)
{
	struct nslab_conformance_target target = {.seed = 20};
	const struct nslab_entry_record *allocator, *page;
	struct nslab_registry *registry;
	struct nslab_err err = {""};
	int status = 1;

	target.is_debug = argc == 3 && !strcmp(argv[2], "debug");
	if (argc != 2 + target.is_debug || nslab_registry_open(NULL, &registry, &err)) {
		fprintf(stderr, "test_conformance: %s\n",
			err.text[0] ? err.text : "one name please");
		return 1;
	}
	if (nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, argv[1], &allocator, &err) ||
	    nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &page, &err)) {
		fprintf(stderr, "test_conformance: %s\n", err.text);
	} else {
		target.allocator = allocator->ops.allocator;
		target.page = page->ops.page;
		status = run_all(&target);
	}
	nslab_registry_destroy(registry);
	return status;
}
