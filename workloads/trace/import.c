/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import.c: lines of `perf script` and of tracefs become raw events.
 *
 *   comm  tid [000]  1821.687805385: kmem:kfree: call_site=vm_area_free+0x1c ptr=(nil)
 *   comm-tid [000] d..2. 1821.687805: kfree: call_site=vm_area_free+0x1c/0x40 ptr=00000000deadbeef
 *
 * A line is read once, from left to right, without a copy. A command's name may hold anything, so
 * the start of the rest is the first `[digits]` with a time behind it, one word of flags between
 * allowed. Then come the event's name and its fields, always in the order in which the kernel
 * prints them; releases differ in which there are (name= on an allocation since 6.2, accounted=
 * since 6.0). Call sites lose the function's size, which only tracefs prints, so that both
 * forms give one site. A line is known or it is an error: nothing is guessed.
 */
#define _GNU_SOURCE
#include "workloads/trace/import.h"

#include <errno.h>
#include <string.h>

#define CPU_MAX	    ((uint64_t)1 << 20)
#define BYTES_MAX   ((uint64_t)1 << 40) /* bytes of one object: more is no kernel's */
#define SECONDS_MAX ((uint64_t)9000000000)
#define NODE_MAX    ((uint64_t)1 << 16)
#define ORDER_MAX   31
#define SITE_MAX    256

struct import_span {
	const char *at, *end;
};

/* ---- words ---- */

static bool import_takes(struct import_span *line, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(line->end - line->at) < length || memcmp(line->at, text, length))
		return false;
	line->at += length;
	return true;
}

static void import_skip_spaces(struct import_span *line)
{
	while (line->at < line->end && *line->at == ' ')
		line->at++;
}

/* Up to the next space, which is skipped too. */
static struct import_span import_word(struct import_span *line)
{
	const char *start = line->at;
	const char *space = memchr(start, ' ', (size_t)(line->end - start));
	const char *end = space ? space : line->end;

	line->at = space ? space + 1 : end;
	return (struct import_span){start, end};
}

/* Up to " NEXT", which stays; a value may hold spaces. Without NEXT: all. */
static struct import_span import_until(struct import_span *line, const char *next)
{
	struct import_span value = {line->at, line->end};

	while (line->at < line->end) {
		struct import_span rest;

		value.end = import_word(line).end;
		rest = *line;
		if (import_takes(&rest, next))
			return value;
	}
	value.end = line->end;
	return value;
}

/* Decimal digits: false if there is none or the number is above `most`. */
static bool import_digits(struct import_span *line, uint64_t most, uint64_t *value)
{
	const char *start = line->at;
	uint64_t sum = 0;

	while (line->at < line->end && *line->at >= '0' && *line->at <= '9') {
		sum = 10 * sum + (uint64_t)(*line->at++ - '0');
		if (sum > most)
			return false;
	}
	*value = sum;
	return line->at > start;
}

static bool import_decimal(struct import_span *line, const char *key, uint64_t most,
			   uint64_t *value)
{
	struct import_span word;

	if (!import_takes(line, key))
		return false;
	word = import_word(line);
	return import_digits(&word, most, value) && word.at == word.end;
}

static int import_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* With or without 0x; "(nil)" and "(null)" are 0. */
static bool import_address(struct import_span *line, const char *key, uint64_t *value)
{
	struct import_span word;
	uint64_t sum = 0;

	if (!import_takes(line, key))
		return false;
	word = import_word(line);
	*value = 0;
	if (word.at < word.end && *word.at == '(')
		return (import_takes(&word, "(nil)") || import_takes(&word, "(null)")) &&
		       word.at == word.end;
	import_takes(&word, "0x");
	if (word.at == word.end || word.end - word.at > 16)
		return false;
	for (; word.at < word.end; word.at++) {
		int digit = import_hex_digit(*word.at);

		if (digit < 0)
			return false;
		sum = sum << 4 | (uint64_t)digit;
	}
	*value = sum;
	return true;
}

/* ---- what stands before the fields ---- */

/* "1821.687805385:", nanoseconds from any number of decimals. */
static bool import_time(struct import_span *line, uint64_t *time_ns)
{
	uint64_t seconds, fraction = 0, unit = 1000000000;

	if (!import_digits(line, SECONDS_MAX, &seconds) || !import_takes(line, "."))
		return false;
	for (; line->at < line->end && *line->at >= '0' && *line->at <= '9'; line->at++) {
		unit /= 10;
		fraction += unit * (uint64_t)(*line->at - '0');
	}
	*time_ns = seconds * 1000000000 + fraction;
	return import_takes(line, ":");
}

/* "[001]", perhaps flags, and the time, from `line` on. */
static bool import_stamp_here(struct import_span *line, struct nslab_trace_raw *raw)
{
	struct import_span again;
	uint64_t cpu;

	if (!import_takes(line, "[") || !import_digits(line, CPU_MAX, &cpu) ||
	    !import_takes(line, "]"))
		return false;
	raw->cpu = (uint32_t)cpu;
	import_skip_spaces(line);
	again = *line;
	if (import_time(line, &raw->time_ns))
		return true;
	*line = again;
	import_word(line);
	import_skip_spaces(line);
	return import_time(line, &raw->time_ns);
}

static bool import_stamp(struct import_span *line, struct nslab_trace_raw *raw)
{
	const char *at = line->at;

	while ((at = memchr(at, '[', (size_t)(line->end - at)))) {
		struct import_span here = {at, line->end};

		if (import_stamp_here(&here, raw)) {
			*line = here;
			return true;
		}
		at++;
	}
	return false;
}

/* "kmem:kfree:" or "kfree:" without the colon and the subsystem. */
static struct import_span import_event_name(struct import_span *line)
{
	struct import_span name;

	import_skip_spaces(line);
	import_takes(line, "kmem:");
	name = import_word(line);
	if (name.end > name.at && name.end[-1] == ':')
		name.end--;
	import_skip_spaces(line);
	return name;
}

/* ---- fields ---- */

/* "call_site=name+0x10/0x20 [module] ptr=...": the id, or a negative errno. */
static int import_site(struct nslab_trace_importer *importer, struct import_span *line)
{
	struct import_span site;
	const char *slash, *space;
	char text[SITE_MAX];
	size_t before, after = 0;

	if (!import_takes(line, "call_site="))
		return -EINVAL;
	site = import_until(line, "ptr=");
	slash = memchr(site.at, '/', (size_t)(site.end - site.at));
	if (!slash)
		return nslab_trace_writer_site(importer->writer, site.at,
					       (size_t)(site.end - site.at));
	space = memchr(slash, ' ', (size_t)(site.end - slash));
	before = (size_t)(slash - site.at);
	if (space)
		after = (size_t)(site.end - space);
	if (before + after > sizeof(text))
		return -EINVAL;
	memcpy(text, site.at, before);
	if (after)
		memcpy(text + before, space, after);
	return nslab_trace_writer_site(importer->writer, text, before + after);
}

static bool import_node(struct import_span *line, int *node)
{
	uint64_t value;

	*node = -1;
	if (!import_takes(line, "node="))
		return true; /* not every release tells */
	if (import_takes(line, "-1")) {
		import_word(line);
		return true;
	}
	if (!import_digits(line, NODE_MAX, &value))
		return false;
	import_word(line);
	*node = (int)value;
	return true;
}

/* "gfp_flags=A|B node=-1 accounted=false", the last two where the release tells. */
static int import_attr(struct nslab_trace_importer *importer, struct import_span *line)
{
	struct import_span gfp;
	int node;

	if (!import_takes(line, "gfp_flags="))
		return -EINVAL;
	gfp = import_word(line);
	if (!import_node(line, &node))
		return -EINVAL;
	return nslab_trace_writer_attr(importer->writer, gfp.at, (size_t)(gfp.end - gfp.at), node,
				       import_takes(line, "accounted=true"));
}

static int import_named(struct nslab_trace_importer *importer, struct import_span name,
			uint64_t bytes_req, uint64_t bytes_alloc)
{
	return nslab_trace_writer_cache(importer->writer, name.at, (size_t)(name.end - name.at),
					bytes_req, bytes_alloc);
}

/* kmalloc and kmem_cache_alloc, of any release. */
static int import_alloc(struct nslab_trace_importer *importer, struct import_span *line,
			struct nslab_trace_raw *raw)
{
	struct import_span name = {NULL, NULL};
	uint64_t bytes_req, bytes_alloc;
	int site = import_site(importer, line), attr, cache;

	if (site < 0)
		return site;
	if (!import_address(line, "ptr=", &raw->ptr))
		return -EINVAL;
	if (import_takes(line, "name="))
		name = import_until(line, "bytes_req=");
	if (!import_decimal(line, "bytes_req=", BYTES_MAX, &bytes_req) ||
	    !import_decimal(line, "bytes_alloc=", BYTES_MAX, &bytes_alloc))
		return -EINVAL;
	attr = import_attr(importer, line);
	if (attr < 0)
		return attr;
	if (raw->kind == NSLAB_TRACE_KMALLOC)
		cache = nslab_trace_writer_kmalloc(importer->writer, bytes_req, bytes_alloc,
						   (uint16_t)attr);
	else if (name.at)
		cache = import_named(importer, name, bytes_req, bytes_alloc);
	else
		cache = nslab_trace_writer_nameless(importer->writer, (uint16_t)site, bytes_req,
						    bytes_alloc);
	raw->site = (uint16_t)site;
	raw->attr = (uint16_t)attr;
	raw->cache = (uint16_t)cache;
	return cache < 0 ? cache : 0;
}

static int import_free(struct nslab_trace_importer *importer, struct import_span *line,
		       struct nslab_trace_raw *raw)
{
	int site = import_site(importer, line), cache = 0;

	if (site < 0)
		return site;
	if (!import_address(line, "ptr=", &raw->ptr))
		return -EINVAL;
	if (import_takes(line, "name="))
		cache = import_named(importer, import_until(line, "\n"), 0, 0);
	raw->site = (uint16_t)site;
	raw->cache = (uint16_t)cache;
	return cache < 0 ? cache : 0;
}

/* Releases before 5.14 print it without 0x, in decimal. */
static bool import_frame(struct import_span *line, uint64_t *pfn)
{
	struct import_span hex = *line;

	if (import_takes(&hex, "pfn=0x"))
		return import_address(line, "pfn=", pfn);
	return import_decimal(line, "pfn=", UINT64_MAX >> 4, pfn);
}

/* "page=0xffffea0004000000 pfn=0x100000 order=0 migratetype=1 gfp_flags=GFP_KERNEL" */
static int import_page(struct nslab_trace_importer *importer, struct import_span *line,
		       struct nslab_trace_raw *raw)
{
	uint64_t page, pfn, order, type;
	int attr = 0, cache;

	if (!import_address(line, "page=", &page) || !import_frame(line, &pfn))
		return -EINVAL;
	if (!import_decimal(line, "order=", ORDER_MAX, &order))
		return -EINVAL;
	if (raw->kind == NSLAB_TRACE_PAGE_ALLOC) {
		if (!import_decimal(line, "migratetype=", UINT32_MAX, &type))
			return -EINVAL;
		attr = import_attr(importer, line);
	}
	cache = nslab_trace_writer_pages(importer->writer, (unsigned)order);
	raw->attr = (uint16_t)attr;
	raw->cache = (uint16_t)cache;
	raw->ptr = page ? pfn + 1 : 0;
	if (attr < 0)
		return attr;
	return cache < 0 ? cache : 0;
}

/* "PERF_RECORD_LOST lost 57" */
static int import_lost(struct nslab_trace_importer *importer, struct import_span *line,
		       struct nslab_trace_raw *raw)
{
	(void)importer;
	import_skip_spaces(line);
	return import_decimal(line, "lost ", UINT32_MAX, &raw->ptr) ? 0 : -EINVAL;
}

/* ---- lines ---- */

struct import_event {
	const char *name;
	enum nslab_trace_kind kind;
	/* NULL: known, but says nothing of objects. */
	int (*take)(struct nslab_trace_importer *importer, struct import_span *line,
		    struct nslab_trace_raw *raw);
};

static const struct import_event import_events[] = {
	{"kmem_cache_alloc", NSLAB_TRACE_CACHE_ALLOC, import_alloc},
	{"kmem_cache_free", NSLAB_TRACE_CACHE_FREE, import_free},
	{"kfree", NSLAB_TRACE_KFREE, import_free},
	{"kmalloc", NSLAB_TRACE_KMALLOC, import_alloc},
	{"mm_page_alloc", NSLAB_TRACE_PAGE_ALLOC, import_page},
	{"mm_page_free", NSLAB_TRACE_PAGE_FREE, import_page},
	{"kmem_cache_alloc_node", NSLAB_TRACE_CACHE_ALLOC, import_alloc},
	{"kmalloc_node", NSLAB_TRACE_KMALLOC, import_alloc},
	{"PERF_RECORD_LOST", NSLAB_TRACE_LOST, import_lost},
	{"PERF_RECORD_LOST_SAMPLES", NSLAB_TRACE_LOST, import_lost},
	/* mm_page_free tells of each of these pages too */
	{"mm_page_free_batched", NSLAB_TRACE_PAGE_FREE, NULL},
	{"mm_page_alloc_zone_locked", NSLAB_TRACE_PAGE_ALLOC, NULL},
	{"mm_page_pcpu_drain", NSLAB_TRACE_PAGE_FREE, NULL},
	{"mm_page_alloc_extfrag", NSLAB_TRACE_PAGE_ALLOC, NULL},
	{"rss_stat", NSLAB_TRACE_PAGE_ALLOC, NULL},
};

static const struct import_event *import_find_event(struct import_span name)
{
	size_t length = (size_t)(name.end - name.at);

	for (size_t i = 0; i < sizeof(import_events) / sizeof(import_events[0]); i++) {
		const char *known = import_events[i].name;

		if (strlen(known) == length && !memcmp(known, name.at, length))
			return &import_events[i];
	}
	return NULL;
}

/* A line that cannot be used: skipped if that was asked for, else the error. */
static int import_unknown(struct nslab_trace_importer *importer, const char *line, size_t length,
			  const char *why, struct nslab_err *err)
{
	char shown[81];
	size_t nr = length < sizeof(shown) - 1 ? length : sizeof(shown) - 1;

	if (importer->skip_unknown) {
		nslab_trace_writer_tally(importer->writer)->skipped++;
		return 0;
	}
	for (size_t i = 0; i < nr; i++)
		shown[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
	shown[nr] = 0;
	return nslab_fail(err, -EINVAL, "'%s' line %llu: %s: '%s%s'", importer->name,
			  (unsigned long long)importer->nr_lines, why, shown,
			  nr < length ? "..." : "");
}

static int import_put(struct nslab_trace_importer *importer, const struct nslab_trace_raw *raw,
		      struct nslab_err *err)
{
	int rc = nslab_trace_writer_put(importer->writer, raw, err);

	importer->last_ns = raw->time_ns;
	importer->nr_events += raw->kind != NSLAB_TRACE_LOST;
	return rc ? nslab_fail_in(err, rc, "'%s' line %llu", importer->name,
				  (unsigned long long)importer->nr_lines)
		  : 0;
}

/* "CPU:1 [LOST 123 EVENTS]" of tracefs, which has no time of its own. */
static bool import_is_lost(const struct nslab_trace_importer *importer, struct import_span line,
			   struct nslab_trace_raw *raw)
{
	uint64_t cpu;

	raw->kind = NSLAB_TRACE_LOST;
	raw->time_ns = importer->last_ns;
	if (!import_takes(&line, "CPU:") || !import_digits(&line, CPU_MAX, &cpu) ||
	    !import_takes(&line, " [LOST "))
		return false;
	raw->cpu = (uint32_t)cpu;
	return import_digits(&line, UINT32_MAX, &raw->ptr) && import_takes(&line, " EVENTS]");
}

/* Before the first event there is no time to give it. */
static int import_lost_line(struct nslab_trace_importer *importer,
			    const struct nslab_trace_raw *raw, struct nslab_err *err)
{
	if (importer->nr_events)
		return import_put(importer, raw, err);
	nslab_trace_writer_tally(importer->writer)->lost += raw->ptr;
	return 0;
}

static void import_keep(char *kept, size_t nr_bytes, struct import_span text)
{
	size_t length = (size_t)(text.end - text.at);

	length = length < nr_bytes - 1 ? length : nr_bytes - 1;
	memcpy(kept, text.at, length);
	kept[length] = 0;
}

/* perf's header tells the machine, that of tracefs how many events were overwritten. */
static void import_comment(struct nslab_trace_importer *importer, struct import_span line)
{
	uint64_t nr_kept, nr_written;

	if (import_takes(&line, "# os release : "))
		import_keep(importer->kernel, sizeof(importer->kernel), line);
	else if (import_takes(&line, "# arch : "))
		import_keep(importer->machine, sizeof(importer->machine), line);
	else if (import_takes(&line, "# entries-in-buffer/entries-written: ") &&
		 import_digits(&line, UINT64_MAX >> 8, &nr_kept) && import_takes(&line, "/") &&
		 import_digits(&line, UINT64_MAX >> 8, &nr_written) && nr_written > nr_kept)
		nslab_trace_writer_tally(importer->writer)->lost += nr_written - nr_kept;
}

static int import_event_line(struct nslab_trace_importer *importer, struct import_span line,
			     struct nslab_err *err)
{
	struct nslab_trace_raw raw = {0};
	const struct import_event *event;
	struct import_span rest = line;
	size_t length = (size_t)(line.end - line.at);
	int rc;

	if (!import_stamp(&rest, &raw)) {
		if (import_is_lost(importer, line, &raw))
			return import_lost_line(importer, &raw, err);
		return import_unknown(importer, line.at, length, "no CPU and time", err);
	}
	event = import_find_event(import_event_name(&rest));
	if (!event)
		return import_unknown(importer, line.at, length, "unknown event", err);
	if (!event->take) {
		nslab_trace_writer_tally(importer->writer)->ignored++;
		return 0;
	}
	raw.kind = (uint8_t)event->kind;
	rc = event->take(importer, &rest, &raw);
	if (rc == -EINVAL)
		return import_unknown(importer, line.at, length, "its fields are not as known",
				      err);
	if (rc)
		return nslab_fail(err, rc, "'%s' line %llu: %s", importer->name,
				  (unsigned long long)importer->nr_lines,
				  rc == -EOVERFLOW ? "too many different caches or gfp words"
						   : strerror(-rc));
	return import_put(importer, &raw, err);
}

int nslab_trace_import_line(struct nslab_trace_importer *importer, const char *text, size_t length,
			    struct nslab_err *err)
{
	struct import_span line = {text, text + length};

	importer->nr_lines++;
	while (line.end > line.at && (line.end[-1] == ' ' || line.end[-1] == '\r'))
		line.end--;
	if (line.at == line.end)
		return 0;
	if (*line.at != '#')
		return import_event_line(importer, line, err);
	import_comment(importer, line);
	return 0;
}
