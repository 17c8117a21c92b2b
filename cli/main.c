/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: finds the subcommand and calls it. The table is generated from cli/CMakeLists.txt.
 * Nothing is parsed here: a subcommand reads its own options.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: numaslab COMMAND [options]\n\n");
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			fprintf(out, "  %-10s %s\n", nslab_commands[i]->name,
				nslab_commands[i]->summary);
	}
	fprintf(out,
		"\nnumaslab COMMAND --help tells a command's options; start with `numaslab run`"
		"\n");
	return status;
}

int main(int argc, char **argv)
{
	const char *names[64];
	const char *guess;
	size_t nr = 0;

	if (argc < 2)
		return usage(stderr, NSLAB_EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout, NSLAB_EXIT_DONE);
	for (; nslab_commands[nr] && nr < 64; nr++) {
		names[nr] = nslab_commands[nr]->name;
		if (!strcmp(argv[1], names[nr]))
			return nslab_commands[nr]->run(argc - 1, argv + 1);
	}
	guess = nslab_nearest(argv[1], names, nr);
	fprintf(stderr, "numaslab: unknown command '%s'%s%s%s; `numaslab --help` lists them\n",
		argv[1], guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "");
	return NSLAB_EXIT_USAGE;
}
