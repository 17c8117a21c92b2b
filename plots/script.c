/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * script.c: a figure as NAME.dat and NAME.gp.
 *
 * The script is a template (templates/common.gp and templates/NAME.gp) in which @WORD@ stands for
 * what is known only now: sizes in pixels, titles, arrays of names. The template is read at run
 * time from the first folder that has it: NUMASLAB_DATA_DIR, share/numaslab beside the program, the
 * place of installation, the source tree. Names come from users, so every text is quoted for
 * gnuplot, the terminals run without markup, and the table holds no tab or newline but its own.
 * Both files appear under their name only when they are whole.
 *
 * Left out: layout decisions that depend on data; those are in the template's own language.
 */
#define _GNU_SOURCE
#include "plots/figure.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT_TITLE_HEIGHT  52 /* pixels */
#define SCRIPT_FOOT_HEIGHT   15 /* of a line */
#define SCRIPT_KEY_HEIGHT    21 /* of an entry */
#define SCRIPT_MAX_FOOTS     8
#define SCRIPT_MAX_KEY_CHARS 46
#define SCRIPT_MAX_FACETS    24 /* more than that is in the table only */

struct script {
	const struct nslab_plot_input *input;
	const struct nslab_figure *figure;
	int nr_facets, width, height, key_width, nr_foots;
	char foots[SCRIPT_MAX_FOOTS][256];
};

void nslab_script_quote(const char *text, char *out, size_t out_bytes)
{
	size_t len = 0;

	for (; *text && len + 3 < out_bytes; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\'')
			out[len++] = '\'';
		out[len++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	out[len] = '\0';
}

/* For the table: no separator, no comment, no quote that would hide one. */
static void script_plain(FILE *file, const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		fputc(c < 0x20 || c == '"' || c == '#' ? ' ' : c, file);
	}
}

/* ---- the footnote ---- */

/* Cuts the text into lines of at most `room` characters, at blanks where there are some. */
static void script_foot(struct script *script, const char *text)
{
	int room = (script->width - 24) * 10 / 58;

	if (room > 255)
		room = 255;
	while (*text && script->nr_foots < SCRIPT_MAX_FOOTS) {
		int len = (int)strlen(text);

		if (len > room) {
			for (len = room; len > room / 2 && text[len] != ' ';)
				len--;
			if (text[len] != ' ')
				len = room;
		}
		snprintf(script->foots[script->nr_foots++], 256, "%.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void script_foot_trials(struct script *script)
{
	const struct nslab_figure *figure = script->figure;
	const struct nslab_run_record *run = &script->input->run;
	size_t least = SIZE_MAX, most = 0;
	const char *statistic = run->statistic ? run->statistic : "statistic";
	char count[64], harness[64] = "", text[512];

	if (!strcmp(statistic, "auto"))
		statistic = "q25 (1 thread) or median (more)";
	for (size_t i = 0; i < figure->nr_rows; i++) {
		size_t n = figure->rows[i].n;

		least = n && n < least ? n : least;
		most = n > most ? n : most;
	}
	if (!most)
		snprintf(count, sizeof(count), "no trials");
	else if (least == most)
		snprintf(count, sizeof(count), "n = %zu trials", most);
	else
		snprintf(count, sizeof(count), "n = %zu to %zu trials", least, most);
	if (isfinite(script->input->harness_ns))
		snprintf(harness, sizeof(harness), "; empty loop %.2g ns",
			 script->input->harness_ns);
	snprintf(text, sizeof(text), "%s, %s; a trial is its windows' %s%s", count, figure->spread,
		 statistic, harness);
	script_foot(script, text);
}

static void script_foot_all(struct script *script)
{
	const struct nslab_run_record *run = &script->input->run;
	char text[768];

	snprintf(text, sizeof(text), "%s; %d package%s, %d node%s%s, %d PU%s; %s",
		 run->cpu_model ? run->cpu_model : "unknown CPU", run->nr_packages,
		 run->nr_packages == 1 ? "" : "s", run->nr_nodes, run->nr_nodes == 1 ? "" : "s",
		 run->is_simulated ? " (SIMULATED)" : "", run->nr_pus, run->nr_pus == 1 ? "" : "s",
		 run->kernel ? run->kernel : "unknown kernel");
	script_foot(script, text);
	script_foot_trials(script);
	script_foot(script, script->figure->remark);
	if (run->is_simulated)
		script_foot(script, "nodes are simulated: placement is a model, distances cost "
				    "nothing");
	if (run->placement_unavailable) {
		snprintf(text, sizeof(text), "placement unavailable: %s",
			 run->placement_unavailable);
		script_foot(script, text);
	}
	if (strcmp(script->input->status, "done")) {
		snprintf(text, sizeof(text), "the run is not complete: %s", script->input->status);
		script_foot(script, text);
	}
	if ((size_t)script->nr_facets < script->figure->facets.nr) {
		snprintf(text, sizeof(text), "%zu more groups are in the table only",
			 script->figure->facets.nr - (size_t)script->nr_facets);
		script_foot(script, text);
	}
}

/* ---- sizes ---- */

static void script_layout(struct script *script)
{
	const struct nslab_figure *figure = script->figure;
	int nr_rows, legend;
	size_t longest = 0;

	script->nr_facets = (int)figure->facets.nr;
	if (script->nr_facets > SCRIPT_MAX_FACETS)
		script->nr_facets = SCRIPT_MAX_FACETS;
	for (size_t i = 0; i < figure->arms.nr; i++) {
		size_t len = strlen(figure->arms.texts[i]);

		longest = len > longest ? len : longest;
	}
	if (longest > SCRIPT_MAX_KEY_CHARS)
		longest = SCRIPT_MAX_KEY_CHARS;
	script->key_width = 60 + 7 * (int)longest;
	if (script->key_width < 110)
		script->key_width = 110;
	nr_rows = (script->nr_facets + figure->cols - 1) / figure->cols;
	script->width = figure->cols * figure->facet_width + script->key_width;
	script_foot_all(script);
	script->height = nr_rows * figure->facet_height;
	legend = SCRIPT_KEY_HEIGHT * (int)(figure->arms.nr + 1);
	if (script->height < legend)
		script->height = legend;
	script->height += SCRIPT_TITLE_HEIGHT + SCRIPT_FOOT_HEIGHT * script->nr_foots + 12;
}

/* ---- words of the template ---- */

static void script_put_names(FILE *file, const struct nslab_names *names, size_t nr, size_t max_len)
{
	for (size_t i = 0; i < nr; i++) {
		char quoted[1200], cut[512];

		if (strlen(names->texts[i]) > max_len)
			snprintf(cut, sizeof(cut), "%.*s..", (int)max_len - 2, names->texts[i]);
		else
			snprintf(cut, sizeof(cut), "%s", names->texts[i]);
		nslab_script_quote(cut, quoted, sizeof(quoted));
		fprintf(file, "%s'%s'", i ? ", " : "", quoted);
	}
}

/* The tick marks of each facet as arguments of `set xtics`. */
static void script_put_ticks(FILE *file, const struct script *script)
{
	const struct nslab_figure *figure = script->figure;

	for (int facet = 0; facet < script->nr_facets; facet++) {
		bool is_first = true;

		fprintf(file, "%s\"(", facet ? ", " : "");
		for (size_t i = 0; i < figure->nr_rows; i++) {
			const struct nslab_figure_row *row = &figure->rows[i];
			bool is_new = row->facet == facet && row->tick;

			for (size_t k = 0; k < i && is_new; k++)
				is_new = figure->rows[k].facet != facet ||
					 figure->rows[k].x < row->x || figure->rows[k].x > row->x;
			if (!is_new)
				continue;
			fprintf(file, "%s'%s' %g", is_first ? "" : ", ", row->tick, row->x);
			is_first = false;
		}
		fprintf(file, ")\"");
	}
}

static void script_put_foots(FILE *file, const struct script *script)
{
	for (int i = 0; i < script->nr_foots; i++) {
		char quoted[600];

		nslab_script_quote(script->foots[i], quoted, sizeof(quoted));
		fprintf(file, "%s'%s'", i ? ", " : "", quoted);
	}
}

static void script_put_title(FILE *file, const struct script *script)
{
	const struct nslab_run_record *run = &script->input->run;
	const char *about = run->label ? run->label : run->name;
	char text[400], quoted[900];

	snprintf(text, sizeof(text), "%s%s%.120s%s", script->figure->title, about ? ": " : "",
		 about ? about : "", run->is_simulated ? " (simulated nodes)" : "");
	nslab_script_quote(text, quoted, sizeof(quoted));
	fputs(quoted, file);
}

struct script_number {
	const char *word;
	int value;
};

static int script_put_word(FILE *file, const struct script *script, const char *word)
{
	const struct nslab_figure *figure = script->figure;
	const struct script_number numbers[] = {
		{"WIDTH", script->width},
		{"HEIGHT", script->height},
		{"KEY_WIDTH", script->key_width},
		{"COLS", figure->cols},
		{"FACET_WIDTH", figure->facet_width},
		{"FACET_HEIGHT", figure->facet_height},
		{"NR_FACETS", script->nr_facets},
		{"NR_ARMS", (int)figure->arms.nr},
		{"NR_TICKS", (int)figure->ticks.nr},
		{"NR_YLABELS", (int)figure->ylabels.nr},
		{"NR_XLABELS", (int)figure->xlabels.nr},
		{"NR_FOOTS", script->nr_foots},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!strcmp(word, numbers[i].word)) {
			fprintf(file, "%d", numbers[i].value);
			return 0;
		}
	}
	if (!strcmp(word, "NAME"))
		fputs(figure->name, file);
	else if (!strcmp(word, "TITLE"))
		script_put_title(file, script);
	else if (!strcmp(word, "FACETS"))
		script_put_names(file, &figure->facets, (size_t)script->nr_facets, 80);
	else if (!strcmp(word, "ARMS"))
		script_put_names(file, &figure->arms, figure->arms.nr, SCRIPT_MAX_KEY_CHARS);
	else if (!strcmp(word, "YLABELS"))
		script_put_names(file, &figure->ylabels, figure->ylabels.nr, 80);
	else if (!strcmp(word, "XLABELS"))
		script_put_names(file, &figure->xlabels, figure->xlabels.nr, 80);
	else if (!strcmp(word, "TICKS"))
		script_put_ticks(file, script);
	else if (!strcmp(word, "FOOTS"))
		script_put_foots(file, script);
	else
		return -EINVAL;
	return 0;
}

/* ---- the template ---- */

static FILE *script_template_in(const char *folder, const char *below, const char *name)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s%s/templates/%s.gp", folder, below, name);

	return len < (int)sizeof(path) ? fopen(path, "re") : NULL;
}

static FILE *script_template_beside_program(const char *name)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len <= 0)
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return script_template_in(path, "/../share/numaslab", name);
}

static FILE *script_template(const char *name, struct nslab_err *err)
{
	const char *folder = getenv("NUMASLAB_DATA_DIR");
	FILE *file;

	if (folder && *folder) {
		file = script_template_in(folder, "", name);
		if (!file)
			nslab_fail(err, -ENOENT,
				   "cannot open template '%s/templates/%s.gp' (NUMASLAB_DATA_DIR): "
				   "%s",
				   folder, name, strerror(errno));
		return file;
	}
	file = script_template_beside_program(name);
	if (!file)
		file = script_template_in(NSLAB_INSTALLED_DATA_DIR, "", name);
	if (!file)
		file = script_template_in(NSLAB_SOURCE_DATA_DIR, "", name);
	if (!file)
		nslab_fail(err, -ENOENT,
			   "cannot find template '%s.gp'; set NUMASLAB_DATA_DIR to the folder that "
			   "has templates/",
			   name);
	return file;
}

/* A word is upper case between two @; a lone @ stands for itself. */
static int script_expand(FILE *out, const struct script *script, const char *line)
{
	while (*line) {
		size_t len = strcspn(line, "@");
		size_t word_len;
		char word[32];

		fwrite(line, 1, len, out);
		line += len;
		if (!*line)
			break;
		word_len = strspn(line + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		if (!word_len || word_len >= sizeof(word) || line[1 + word_len] != '@') {
			fputc(*line++, out);
			continue;
		}
		snprintf(word, sizeof(word), "%.*s", (int)word_len, line + 1);
		if (script_put_word(out, script, word))
			return -EINVAL;
		line += word_len + 2;
	}
	return 0;
}

static int script_fill(FILE *out, const struct script *script, const char *name,
		       struct nslab_err *err)
{
	FILE *template = script_template(name, err);
	char *line = NULL;
	size_t line_bytes = 0;
	int rc = template ? 0 : -ENOENT;
	int number = 0;

	while (!rc && getline(&line, &line_bytes, template) > 0) {
		number++;
		if (script_expand(out, script, line))
			rc = nslab_fail(err, -EINVAL, "template '%s.gp' line %d: unknown @word@",
					name, number);
	}
	free(line);
	if (template)
		fclose(template);
	return rc;
}

/* ---- the two files ---- */

static int script_put_script(FILE *file, const struct script *script, struct nslab_err *err)
{
	int rc = script_fill(file, script, "common", err);

	return rc ? rc : script_fill(file, script, script->figure->name, err);
}

static void script_put_row(FILE *file, const struct nslab_figure *figure,
			   const struct nslab_figure_row *row)
{
	fprintf(file, "%d\t%d\t%g\t", row->facet + 1, row->arm + 1, row->x);
	if (isfinite(row->value))
		fprintf(file, "%.6g\t%.6g\t%.6g\t", row->value, row->lo, row->hi);
	else
		fprintf(file, "NaN\tNaN\tNaN\t");
	fprintf(file, "%zu\t%s\t", row->n, row->tick ? row->tick : "");
	script_plain(file, figure->arms.texts[row->arm]);
	fputc('\t', file);
	script_plain(file, figure->facets.texts[row->facet]);
	fputc('\t', file);
	script_plain(file, row->note);
	fprintf(file, "\t%d\n", row->slot);
}

static int script_put_table(FILE *file, const struct script *script, struct nslab_err *err)
{
	const struct nslab_figure *figure = script->figure;

	(void)err;
	fprintf(file, "# numaslab plot '%s': ", figure->name);
	script_plain(file, figure->title);
	fputc('\n', file);
	for (int i = 0; i < script->nr_foots; i++) {
		fprintf(file, "# ");
		script_plain(file, script->foots[i]);
		fputc('\n', file);
	}
	for (size_t i = 0; i < figure->ylabels.nr; i++)
		fprintf(file, "# values%s: %s\n", figure->ylabels.nr > 1 ? " of each facet" : "",
			figure->ylabels.texts[i]);
	fprintf(file, "# facet\tarm\tx\tvalue\tlow\thigh\tn\tx_label\tarm_name\tfacet_name\tnote"
		      "\tslot\n");
	for (size_t i = 0; i < figure->nr_rows; i++)
		script_put_row(file, figure, &figure->rows[i]);
	return 0;
}

static int script_write_file(const struct script *script, const char *folder, const char *ending,
			     int (*put)(FILE *, const struct script *, struct nslab_err *),
			     struct nslab_err *err)
{
	char path[PATH_MAX], part[PATH_MAX + 8];
	FILE *file;
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s.%s", folder, script->figure->name, ending) >=
	    (int)sizeof(path))
		return nslab_fail(err, -ENAMETOOLONG, "cannot write into '%s': %s", folder,
				  strerror(ENAMETOOLONG));
	snprintf(part, sizeof(part), "%s.part", path);
	file = fopen(part, "we");
	if (!file) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot write '%s': %s", part, strerror(-rc));
	}
	rc = put(file, script, err);
	if (ferror(file) | fclose(file))
		rc = rc ? rc
			: nslab_fail(err, -EIO, "cannot write '%s': %s", part, strerror(errno));
	if (!rc && rename(part, path)) {
		rc = -errno;
		nslab_fail(err, rc, "cannot write '%s': %s", path, strerror(-rc));
	}
	if (rc)
		unlink(part);
	return rc;
}

int nslab_script_write(const struct nslab_plot_input *input, const struct nslab_figure *figure,
		       const char *folder, struct nslab_err *err)
{
	struct script *script = calloc(1, sizeof(*script));
	int rc;

	if (!script)
		return nslab_fail(err, -ENOMEM, "cannot draw '%s': out of memory", figure->name);
	script->input = input;
	script->figure = figure;
	script_layout(script);
	rc = script_write_file(script, folder, "dat", script_put_table, err);
	if (!rc)
		rc = script_write_file(script, folder, "gp", script_put_script, err);
	free(script);
	return rc;
}
