/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.c: what comes out of a result file, made safe for JSON and CSV.
 *
 * A file may have been crafted or damaged, so its texts need not be UTF-8 and its numbers need not
 * be finite. JSON gets null where there is no value and question marks where there is no character;
 * CSV quotes a field that holds a separator, a quote or a line break. Left out: byte order marks
 * and other separators.
 */
#define _GNU_SOURCE
#include "results/encode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *nslab_json_text(const char *text)
{
	json_t *string;
	char *ascii;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	ascii = strdup(text);
	for (char *c = ascii; c && *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	string = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return string;
}

json_t *nslab_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *nslab_json_parsed(const char *text)
{
	json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();

	return value ? value : nslab_json_text(text);
}

void nslab_csv_text(FILE *out, const char *text, char end)
{
	if (text && text[strcspn(text, ",\"\r\n")]) {
		fputc('"', out);
		for (; *text; text++) {
			if (*text == '"')
				fputc('"', out);
			fputc(*text, out);
		}
		fputc('"', out);
	} else if (text) {
		fputs(text, out);
	}
	fputc(end, out);
}

void nslab_csv_real(FILE *out, double value, char end)
{
	if (isfinite(value))
		fprintf(out, "%.10g", value);
	fputc(end, out);
}
