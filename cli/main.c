/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: finds the subcommand and calls it. The table is generated from cli/CMakeLists.txt.
 * Nothing is parsed here: a subcommand reads its own options.
 */
#include "cli/command.h"
#include "core/paint.h"
#include "runner/provenance.h"

#include <stdio.h>
#include <string.h>

static void print_command(FILE *out, const struct nslab_command *command)
{
	nslab_paint(out, NSLAB_PAINT_HEAD, "  %-10s", command->name);
	fprintf(out, " %s\n", command->summary);
}

static int usage(void)
{
	printf("usage: numaslab COMMAND [options]\n\n");
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			print_command(stdout, nslab_commands[i]);
	}
	printf("\nnumaslab COMMAND --help tells a command's options, numaslab --version the "
	       "version;\nstart with `numaslab run`\n");
	return NSLAB_EXIT_DONE;
}

/* What a new user needs, in the order in which it is needed. */
static int first_steps(void)
{
	static const char *const names[] = {"run", "compare", "report", "tune", "help"};

	fprintf(stderr, "usage: numaslab COMMAND [options]\n\n");
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		for (size_t i = 0; nslab_commands[i]; i++) {
			if (!strcmp(nslab_commands[i]->name, names[n]))
				print_command(stderr, nslab_commands[i]);
		}
	}
	fprintf(stderr, "\nstart with `numaslab run`, which takes a minute; "
			"`numaslab --help` lists every command\n");
	return NSLAB_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *names[64];
	const char *guess;
	size_t nr = 0;

	if (argc < 2)
		return first_steps();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage();
	if (!strcmp(argv[1], "--version")) {
		printf("numaslab %s\n", nslab_version());
		return NSLAB_EXIT_DONE;
	}
	for (size_t i = 0; nslab_commands[i] && nr < 64; i++) {
		if (!strcmp(argv[1], nslab_commands[i]->name))
			return nslab_commands[i]->run(argc - 1, argv + 1);
		if (!nslab_commands[i]->is_hidden)
			names[nr++] = nslab_commands[i]->name;
	}
	guess = nslab_nearest(argv[1], names, nr);
	nslab_paint(stderr, NSLAB_PAINT_BAD, "numaslab:");
	fprintf(stderr, " unknown command '%s'%s%s%s; `numaslab --help` lists them\n", argv[1],
		guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "");
	return NSLAB_EXIT_USAGE;
}
