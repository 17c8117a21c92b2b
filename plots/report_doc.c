/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_doc.c: texts of a run made fit for a page: characters, and families without what is alike.
 *
 * A name comes from a plan, a plug-in, a kernel or a file that a stranger sent, so nothing is taken
 * for granted: bytes are decoded strictly, as a browser would, and what is no character of a text
 * (control characters, marks that turn the direction and so let a name read as another) becomes
 * U+FFFD. What has a meaning in HTML or Markdown is the business of their writers.
 *
 * A family is a line of words KEY=VALUE. Those that every family has are told once above a table.
 */
#include "plots/report_doc.h"

#include <string.h>

#define DOC_REPLACED 0xfffdu

/* Bytes of the character that begins here, from its first byte; 0: none does. */
static int doc_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The code of the character at text and its bytes; DOC_REPLACED with 1 for what is none. */
static unsigned doc_decode(const char *text, int *length)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	int nr = doc_length(first);
	unsigned code = nr <= 1 ? first : first & (0x7fu >> nr);

	*length = 1;
	for (int i = 1; i < nr; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return DOC_REPLACED;
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (!nr || code < least[nr] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return DOC_REPLACED;
	*length = nr;
	return code;
}

static bool doc_is_hidden(unsigned code)
{
	if (code == '\n' || code == '\t')
		return false;
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200b || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code & 0xfffe) == 0xfffe;
}

unsigned nslab_doc_next(const char **text, char bytes[5])
{
	unsigned code;
	int length;

	if (!**text)
		return 0;
	code = doc_decode(*text, &length);
	if (code == DOC_REPLACED || doc_is_hidden(code)) {
		code = DOC_REPLACED;
		strcpy(bytes, "\xef\xbf\xbd");
	} else {
		memcpy(bytes, *text, (size_t)length);
		bytes[length] = '\0';
	}
	*text += length;
	return code;
}

/* The next word between blanks; its length, 0 past the last. */
static size_t doc_word(const char **text)
{
	*text += strspn(*text, " ");
	return strcspn(*text, " ");
}

static bool doc_has_word(const char *text, const char *word, size_t word_len)
{
	size_t len;

	for (; (len = doc_word(&text)); text += len) {
		if (len == word_len && !strncmp(text, word, len))
			return true;
	}
	return false;
}

/* Keeps the words of `common` for which `family` decides as asked. */
static void doc_keep_words(const char *from, const char *family, bool want, char *to, size_t bytes)
{
	size_t used = 0, len;

	to[0] = '\0';
	for (; (len = doc_word(&from)); from += len) {
		if (doc_has_word(family, from, len) != want || used + len + 2 > bytes)
			continue;
		used += (size_t)snprintf(to + used, bytes - used, "%s%.*s", used ? " " : "",
					 (int)len, from);
	}
}

void nslab_report_common(const struct nslab_cell_list *list, char *common, size_t common_bytes)
{
	char kept[1024];

	common[0] = '\0';
	if (!list->nr)
		return;
	snprintf(common, common_bytes, "%s", list->cells[0].cell.family);
	for (size_t i = 1; i < list->nr && common[0]; i++) {
		if (!strcmp(list->cells[i].cell.family, list->cells[i - 1].cell.family))
			continue;
		doc_keep_words(common, list->cells[i].cell.family, true, kept, sizeof(kept));
		snprintf(common, common_bytes, "%s", kept);
	}
}

void nslab_report_short(const char *family, const char *common, char *text, size_t text_bytes)
{
	doc_keep_words(family, common, false, text, text_bytes);
	if (!text[0])
		snprintf(text, text_bytes, "%s", family);
}
