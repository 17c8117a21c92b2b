// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug_victim.c FAULT: commits one fault on objects of a debugged world, for a tool to find.
 *
 * debug_tools.sh runs it under Valgrind, or as built with ASan, and reads what is said. Reports of
 * the debug layer go to stderr. `none` commits no fault and must be silent, so that what is found
 * otherwise is the fault. Exit status 0 unless a tool stops the program, 2 for a word not known.
 */
#include "tests/support/small_world.h"

#include <stdlib.h>

static struct small_world w;

/* A branch on contents, which is what Valgrind calls a use. */
static void use(const volatile char *byte)
{
	if (*byte == 'x')
		puts("x");
}

static void commit(const char *fault)
{
	char *volatile obj = kmalloc(w.cpu[0], 100, GFP_KERNEL);

	if (!strcmp(fault, "uninitialised")) {
		use(obj + 3);
	} else if (!strcmp(fault, "overrun")) {
		obj[100] = 1;
	} else if (!strcmp(fault, "read-after-free")) {
		kfree(w.cpu[0], obj);
		use(obj + 3);
		obj = kmalloc(w.cpu[0], 100, GFP_KERNEL);
	} else if (strcmp(fault, "none") != 0) {
		exit(2);
	}
	memset(obj, 0, 100);
	use(obj + 3);
	/* the free is where the layer asks Valgrind */
	kfree(w.cpu[0], obj);
}

int main(int argc, char **argv)
{
	const struct nslab_world_spec spec = {.is_debug = true};

	if (argc != 2)
		return 2;
	small_open(&w, "slub", &spec);
	commit(argv[1]);
	small_end(&w);
	for (unsigned i = 0; i < w.nr_lines; i++)
		fprintf(stderr, "%s\n", w.lines[i]);
	return 0;
}
