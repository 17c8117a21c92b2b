/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * help_pages.h: what is generated from the tables of commands, options, keys and parameters.
 */
#ifndef NSLAB_HELP_PAGES_H
#define NSLAB_HELP_PAGES_H

#include "core/registry.h"

/*
 * Prints a page in man(7): of a command by its name, "numaslab" (all of them), "keys" (of a plan),
 * or "allocators", "workloads", "pages" with their parameters. -ENOENT when there is no such page.
 */
int nslab_help_man(const char *page, const struct nslab_registry *registry, struct nslab_err *err);

/* Prints the completion of "bash", "zsh" or "fish"; -EINVAL for any other shell. */
int nslab_help_completion(const char *shell, const struct nslab_registry *registry,
			  struct nslab_err *err);

#endif
