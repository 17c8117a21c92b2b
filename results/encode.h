/* SPDX-License-Identifier: GPL-2.0-only */
/* encode.h: values as JSON and as CSV fields; what does not exist is null or an empty field. */
#ifndef NSLAB_ENCODE_H
#define NSLAB_ENCODE_H

#include <jansson.h>
#include <stdio.h>

/* null for NULL; bytes that are not UTF-8 become '?'. NULL when memory is out. */
json_t *nslab_json_text(const char *text);
/* null when not finite */
json_t *nslab_json_real(double value);
/* The value of a JSON text, the text itself when it is not JSON, null for NULL. */
json_t *nslab_json_parsed(const char *text);

/* A field, quoted when it must be (RFC 4180), then `end`. */
void nslab_csv_text(FILE *out, const char *text, char end);
void nslab_csv_real(FILE *out, double value, char end);

#endif
