/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_svg.c: a picture of gnuplot inside a page, in light and in dark at the size of one.
 *
 * The light and the dark SVG of a plot differ in colours only. So the light one goes into the page,
 * and a style sheet for dark screens says, for each colour that an attribute holds in it, which one
 * the dark one has at the same place; a rule of a style sheet is stronger than an attribute. Should
 * one light colour stand for two dark ones, they are told apart by blanks behind it, which the
 * browser does not read but a rule does. Pictures that do not run in step keep their light colours.
 *
 * On the way identifiers get a prefix, since several pictures are in one page, and what only a file
 * of its own needs goes: prolog, name spaces, titles that would show as tooltips.
 *
 * Invariants: any text ends at its 0, whatever is in it; only characters of colours get into the
 * style sheet. Left out: links between pictures, and pictures of others than gnuplot.
 */
#include "plots/report_doc.h"

#include <ctype.h>
#include <string.h>

#define SVG_RULES_MAX 256

struct svg_word {
	const char *text;
	size_t len;
};

/* Walks over opening tags and their attributes. */
struct svg_scan {
	const char *at;
	const char *tag, *tag_end; /* "<g ..." and its ">"; tag_end NULL: in no tag */
};

struct svg_rule {
	struct svg_word name, light, dark;
	int nr_blanks;
};

struct svg_inline {
	FILE *out;
	const char *prefix;
	struct svg_scan dark;
	size_t nr_rules;
	struct svg_rule rules[SVG_RULES_MAX];
};

static bool svg_is(struct svg_word word, const char *text)
{
	return word.len == strlen(text) && !memcmp(word.text, text, word.len);
}

static bool svg_is_same(struct svg_word a, struct svg_word b)
{
	return a.len == b.len && !memcmp(a.text, b.text, a.len);
}

/* The ">" that ends the tag, beyond quoted values; or the end of the text. */
static const char *svg_find_end(const char *at)
{
	char quote = 0;

	for (; *at; at++) {
		if (quote)
			quote = *at == quote ? 0 : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
		else if (*at == '>')
			break;
	}
	return at;
}

static bool svg_next_tag(struct svg_scan *scan)
{
	scan->tag_end = NULL;
	for (; (scan->tag = strchr(scan->at, '<')); scan->at = scan->tag + 1) {
		if (isalpha((unsigned char)scan->tag[1])) {
			scan->tag_end = svg_find_end(scan->tag);
			scan->at = scan->tag + 1 + strcspn(scan->tag + 1, " \t\r\n/>");
			return true;
		}
	}
	return false;
}

/* The next attribute of the tag in hand. */
static bool svg_next_attribute(struct svg_scan *scan, struct svg_word *name, struct svg_word *value)
{
	const char *end = scan->tag_end;

	while (scan->at < end) {
		const char *at = scan->at + strspn(scan->at, " \t\r\n/");
		const char *quote = at + strcspn(at, "\"'");
		const char *close =
			quote < end ? memchr(quote + 1, *quote, (size_t)(end - quote - 1)) : NULL;

		scan->at = close ? close + 1 : end;
		if (!close)
			break;
		*name = (struct svg_word){at, strcspn(at, "= \t\r\n\"'")};
		*value = (struct svg_word){quote + 1, (size_t)(close - quote - 1)};
		return true;
	}
	return false;
}

static bool svg_is_colour(struct svg_word name)
{
	return svg_is(name, "fill") || svg_is(name, "stroke") || svg_is(name, "color") ||
	       svg_is(name, "flood-color");
}

/* The colour that stands at the same place of the dark picture. */
static bool svg_next_colour(struct svg_scan *scan, struct svg_word *name, struct svg_word *value)
{
	for (;;) {
		while (scan->tag_end && svg_next_attribute(scan, name, value)) {
			if (svg_is_colour(*name))
				return true;
		}
		if (!svg_next_tag(scan))
			return false;
	}
}

static bool svg_is_plain(struct svg_word value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (!isalnum((unsigned char)value.text[i]) && !strchr("#(),.% ", value.text[i]))
			return false;
	}
	return value.len > 0;
}

/* How many blanks tell this pair from others of the same light colour. */
static int svg_find_rule(struct svg_inline *in, struct svg_word name, struct svg_word light,
			 struct svg_word dark)
{
	int nr_blanks = 0;

	for (size_t i = 0; i < in->nr_rules; i++) {
		const struct svg_rule *rule = &in->rules[i];

		if (!svg_is_same(rule->name, name) || !svg_is_same(rule->light, light))
			continue;
		if (svg_is_same(rule->dark, dark))
			return rule->nr_blanks;
		nr_blanks++;
	}
	if (in->nr_rules == SVG_RULES_MAX || !svg_is_plain(light) || !svg_is_plain(dark))
		return 0;
	in->rules[in->nr_rules++] = (struct svg_rule){name, light, dark, nr_blanks};
	return nr_blanks;
}

static void svg_put(struct svg_inline *in, struct svg_word word)
{
	fwrite(word.text, 1, word.len, in->out);
}

/* The value with the prefix in front of an identifier: "gpDot", "#gpDot", "url(#gpDot)". */
static void svg_put_value(struct svg_inline *in, struct svg_word name, struct svg_word value)
{
	const char *mark = memchr(value.text, '#', value.len);
	size_t head = 0;
	bool is_link = svg_is(name, "xlink:href") || svg_is(name, "href") ||
		       (value.len > 5 && !strncmp(value.text, "url(#", 5));

	if (is_link && mark)
		head = (size_t)(mark - value.text) + 1;
	svg_put(in, (struct svg_word){value.text, head});
	if (head || svg_is(name, "id"))
		fputs(in->prefix, in->out);
	svg_put(in, (struct svg_word){value.text + head, value.len - head});
}

static void svg_put_attribute(struct svg_inline *in, struct svg_word name, struct svg_word value)
{
	struct svg_word dark_name, dark;
	int nr_blanks = 0;

	if (name.len >= 5 && !strncmp(name.text, "xmlns", 5))
		return;
	if (svg_is_colour(name) && svg_next_colour(&in->dark, &dark_name, &dark) &&
	    svg_is_same(name, dark_name))
		nr_blanks = svg_find_rule(in, name, value, dark);
	fputc(' ', in->out);
	svg_put(in, name);
	fputc('=', in->out);
	fputc(value.text[-1], in->out);
	svg_put_value(in, name, value);
	fprintf(in->out, "%*s%c", nr_blanks, "", value.text[-1]);
}

/* Past the element that the tag opens, or NULL when it is one that stays. */
static const char *svg_skip(const struct svg_scan *scan)
{
	static const char *const names[] = {"title", "desc", "script"};
	struct svg_word tag = {scan->tag + 1, strcspn(scan->tag + 1, " \t\r\n/>")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char close[16];
		const char *end;

		if (!svg_is(tag, names[i]))
			continue;
		snprintf(close, sizeof(close), "</%s>", names[i]);
		end = strstr(scan->tag, close);
		return end ? end + strlen(close) : scan->tag + strlen(scan->tag);
	}
	return NULL;
}

/* Line breaks with the blanks after them are one line break. */
static void svg_put_between(struct svg_inline *in, const char *from, const char *to)
{
	while (from < to) {
		fputc(*from, in->out);
		from += *from == '\n' ? strspn(from, " \t\r\n") : 1;
	}
}

static void svg_put_tag(struct svg_inline *in, struct svg_scan *scan, const char *label)
{
	struct svg_word name, value;
	bool is_root = !strncmp(scan->tag, "<svg", 4) && !isalnum((unsigned char)scan->tag[4]);
	const char *end = scan->tag_end;

	svg_put_between(in, scan->tag, scan->at);
	if (is_root) {
		fprintf(in->out, " id=\"%ssvg\" role=\"img\" aria-label=\"", in->prefix);
		nslab_doc_html_text(in->out, label);
		fputc('"', in->out);
	}
	while (svg_next_attribute(scan, &name, &value))
		svg_put_attribute(in, name, value);
	fputs(end[-1] == '/' ? "/>" : ">", in->out);
	scan->at = *end ? end + 1 : end;
}

static void svg_put_style(const struct svg_inline *in)
{
	fputs("<style>\n@media screen and (prefers-color-scheme: dark) {\n", in->out);
	for (size_t i = 0; i < in->nr_rules; i++) {
		const struct svg_rule *rule = &in->rules[i];

		if (svg_is_same(rule->light, rule->dark))
			continue;
		fprintf(in->out, "#%ssvg [%.*s=\"%.*s%*s\"]{%.*s:%.*s}\n", in->prefix,
			(int)rule->name.len, rule->name.text, (int)rule->light.len,
			rule->light.text, rule->nr_blanks, "", (int)rule->name.len, rule->name.text,
			(int)rule->dark.len, rule->dark.text);
	}
	fputs("}\n</style>\n", in->out);
}

void nslab_doc_svg(FILE *out, const char *light, const char *dark, const char *prefix,
		   const char *label)
{
	struct svg_inline in = {.out = out, .prefix = prefix, .dark = {.at = dark}};
	struct svg_scan scan = {.at = strstr(light, "<svg")};

	if (!scan.at)
		return;
	while (*scan.at) {
		const char *from = scan.at, *past;

		if (!svg_next_tag(&scan)) {
			svg_put_between(&in, from, from + strlen(from));
			break;
		}
		svg_put_between(&in, from, scan.tag);
		past = svg_skip(&scan);
		if (past)
			scan.at = past;
		else
			svg_put_tag(&in, &scan, label);
	}
	svg_put_style(&in);
}
