/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * artefacts_sysfs.c: the scripts that change and restore what sysfs can, and a profile of tuned.
 *
 * Both scripts are one program with two lists: each line of a list names the folder, the caches
 * that share it, the attribute, its value before and after. A script looks at all lines first, and
 * goes on only when each cache is there and each value is either that of before or already that of
 * after; so an undo always restores what was there, and a refusal has written nothing. Then it
 * writes, and reads every value back. Writing goes to the real folder of merged caches.
 *
 * tuned restores what it changed by itself when another profile is chosen. It takes shell patterns
 * for paths, so names with special characters are left out there, and said so.
 */
#include "tuner/artefacts_impl.h"

#include <string.h>

/* Inside of single quotes of POSIX sh, whatever is in it. */
static void sysfs_quoted(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
}

/* The folder, then the names, which is what a message calls the cache: two words. */
static void sysfs_words(FILE *out, const struct nslab_tuner_cache *cache)
{
	fputc('\'', out);
	sysfs_quoted(out, cache->folder);
	fputs("' '", out);
	if (!cache->nr_aliases)
		sysfs_quoted(out, cache->name);
	for (size_t i = 0; i < cache->nr_aliases; i++) {
		fputs(i ? ", " : "", out);
		sysfs_quoted(out, cache->aliases[i]);
	}
	fputc('\'', out);
}

static const char sysfs_program[] =
	"set -u\n"
	"root= must_have=1 status=0\n"
	"while [ $# -gt 0 ]; do\n"
	"\tcase $1 in\n"
	"\t--sysroot)\n"
	"\t\t[ $# -gt 1 ] || { echo \"$0: --sysroot takes a folder\" >&2; exit 2; }\n"
	"\t\troot=$2\n"
	"\t\tshift\n"
	"\t\t;;\n"
	"\t--skip-missing) must_have= ;;\n"
	"\t*)\n"
	"\t\techo \"usage: $0 [--sysroot DIR] [--skip-missing]\" >&2\n"
	"\t\texit 2\n"
	"\t\t;;\n"
	"\tesac\n"
	"\tshift\n"
	"done\n"
	"\n"
	"say() { printf '%s\\n' \"$1\"; }\n"
	"\n"
	"refuse() {\n"
	"\tsay \"refused: $1\" >&2\n"
	"\tstatus=1\n"
	"}\n"
	"\n"
	"# look FOLDER NAMES ATTRIBUTE BEFORE AFTER: may it be written?\n"
	"look() {\n"
	"\tfile=$root/sys/kernel/slab/$1/$3\n"
	"\tif [ ! -d \"${file%/*}\" ]; then\n"
	"\t\t[ -z \"$must_have\" ] || refuse \"$2: no cache in ${file%/*}\"\n"
	"\telif ! { read -r is <\"$file\"; } 2>/dev/null; then\n"
	"\t\trefuse \"$2: cannot read $file\"\n"
	"\telif [ \"$is\" != \"$4\" ] && [ \"$is\" != \"$5\" ]; then\n"
	"\t\trefuse \"$2: $3 is $is, neither $4 nor $5; take a new snapshot\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"# put FOLDER NAMES ATTRIBUTE BEFORE AFTER: writes it and reads it back\n"
	"put() {\n"
	"\tfile=$root/sys/kernel/slab/$1/$3\n"
	"\t[ -d \"${file%/*}\" ] || { say \"$2: not here, skipped\"; return; }\n"
	"\t{ echo \"$5\" >\"$file\"; } 2>/dev/null\n"
	"\tread -r is <\"$file\"\n"
	"\tif [ \"$is\" = \"$5\" ]; then\n"
	"\t\tsay \"$2: $3 $4 -> $5\"\n"
	"\telse\n"
	"\t\tsay \"failed: $2: $3 is $is after writing $5\" >&2\n"
	"\t\tstatus=1\n"
	"\tfi\n"
	"}\n\n";

static const char sysfs_end[] = "\neach look\n"
				"[ $status = 0 ] || { echo 'nothing was written' >&2; exit 1; }\n"
				"each put\n"
				"exit $status\n";

static void sysfs_list(FILE *out, const struct nslab_artefacts *a, bool is_undo)
{
	fputs("# FOLDER NAMES ATTRIBUTE BEFORE AFTER\neach() {\n", out);
	for (size_t i = 0; i < a->nr_writes; i++) {
		const struct nslab_artefact_write *w = &a->writes[i];

		fputs("\t\"$1\" ", out);
		sysfs_words(out, w->cache);
		fprintf(out, " %s %d %d\n", w->file, is_undo ? w->then : w->now,
			is_undo ? w->now : w->then);
	}
	fputs("}\n", out);
}

static void sysfs_script(FILE *out, const struct nslab_artefacts *a, bool is_undo)
{
	fputs("#!/bin/sh\n", out);
	if (is_undo)
		fputs("# Written by numaslab: sets the slab caches back to what sysfs-apply.sh\n"
		      "# found. To be run as root.\n",
		      out);
	else
		fputs("# Written by numaslab: changes slab caches by sysfs. To be run as root;\n"
		      "# sysfs-undo.sh takes it back, and so does a reboot. Caches that the\n"
		      "# kernel merged share what is set.\n",
		      out);
	if (!a->nr_writes) {
		fprintf(out, "echo 'nothing to %s: no setting of sysfs is advised'\n",
			is_undo ? "undo" : "do");
		return;
	}
	fputs(sysfs_program, out);
	sysfs_list(out, a, is_undo);
	fputs(sysfs_end, out);
}

void nslab_artefact_apply(FILE *out, const struct nslab_artefacts *a)
{
	sysfs_script(out, a, false);
}

void nslab_artefact_undo(FILE *out, const struct nslab_artefacts *a)
{
	sysfs_script(out, a, true);
}

/* ---- tuned ---- */

/* No pattern, no variable, no comment of tuned's. */
static bool tuned_takes(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.:,+()-";

	return !name[strspn(name, plain)];
}

static void tuned_sysfs(FILE *out, const struct nslab_artefacts *a)
{
	fputs("\n[sysfs]\n", out);
	for (size_t i = 0; i < a->nr_writes; i++) {
		const struct nslab_artefact_write *w = &a->writes[i];

		fputs("# ", out);
		nslab_artefact_names(out, w->cache);
		fprintf(out, ": %s %d -> %d\n", w->file, w->now, w->then);
		if (tuned_takes(w->cache->folder))
			fprintf(out, "/sys/kernel/slab/%s/%s=%d\n", w->cache->folder, w->file,
				w->then);
		else
			fputs("# left out: tuned would take this name for a pattern\n", out);
	}
}

void nslab_artefact_tuned(FILE *out, const struct nslab_artefacts *a)
{
	bool has_line = a->is_booted && *a->line;

	fputs("# A profile of tuned(8). To apply: copy the folder numaslab to where tuned looks\n"
	      "# for profiles (/etc/tuned, later /etc/tuned/profiles), then `tuned-adm profile\n"
	      "# numaslab`, and boot where [bootloader] is given. Undo: choose the profile of\n"
	      "# before; tuned restores.\n"
	      "[main]\nsummary=Slab settings that numaslab advised\n",
	      out);
	if (has_line)
		fprintf(out, "\n[bootloader]\ncmdline_numaslab=%s\n", a->line);
	if (a->nr_writes)
		tuned_sysfs(out, a);
	if (!has_line && !a->nr_writes)
		fputs("\n# Nothing to set: neither boot parameters nor settings of sysfs are "
		      "advised.\n",
		      out);
}
