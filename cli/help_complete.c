/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * help_complete.c: completion for bash, zsh and fish from the tables that the program goes by.
 *
 * The scripts hold every word, so that a completion starts no process and is there at once:
 * commands with their options, plans, keys, plug-ins and their parameters, and the values that a
 * key is known to take. What may follow is read from the usage text: PLAN, KEY=VALUE, ALLOCATOR and
 * TOPIC stand for names, words in small letters for themselves, everything else for files. Plans
 * are those that were found when the script was made.
 *
 * bash and zsh get the same lists as shell functions, then a few lines of their own; there a value
 * may be a list (allocator=slub,sl<TAB>). fish gets a line for each word.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "cli/help_pages.h"
#include "core/param.h"
#include "runner/plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct complete {
	const struct nslab_registry *registry;
	void (*word)(const char *word, const char *help); /* prints one in the shell's way */
	const char *plugin; /* whose parameters are at hand; NULL: keys of the plan */
};

static bool is_word_char(char c)
{
	return islower((unsigned char)c) || isdigit((unsigned char)c) || c == '-' || c == '.';
}

size_t nslab_usage_word(const char **text)
{
	static const char between[] = "|[] ";
	const char *at = *text;

	while (*(at += strspn(at, between))) {
		size_t len = strcspn(at, between);
		size_t nr = 0;

		while (nr < len && is_word_char(at[nr]))
			nr++;
		*text = at;
		if (nr == len && *at != '-' && *at != '.')
			return len;
		at += len;
	}
	*text = at;
	return 0;
}

static void complete_plain(const char *word, const char *help)
{
	(void)help;
	printf(" %s", word);
}

/* ---- lists of words ---- */

static void complete_plan(void *context, const char *name, const char *path)
{
	const struct complete *c = context;

	(void)path;
	c->word(name, "plan");
}

static void complete_kind(const struct complete *c, enum nslab_plugin_kind kind)
{
	const struct nslab_entry_record *record;

	for (size_t i = 0; (record = nslab_registry_at(c->registry, kind, i)); i++)
		c->word(record->name, record->summary);
}

static void complete_name(const struct nslab_param *row, const char *plugin, char *text,
			  size_t bytes)
{
	snprintf(text, bytes, "%s%s%s=", plugin ? plugin : "", plugin ? "." : "", row->name);
}

static void complete_key(void *context, const struct nslab_param *row)
{
	const struct complete *c = context;
	char text[128];

	complete_name(row, c->plugin, text, sizeof(text));
	c->word(text, row->help);
}

/* "key=value" for every value that is known by name. */
static void complete_values(void *context, const struct nslab_param *row)
{
	static const struct {
		const char *key;
		enum nslab_plugin_kind kind;
	} names[] = {
		{"allocator", NSLAB_PLUGIN_ALLOCATOR},
		{"baseline", NSLAB_PLUGIN_ALLOCATOR},
		{"workload", NSLAB_PLUGIN_WORKLOAD},
		{"page", NSLAB_PLUGIN_PAGE},
	};
	static const char *const yes_no[] = {"yes", "no", NULL};
	const struct complete *c = context;
	const char *const *words = row->type == NSLAB_PARAM_BOOL ? yes_no : row->choices;
	const struct nslab_entry_record *record;
	char key[128], text[256];

	complete_name(row, c->plugin, key, sizeof(key));
	for (; words && *words; words++) {
		snprintf(text, sizeof(text), "%s%s", key, *words);
		c->word(text, row->help);
	}
	for (size_t n = 0; !c->plugin && n < sizeof(names) / sizeof(names[0]); n++) {
		if (strcmp(row->name, names[n].key))
			continue;
		for (size_t i = 0; (record = nslab_registry_at(c->registry, names[n].kind, i));
		     i++) {
			snprintf(text, sizeof(text), "%s%s", key, record->name);
			c->word(text, record->summary);
		}
	}
}

static const struct nslab_param *complete_params(const struct nslab_entry_record *record)
{
	switch (record->kind) {
	case NSLAB_PLUGIN_ALLOCATOR:
		return record->ops.allocator->params;
	case NSLAB_PLUGIN_PAGE:
		return record->ops.page->params;
	case NSLAB_PLUGIN_WORKLOAD:
		return record->ops.workload->params;
	default:
		return NULL;
	}
}

/* Workloads share names: size, count. */
static bool complete_is_told(const struct complete *c, const struct nslab_entry_record *record,
			     const struct nslab_param *row)
{
	const struct nslab_entry_record *other;

	if (record->kind != NSLAB_PLUGIN_WORKLOAD)
		return false;
	for (size_t i = 0; (other = nslab_registry_at(c->registry, record->kind, i)); i++) {
		if (other == record)
			return false;
		if (nslab_param_find(complete_params(other), row->name))
			return true;
	}
	return false;
}

/* each() for keys of a plan, then for parameters of every allocator, page allocator, workload. */
static void complete_rows(struct complete *c, void (*each)(void *, const struct nslab_param *))
{
	static const enum nslab_plugin_kind kinds[] = {NSLAB_PLUGIN_ALLOCATOR, NSLAB_PLUGIN_PAGE,
						       NSLAB_PLUGIN_WORKLOAD};
	const struct nslab_entry_record *record;

	c->plugin = NULL;
	nslab_plan_each_key(each, c);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t i = 0; (record = nslab_registry_at(c->registry, kinds[k], i)); i++) {
			const struct nslab_param *row = complete_params(record);

			/* a workload's own stand in a plan by their bare name */
			c->plugin = kinds[k] == NSLAB_PLUGIN_WORKLOAD ? NULL : record->name;
			for (; row && row->name; row++) {
				if (!complete_is_told(c, record, row))
					each(c, row);
			}
		}
	}
	c->plugin = NULL;
}

static void complete_commands(const struct complete *c)
{
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			c->word(nslab_commands[i]->name, nslab_commands[i]->summary);
	}
}

static void complete_usage_words(const struct complete *c, const char *usage, const char *help)
{
	const char *at = usage;
	size_t len;

	while ((len = nslab_usage_word(&at))) {
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		c->word(word, help);
		at += len;
	}
}

/* What may stand after a command beside options and files. */
static void complete_operands(struct complete *c, const struct nslab_command *command)
{
	const char *usage = command->usage;

	complete_usage_words(c, usage, command->summary);
	if (strstr(usage, "PLAN"))
		nslab_plan_each(complete_plan, c);
	if (strstr(usage, "ALLOCATOR") || strstr(usage, "TOPIC"))
		complete_kind(c, NSLAB_PLUGIN_ALLOCATOR);
	if (!strstr(usage, "TOPIC"))
		return;
	complete_commands(c);
	complete_kind(c, NSLAB_PLUGIN_WORKLOAD);
	complete_kind(c, NSLAB_PLUGIN_PAGE);
	complete_kind(c, NSLAB_PLUGIN_COUNTER);
}

static bool has_keys(const struct nslab_command *command)
{
	return strstr(command->usage, "KEY=VALUE");
}

/* ---- bash and zsh ---- */

static void shell_option_names(void *context, const struct nslab_command *command,
			       const struct nslab_option *rows)
{
	(void)context;
	printf("\t%s) reply=\"", command->name);
	for (; rows->name; rows++) {
		printf("--%s ", rows->name);
		if (rows->letter)
			printf("-%c ", rows->letter);
	}
	puts("--help\" ;;");
}

/* Lines of a case over "COMMAND --OPTION": what its argument may be, nothing for a file. */
static void shell_option_arguments(void *context, const struct nslab_command *command,
				   const struct nslab_option *rows)
{
	for (; rows->name; rows++) {
		if (!rows->argument)
			continue;
		printf("\t'%s --%s'", command->name, rows->name);
		if (rows->letter)
			printf("|'%s -%c'", command->name, rows->letter);
		fputs(") reply=\"", stdout);
		complete_usage_words(context, rows->argument, "");
		puts("\" ;;");
	}
}

/* A function that sets `reply`, and fails for what it does not know. */
static void shell_case(struct complete *c, const char *name, nslab_help_fn show)
{
	printf("_numaslab_%s()\n{\n\tcase $1 in\n", name);
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			nslab_options_visit(nslab_commands[i], show, c);
	}
	puts("\t*) return 1 ;;\n\tesac\n}\n");
}

/* Status 3: keys and values too. */
static void shell_operands(struct complete *c)
{
	puts("_numaslab_operands()\n{\n\tcase $1 in");
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (nslab_commands[i]->is_hidden)
			continue;
		printf("\t%s) reply=\"", nslab_commands[i]->name);
		complete_operands(c, nslab_commands[i]);
		printf("\"%s ;;\n", has_keys(nslab_commands[i]) ? "; return 3" : "");
	}
	puts("\tesac\n}\n");
}

/*
 * Sets `reply` to the words that may stand at $3, after $2, in a line of the command $1. Before the
 * sign of equality only keys are shown, behind it only values.
 */
static const char shell_common[] = "_numaslab_words()\n"
				   "{\n"
				   "\tif [ -z \"$1\" ]; then\n"
				   "\t\treply=\"$_numaslab_commands --help --version\"\n"
				   "\telif ! _numaslab_arguments \"$1 $2\"; then\n"
				   "\t\tcase $3 in\n"
				   "\t\t-*) _numaslab_options \"$1\" ;;\n"
				   "\t\t*) _numaslab_operands \"$1\"\n"
				   "\t\t\t[ $? = 3 ] || return 0\n"
				   "\t\t\tcase $3 in\n"
				   "\t\t\t*=*) reply=$_numaslab_values ;;\n"
				   "\t\t\t*) reply=\"$reply $_numaslab_keys\" ;;\n"
				   "\t\t\tesac ;;\n"
				   "\t\tesac\n"
				   "\tfi\n"
				   "}\n\n";

static void shell_lists(struct complete *c)
{
	c->word = complete_plain;
	shell_case(c, "options", shell_option_names);
	shell_case(c, "arguments", shell_option_arguments);
	shell_operands(c);
	fputs("_numaslab_commands=\"", stdout);
	complete_commands(c);
	fputs("\"\n_numaslab_keys=\"", stdout);
	complete_rows(c, complete_key);
	fputs("\"\n_numaslab_values=\"", stdout);
	complete_rows(c, complete_values);
	puts("\"\n");
	fputs(shell_common, stdout);
}

/* bash cuts a word at '=', so what stands before it is left out of the answers. */
static void complete_bash(struct complete *c)
{
	puts("# bash completion of numaslab, made by `numaslab help --completion bash`");
	shell_lists(c);
	puts("_numaslab()\n"
	     "{\n"
	     "\tlocal line=${COMP_LINE:0:COMP_POINT} reply= cur kept= command= i\n"
	     "\tlocal -a typed\n"
	     "\tread -ra typed <<<\"$line\"\n"
	     "\tcase $line in *[[:space:]]) typed+=('') ;; esac\n"
	     "\tcur=${typed[-1]}\n"
	     "\t((${#typed[@]} < 3)) || command=${typed[1]}\n"
	     "\t_numaslab_words \"$command\" \"${typed[-2]}\" \"$cur\"\n"
	     "\tcase $cur in\n"
	     "\t*=*,*) kept=${cur#*=}; kept=${kept%,*},; cur=${cur%%=*}=${cur##*,} ;;\n"
	     "\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$reply\" -- \"$cur\"))\n"
	     "\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	     "\t[[ $cur == *=* ]] || return 0\n"
	     "\tfor i in \"${!COMPREPLY[@]}\"; do\n"
	     "\t\tCOMPREPLY[i]=$kept${COMPREPLY[i]#*=}\n"
	     "\t\t[[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY[i]=${cur%%=*}=${COMPREPLY[i]}\n"
	     "\tdone\n"
	     "}\n"
	     "complete -o default -F _numaslab numaslab");
}

static void complete_zsh(struct complete *c)
{
	puts("#compdef numaslab\n# made by `numaslab help --completion zsh`");
	shell_lists(c);
	puts("_numaslab()\n"
	     "{\n"
	     "\tlocal reply= cur=${words[CURRENT]} command= word\n"
	     "\tlocal -a found keys\n"
	     "\t((CURRENT < 3)) || command=${words[2]}\n"
	     "\t_numaslab_words \"$command\" \"${words[CURRENT-1]}\" \"$cur\"\n"
	     "\tfor word in ${=reply}; do\n"
	     "\t\tcase $word in\n"
	     "\t\t*=) keys+=($word) ;;\n"
	     "\t\t${cur%%=*}=*) found+=(${word#*=}) ;;\n"
	     "\t\t*=*) ;;\n"
	     "\t\t*) found+=($word) ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\t[[ $cur != *=* ]] || compset -P '*[=,]'\n"
	     "\t(($#keys)) && compadd -S '' -a keys\n"
	     "\t(($#found)) && compadd -a found\n"
	     "\t[[ -z $command || $cur == -* ]] || _files\n"
	     "}\n"
	     "_numaslab \"$@\"");
}

/* ---- fish ---- */

static void fish_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

/* The condition that a word stands under is printed by whoever begins its line. */
static char fish_condition[256];

static void fish_word(const char *word, const char *help)
{
	printf("complete -c numaslab -n '%s' -a %s -d ", fish_condition, word);
	fish_quoted(help);
	putchar('\n');
}

static void fish_options(void *context, const struct nslab_command *command,
			 const struct nslab_option *rows)
{
	struct complete *c = context;

	snprintf(fish_condition, sizeof(fish_condition), "__fish_seen_subcommand_from %s",
		 command->name);
	for (; rows->name; rows++) {
		printf("complete -c numaslab -n '%s' -l %s", fish_condition, rows->name);
		if (rows->letter)
			printf(" -s %c", rows->letter);
		if (rows->argument) {
			fputs(" -r -a '", stdout);
			c->word = complete_plain;
			complete_usage_words(c, rows->argument, "");
			putchar('\'');
		}
		fputs(" -d ", stdout);
		fish_quoted(rows->help);
		putchar('\n');
	}
	c->word = fish_word;
	complete_operands(c, command);
}

static void complete_fish(struct complete *c)
{
	char *end = fish_condition;

	puts("# fish completion of numaslab, made by `numaslab help --completion fish`");
	snprintf(fish_condition, sizeof(fish_condition), "__fish_use_subcommand");
	puts("complete -c numaslab -n __fish_use_subcommand -f");
	c->word = fish_word;
	complete_commands(c);
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			nslab_options_visit(nslab_commands[i], fish_options, c);
	}
	end = stpcpy(fish_condition, "__fish_seen_subcommand_from");
	for (size_t i = 0; nslab_commands[i]; i++) {
		size_t room = sizeof(fish_condition) - (size_t)(end - fish_condition);

		if (has_keys(nslab_commands[i]) && strlen(nslab_commands[i]->name) + 2 < room)
			end = stpcpy(stpcpy(end, " "), nslab_commands[i]->name);
	}
	c->word = fish_word;
	complete_rows(c, complete_key);
	complete_rows(c, complete_values);
}

int nslab_help_completion(const char *shell, const struct nslab_registry *registry,
			  struct nslab_err *err)
{
	struct complete c = {.registry = registry};

	if (!strcmp(shell, "bash"))
		complete_bash(&c);
	else if (!strcmp(shell, "zsh"))
		complete_zsh(&c);
	else if (!strcmp(shell, "fish"))
		complete_fish(&c);
	else
		return nslab_fail(err, -EINVAL, "no completion for '%s'; there are bash, zsh, fish",
				  shell);
	return 0;
}
