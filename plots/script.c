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
 * Facets that do not fit on a page, and arms that do not fit into a legend, go on on the next page;
 * the script draws any page. Left out: layout decisions that depend on data; those are in the
 * template's own language.
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

#define SCRIPT_TEXT_COLUMNS  78
#define SCRIPT_MAX_FOOTS     10
#define SCRIPT_MAX_KEY_CHARS 46
#define SCRIPT_PER_PAGE	     12 /* facets */
#define SCRIPT_PER_LEGEND    16 /* arms: as many as there are colours, */
#define SCRIPT_KEY_HEIGHT    15 /* and no more than fit beside a panel, */
#define SCRIPT_KEY_LOSS	     82 /* which is so much higher than its axes */

struct script {
	const struct nslab_plot_input *input;
	const struct nslab_figure *figure;
	int nr_facets, width, key_width, per_page, per_legend, nr_pages;
	struct script_foots {
		int nr, room; /* characters of a line */
		char lines[SCRIPT_MAX_FOOTS][256];
	} foots, text_foots; /* of pictures and of texts */
};

/* Bytes of the UTF-8 character at text; 0 when it is none. Neither overlong nor surrogate. */
static size_t script_char_len(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;

	if (*at > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
	    (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return len;
}

/* Bytes of at most `room` whole characters. */
static size_t script_cut(const char *text, size_t room)
{
	size_t len = 0;

	for (; room && text[len]; room--) {
		size_t more = script_char_len(text + len);

		len += more ? more : 1;
	}
	return len;
}

void nslab_script_quote(const char *text, char *out, size_t out_bytes)
{
	size_t len = 0;

	while (*text && len + 6 < out_bytes) {
		size_t nr = script_char_len(text);
		unsigned char c = (unsigned char)*text;

		if (nr > 1) {
			memcpy(out + len, text, nr);
			len += nr;
		} else {
			if (c == '\'')
				out[len++] = '\'';
			out[len++] = !nr ? '?' : c < 0x20 || c == 0x7f ? ' ' : (char)c;
		}
		text += nr ? nr : 1;
	}
	out[len] = '\0';
}

/* For the table: no separator, no comment, no quote that would hide one. */
static void script_plain(FILE *file, const char *text)
{
	while (text && *text) {
		size_t nr = script_char_len(text);
		unsigned char c = (unsigned char)*text;

		if (nr > 1)
			fwrite(text, 1, nr, file);
		else
			fputc(!nr ? '?' : c < 0x20 || c == '"' || c == '#' ? ' ' : c, file);
		text += nr ? nr : 1;
	}
}

/* ---- the footnote ---- */

/* Cuts the text into lines, at blanks where there are some. */
static void script_fold(struct script_foots *foots, const char *text)
{
	size_t room = (size_t)(foots->room > 255 / 4 * 3 ? 255 / 4 * 3 : foots->room);

	while (*text && foots->nr < SCRIPT_MAX_FOOTS) {
		size_t len = script_cut(text, room), whole = len;

		if (text[len]) {
			while (len > whole / 2 && text[len] != ' ')
				len--;
			if (text[len] != ' ')
				len = whole;
		}
		snprintf(foots->lines[foots->nr++], 256, "%.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void script_foot(struct script *script, const char *text)
{
	script_fold(&script->foots, text);
	script_fold(&script->text_foots, text);
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
		snprintf(count, sizeof(count), "n = %zu trial%s", most, most == 1 ? "" : "s");
	else
		snprintf(count, sizeof(count), "n = %zu to %zu trials", least, most);
	if (isfinite(script->input->harness_ns))
		snprintf(harness, sizeof(harness), "; empty loop %.2g ns",
			 script->input->harness_ns);
	snprintf(text, sizeof(text), "%s, %s; a trial is its windows' %s%s", count, figure->spread,
		 statistic, harness);
	script_foot(script, text);
}

static void script_foot_machine(struct script *script)
{
	const struct nslab_run_record *run = &script->input->run;
	char text[768];

	snprintf(text, sizeof(text), "%s; %d package%s, %d node%s%s, %d PU%s; %s",
		 run->cpu_model ? run->cpu_model : "unknown CPU", run->nr_packages,
		 run->nr_packages == 1 ? "" : "s", run->nr_nodes, run->nr_nodes == 1 ? "" : "s",
		 run->is_simulated ? " (SIMULATED)" : "", run->nr_pus, run->nr_pus == 1 ? "" : "s",
		 run->kernel ? run->kernel : "unknown kernel");
	script_foot(script, text);
}

static void script_foot_run(struct script *script)
{
	const struct nslab_run_record *run = &script->input->run;
	char text[768];

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
}

static void script_foot_all(struct script *script)
{
	const struct nslab_figure *figure = script->figure;
	char text[256];

	if (*figure->machine)
		script_foot(script, figure->machine);
	else
		script_foot_machine(script);
	if (figure->has_no_trials)
		script_foot(script, figure->spread);
	else
		script_foot_trials(script);
	script_foot(script, figure->remark);
	if (!*figure->machine)
		script_foot_run(script);
	if (script->nr_pages > NSLAB_PLOT_PAGES_MAX) {
		snprintf(text, sizeof(text),
			 "pages %d to %d are not drawn by themselves: gnuplot -e \"page=%d\" %s.gp",
			 NSLAB_PLOT_PAGES_MAX + 1, script->nr_pages, NSLAB_PLOT_PAGES_MAX + 1,
			 figure->name);
		script_foot(script, text);
	}
}

/* ---- sizes ---- */

static int script_parts(int nr, int per_part)
{
	return nr > per_part ? (nr + per_part - 1) / per_part : 1;
}

static void script_layout(struct script *script)
{
	const struct nslab_figure *figure = script->figure;
	int nr_arms = (int)figure->arms.nr;
	size_t longest = 0;

	script->nr_facets = (int)figure->facets.nr;
	for (size_t i = 0; i < figure->arms.nr && !figure->has_no_key; i++) {
		size_t len = strlen(figure->arms.texts[i]);

		longest = len > longest ? len : longest;
	}
	if (longest > SCRIPT_MAX_KEY_CHARS)
		longest = SCRIPT_MAX_KEY_CHARS;
	script->key_width = 60 + 7 * (int)longest;
	if (script->key_width < 110)
		script->key_width = 110;
	script->per_page = figure->per_page ? figure->per_page : SCRIPT_PER_PAGE;
	script->per_legend = (figure->facet_height - SCRIPT_KEY_LOSS) / SCRIPT_KEY_HEIGHT;
	if (script->per_legend > SCRIPT_PER_LEGEND)
		script->per_legend = SCRIPT_PER_LEGEND;
	if (figure->has_no_key)
		script->per_legend = nr_arms;
	script->nr_pages = script_parts(script->nr_facets, script->per_page) *
			   script_parts(nr_arms, script->per_legend);
	script->width = figure->cols * figure->facet_width + script->key_width;
	script->foots.room = (script->width - 24) * 10 / 58;
	script->text_foots.room = SCRIPT_TEXT_COLUMNS;
	script_foot_all(script);
}

/* ---- words of the template ---- */

static void script_put_names(FILE *file, const struct nslab_names *names, size_t nr, size_t max_len)
{
	for (size_t i = 0; i < nr; i++) {
		const char *text = names->texts[i];
		char quoted[1200], cut[512];

		if (text[script_cut(text, max_len)])
			snprintf(cut, sizeof(cut), "%.*s..", (int)script_cut(text, max_len - 2),
				 text);
		else
			snprintf(cut, sizeof(cut), "%s", text);
		nslab_script_quote(cut, quoted, sizeof(quoted));
		fprintf(file, "%s'%s'", i ? ", " : "", quoted);
	}
}

/* Is it the first of its facet's rows, which begin at `from`, with its x? */
static bool script_is_new_tick(const struct nslab_figure *figure, size_t from, size_t at)
{
	const struct nslab_figure_row *row = &figure->rows[at];

	if (!row->tick)
		return false;
	for (size_t i = from; i < at; i++) {
		if (!(figure->rows[i].x < row->x) && !(figure->rows[i].x > row->x))
			return false;
	}
	return true;
}

/*
 * The tick marks of each facet as arguments of `set xtics`, in a text that gnuplot evaluates; so
 * ticks drawn this way never hold names of users.
 */
static void script_put_ticks(FILE *file, const struct script *script)
{
	const struct nslab_figure *figure = script->figure;
	size_t from = 0;

	for (int facet = 0; facet < script->nr_facets; facet++) {
		size_t i = from;
		bool is_first = true;

		fprintf(file, "%s\"(", facet ? ", " : "");
		for (; i < figure->nr_rows && figure->rows[i].facet == facet; i++) {
			if (figure->has_user_ticks || !script_is_new_tick(figure, from, i))
				continue;
			fprintf(file, "%s'%s' %g", is_first ? "" : ", ", figure->rows[i].tick,
				figure->rows[i].x);
			is_first = false;
		}
		fprintf(file, ")\"");
		from = i;
	}
}

static void script_put_foots(FILE *file, const struct script_foots *foots)
{
	for (int i = 0; i < foots->nr; i++) {
		char quoted[600];

		nslab_script_quote(foots->lines[i], quoted, sizeof(quoted));
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

/*
 * Position of a text among the run's arms, so that an arm has one colour in all plots; the second
 * run of a baseline comes behind them, and -1 is for what is no arm.
 */
static int script_tone(const struct nslab_plot_input *input, const char *text)
{
	int nr = 0, tone = -1;

	for (size_t i = 0; input->list && i < input->list->nr; i++) {
		const struct nslab_cell_record *cell = &input->list->cells[i].cell;
		char arm[256];

		if (!input->is_new_arm[i])
			continue;
		nslab_arm_text(cell, arm, sizeof(arm));
		if (!strcmp(text, cell->arm) || !strcmp(text, arm))
			tone = nr;
		nr++;
	}
	if (tone < 0 && strlen(text) > 3 && !strcmp(text + strlen(text) - 3, " A'"))
		tone = nr;
	return tone;
}

static void script_put_tones(FILE *file, const struct script *script)
{
	const struct nslab_names *arms = &script->figure->arms;

	for (size_t i = 0; i < arms->nr; i++) {
		int tone = script_tone(script->input, arms->texts[i]);

		fprintf(file, "%s%d", i ? ", " : "", tone < 0 ? (int)i : tone);
	}
}

struct script_number {
	const char *word;
	int value;
};

static int script_put_word(FILE *file, const struct script *script, const char *word)
{
	const struct nslab_figure *figure = script->figure;
	const struct script_number numbers[] = {
		{"KEY_WIDTH", script->key_width},	  {"KEY_ROWS", !figure->has_no_key},
		{"PER_PAGE", script->per_page},		  {"PER_LEGEND", script->per_legend},
		{"NR_PAGES", script->nr_pages},		  {"COLS", figure->cols},
		{"FACET_WIDTH", figure->facet_width},	  {"FACET_HEIGHT", figure->facet_height},
		{"NR_FACETS", script->nr_facets},	  {"NR_ARMS", (int)figure->arms.nr},
		{"NR_TICKS", (int)figure->ticks.nr},	  {"NR_YLABELS", (int)figure->ylabels.nr},
		{"NR_XLABELS", (int)figure->xlabels.nr},  {"NR_FOOTS", script->foots.nr},
		{"NR_TEXT_FOOTS", script->text_foots.nr},
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
	else if (!strcmp(word, "TONES"))
		script_put_tones(file, script);
	else if (!strcmp(word, "TICK_NAMES"))
		script_put_names(file, &figure->ticks, figure->ticks.nr, SCRIPT_MAX_KEY_CHARS);
	else if (!strcmp(word, "FOOTS"))
		script_put_foots(file, &script->foots);
	else if (!strcmp(word, "TEXT_FOOTS"))
		script_put_foots(file, &script->text_foots);
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

	if (!rc)
		rc = script_fill(file, script, script->figure->name, err);
	if (!rc && script->figure->shape)
		rc = script_fill(file, script, script->figure->shape, err);
	return rc;
}

static void script_put_row(FILE *file, const struct nslab_figure *figure,
			   const struct nslab_figure_row *row)
{
	fprintf(file, "%d\t%d\t%g\t", row->facet + 1, row->arm + 1, row->x);
	if (isfinite(row->value))
		fprintf(file, "%.6g\t%.6g\t%.6g\t", row->value, row->lo, row->hi);
	else
		fprintf(file, "NaN\tNaN\tNaN\t");
	fprintf(file, "%zu\t", row->n);
	script_plain(file, row->tick);
	fputc('\t', file);
	script_plain(file, figure->arms.texts[row->arm]);
	fputc('\t', file);
	script_plain(file, figure->facets.texts[row->facet]);
	fputc('\t', file);
	script_plain(file, row->note);
	fprintf(file, "\t%d\t%d\n", row->slot, row->is_unclear);
}

static int script_put_table(FILE *file, const struct script *script, struct nslab_err *err)
{
	const struct nslab_figure *figure = script->figure;
	size_t at = 0;

	(void)err;
	fprintf(file, "# numaslab plot '%s': ", figure->name);
	script_plain(file, figure->title);
	fputc('\n', file);
	for (int i = 0; i < script->foots.nr; i++) {
		fprintf(file, "# ");
		script_plain(file, script->foots.lines[i]);
		fputc('\n', file);
	}
	for (size_t i = 0; i < figure->ylabels.nr; i++) {
		fprintf(file, "# axis: ");
		script_plain(file, figure->ylabels.texts[i]);
		fputc('\n', file);
	}
	fprintf(file, "# facet\tarm\tx\tvalue\tlow\thigh\tn\tx_label\tarm_name\tfacet_name\tnote"
		      "\tslot\tunclear\n");
	/* one data set of gnuplot for each facet, so that a panel reads no other's rows */
	for (int facet = 0; facet < (int)figure->facets.nr; facet++) {
		size_t from = at;

		for (; at < figure->nr_rows && figure->rows[at].facet == facet; at++)
			script_put_row(file, figure, &figure->rows[at]);
		if (at == from)
			fprintf(file, "%d\t0\tNaN\tNaN\tNaN\tNaN\t0\t\t\t\tempty\t0\t0\n",
				facet + 1);
		fputs("\n\n", file);
	}
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
		       const char *folder, int *nr_pages, struct nslab_err *err)
{
	struct script *script = calloc(1, sizeof(*script));
	int rc;

	if (!script)
		return nslab_fail(err, -ENOMEM, "cannot draw '%s': out of memory", figure->name);
	script->input = input;
	script->figure = figure;
	script_layout(script);
	*nr_pages = script->nr_pages;
	rc = script_write_file(script, folder, "dat", script_put_table, err);
	if (!rc)
		rc = script_write_file(script, folder, "gp", script_put_script, err);
	free(script);
	return rc;
}
