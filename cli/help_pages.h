/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * help_pages.h: what is generated from the tables of commands, options, keys and parameters.
 */
#ifndef NSLAB_HELP_PAGES_H
#define NSLAB_HELP_PAGES_H

#include "core/param.h"
#include "core/registry.h"

/* Plug-ins that have a page of their own; ends with page NULL. */
struct nslab_help_kind {
	const char *page;
	enum nslab_plugin_kind kind;
	const char *title;
};

extern const struct nslab_help_kind nslab_help_kinds[];

/* Rows of a name and what it means; end with NULL. */
extern const char *const nslab_help_variables[][2]; /* of the environment */
extern const char *const nslab_help_statuses[][2];  /* of exit */

/* The parameters of a plug-in, or NULL; *models: what it imitates, or NULL. */
const struct nslab_param *nslab_help_params(const struct nslab_entry_record *record,
					    const char **models);

/*
 * Prints a page in man(7): of a command by its name, "numaslab" (all of them), "keys" (of a plan),
 * or "allocators", "workloads", "pages" with their parameters. -ENOENT when there is no such page.
 */
int nslab_help_man(const char *page, const struct nslab_registry *registry, struct nslab_err *err);

/* Prints the completion of "bash", "zsh" or "fish"; -EINVAL for any other shell. */
int nslab_help_completion(const char *shell, const struct nslab_registry *registry,
			  struct nslab_err *err);

/* Prints docs/reference.md: commands, keys of a plan, plug-ins, variables, exit statuses. */
void nslab_help_reference(const struct nslab_registry *registry);

#endif
