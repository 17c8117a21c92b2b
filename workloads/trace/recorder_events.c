/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_events.c: one binary record of a kmem event to one raw event of a trace.
 *
 * Offsets and sizes of fields differ between kernels, so each is found by its name in the format
 * file that this kernel gives, through libtraceevent; a field that a kernel has not is told as not
 * known. Numbers of gfp flags mean different things in different kernels, so they never leave this
 * file: the kernel's own print format turns them into words. That is slow, so the result is kept
 * in a small hash table, as are the names of call sites; an entry that was given up costs a second
 * translation to the same id, and nothing else.
 *
 * An event of this process is left out unless an interrupt caused it: frees that RCU deferred run
 * in whatever process is on the CPU, and belong to the trace. Left out as well: times and CPUs,
 * which are in the buffer page and not in the record.
 */
#define _GNU_SOURCE
#include "workloads/trace/recorder_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>

#define NR_EVENTS      8
#define NR_SITE_SLOTS  4096
#define NR_ATTR_SLOTS  1024
#define NR_PROBES      8
#define SAMPLE_BYTES   512 /* room for a record of the event that translates gfp flags */
#define GFP_TEXT_BYTES 512

const char *const nslab_recorder_event_names[] = {
	"kmalloc", "kmalloc_node",    "kmem_cache_alloc", "kmem_cache_alloc_node",
	"kfree",   "kmem_cache_free", "mm_page_alloc",	  "mm_page_free",
	NULL};

static const enum nslab_trace_kind kinds[NR_EVENTS] = {
	NSLAB_TRACE_KMALLOC,	 NSLAB_TRACE_KMALLOC,  NSLAB_TRACE_CACHE_ALLOC,
	NSLAB_TRACE_CACHE_ALLOC, NSLAB_TRACE_KFREE,    NSLAB_TRACE_CACHE_FREE,
	NSLAB_TRACE_PAGE_ALLOC,	 NSLAB_TRACE_PAGE_FREE};

/* A field that the event has not is NULL. */
struct event_format {
	unsigned id;
	enum nslab_trace_kind kind;
	size_t least_bytes; /* up to the end of its last field */
	struct tep_event *event;
	struct tep_format_field *ptr; /* or pfn */
	struct tep_format_field *site, *name, *bytes_req, *bytes_alloc, *gfp, *node, *accounted,
		*order;
};

struct site_slot {
	uint64_t address;
	int id;
	bool is_used;
};

struct attr_slot {
	uint64_t gfp;
	int node, id;
	bool is_accounted, is_used;
};

struct nslab_recorder_events {
	struct tep_handle *tep;
	struct event_format formats[NR_EVENTS];
	unsigned nr_formats;
	struct tep_format_field *type, *flags, *pid; /* the same in all events */
	const struct event_format *translator;	     /* prints gfp flags */
	int own_pid;
	uint64_t nr_own;
	struct site_slot sites[NR_SITE_SLOTS];
	struct attr_slot attrs[NR_ATTR_SLOTS];
};

int nslab_recorder_events_new(int own_pid, struct nslab_recorder_events **events)
{
	struct nslab_recorder_events *e = calloc(1, sizeof(*e));

	*events = NULL;
	if (!e)
		return -ENOMEM;
	e->own_pid = own_pid;
	e->tep = tep_alloc();
	if (!e->tep) {
		free(e);
		return -ENOMEM;
	}
	tep_set_loglevel(TEP_LOG_NONE);
	*events = e;
	return 0;
}

void nslab_recorder_events_free(struct nslab_recorder_events *events)
{
	if (!events)
		return;
	tep_free(events->tep);
	free(events);
}

uint64_t nslab_recorder_events_nr_own(const struct nslab_recorder_events *events)
{
	return events->nr_own;
}

int nslab_recorder_events_symbols(struct nslab_recorder_events *events, const char *text)
{
	return tep_parse_kallsyms(events->tep, text) ? -ENOMEM : 0;
}

/* ---- formats ---- */

static size_t events_end(const struct tep_format_field *fields)
{
	size_t end = 0;

	for (; fields; fields = fields->next) {
		size_t field_end = (size_t)fields->offset + (size_t)fields->size;

		if (field_end > end)
			end = field_end;
	}
	return end;
}

static int events_name(const char *name)
{
	for (int i = 0; i < NR_EVENTS; i++) {
		if (!strcmp(nslab_recorder_event_names[i], name))
			return i;
	}
	return -1;
}

static void events_fields(struct event_format *f, struct tep_event *event)
{
	bool is_page = f->kind == NSLAB_TRACE_PAGE_ALLOC || f->kind == NSLAB_TRACE_PAGE_FREE;

	f->ptr = tep_find_field(event, is_page ? "pfn" : "ptr");
	f->site = tep_find_field(event, "call_site");
	f->name = tep_find_field(event, "name");
	f->bytes_req = tep_find_field(event, "bytes_req");
	f->bytes_alloc = tep_find_field(event, "bytes_alloc");
	f->gfp = tep_find_field(event, "gfp_flags");
	f->node = tep_find_field(event, "node");
	f->accounted = tep_find_field(event, "accounted");
	f->order = tep_find_field(event, "order");
}

/* The field without which events of this kind say nothing, if it is missing. */
static const char *events_missing(const struct nslab_recorder_events *e,
				  const struct event_format *f)
{
	bool is_page = f->kind == NSLAB_TRACE_PAGE_ALLOC || f->kind == NSLAB_TRACE_PAGE_FREE;

	if (!e->type)
		return "common_type";
	if (!e->flags)
		return "common_flags";
	if (!e->pid)
		return "common_pid";
	if (!f->ptr)
		return is_page ? "pfn" : "ptr";
	if (is_page && !f->order)
		return "order";
	if (nslab_trace_is_alloc(f->kind) && !f->gfp)
		return "gfp_flags";
	if (nslab_trace_is_alloc(f->kind) && !is_page && !(f->bytes_req && f->bytes_alloc))
		return "bytes_req or bytes_alloc";
	return NULL;
}

int nslab_recorder_events_format(struct nslab_recorder_events *e, const char *text, size_t bytes,
				 struct nslab_err *err)
{
	struct event_format *f = &e->formats[e->nr_formats];
	struct tep_event *event = NULL;
	const char *missing;
	int at;

	if (tep_parse_format(e->tep, &event, text, bytes, "kmem") || !event)
		return nslab_fail(err, -EINVAL, "cannot parse a format file of kmem events");
	at = events_name(event->name);
	if (at < 0 || e->nr_formats == NR_EVENTS)
		return nslab_fail(err, -EINVAL, "event '%s' is not one to record", event->name);
	*f = (struct event_format){.id = (unsigned)event->id, .kind = kinds[at], .event = event};
	events_fields(f, event);
	e->type = tep_find_common_field(event, "common_type");
	e->flags = tep_find_common_field(event, "common_flags");
	e->pid = tep_find_common_field(event, "common_pid");
	missing = events_missing(e, f);
	if (missing)
		return nslab_fail(err, -EINVAL, "event '%s' of this kernel has no field %s",
				  event->name, missing);
	f->least_bytes = events_end(event->format.fields);
	if (f->gfp && f->least_bytes <= SAMPLE_BYTES && !e->translator)
		e->translator = f;
	e->nr_formats++;
	return 0;
}

/* ---- texts, each once ---- */

static uint64_t events_number(const struct tep_format_field *field, const void *record)
{
	unsigned long long value = 0;

	if (!field)
		return 0;
	/* it takes the field by a pointer that is not const, and changes nothing */
	tep_read_number_field((struct tep_format_field *)(uintptr_t)field, record, &value);
	return value;
}

static size_t events_slot(uint64_t key, size_t nr_slots, size_t probe)
{
	return ((size_t)((key * 0x9e3779b97f4a7c15u) >> 40) + probe) & (nr_slots - 1);
}

/* The slot that has the address, else an unused one near, else one to be given up. */
static struct site_slot *events_site_slot(struct nslab_recorder_events *e, uint64_t address)
{
	for (size_t i = 0; i < NR_PROBES; i++) {
		struct site_slot *slot = &e->sites[events_slot(address, NR_SITE_SLOTS, i)];

		if (!slot->is_used || slot->address == address)
			return slot;
	}
	return &e->sites[events_slot(address, NR_SITE_SLOTS, 0)];
}

static int events_site(struct nslab_recorder_events *e, struct nslab_trace_writer *writer,
		       uint64_t address)
{
	struct site_slot *slot = events_site_slot(e, address);
	unsigned long long start = 0;
	unsigned long size = 0;
	const char *name = NULL;
	char text[256];
	int length;

	if (slot->is_used && slot->address == address)
		return slot->id;
	/* a kernel that hides its addresses gives 0 for all symbols */
	if (tep_find_function_info(e->tep, address, &name, &start, &size) && start)
		length = snprintf(text, sizeof(text), "%s+0x%llx", name, address - start);
	else
		length = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	length = nslab_trace_writer_site(writer, text, (size_t)length);
	*slot = (struct site_slot){address, length, length >= 0};
	return length;
}

/* The kernel's words for gfp flags: an otherwise empty record, printed as the kernel says. */
static void events_gfp_text(struct nslab_recorder_events *e, uint64_t gfp, char text[])
{
	const struct event_format *f = e->translator;
	char sample[SAMPLE_BYTES] = {0};
	struct tep_record record = {.data = sample, .size = (int)f->least_bytes};
	uint16_t type = (uint16_t)f->id;
	struct trace_seq seq;
	char *begin;

	/* little-endian and 64-bit are not assumed: the value is copied in the field's own size */
	memcpy(sample + e->type->offset, &type, sizeof(type));
	if (f->gfp->size == sizeof(uint64_t)) {
		memcpy(sample + f->gfp->offset, &gfp, sizeof(gfp));
	} else {
		uint32_t half = (uint32_t)gfp;

		memcpy(sample + f->gfp->offset, &half, sizeof(half));
	}
	trace_seq_init(&seq);
	tep_print_event(e->tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	begin = seq.buffer ? strstr(seq.buffer, "gfp_flags=") : NULL;
	begin = begin ? begin + strlen("gfp_flags=") : NULL;
	snprintf(text, GFP_TEXT_BYTES, "%.*s", begin ? (int)strcspn(begin, " \n") : 1,
		 begin ? begin : "?");
	trace_seq_destroy(&seq);
}

/* As events_site_slot(). */
static struct attr_slot *events_attr_slot(struct nslab_recorder_events *e,
					  const struct attr_slot *key)
{
	uint64_t hash = key->gfp + (unsigned)key->node;

	for (size_t i = 0; i < NR_PROBES; i++) {
		struct attr_slot *slot = &e->attrs[events_slot(hash, NR_ATTR_SLOTS, i)];

		if (!slot->is_used || (slot->gfp == key->gfp && slot->node == key->node &&
				       slot->is_accounted == key->is_accounted))
			return slot;
	}
	return &e->attrs[events_slot(hash, NR_ATTR_SLOTS, 0)];
}

static int events_attr(struct nslab_recorder_events *e, struct nslab_trace_writer *writer,
		       const struct event_format *f, const void *record)
{
	struct attr_slot key = {
		.gfp = events_number(f->gfp, record),
		.node = f->node ? (int)events_number(f->node, record) : -1,
		.is_accounted = events_number(f->accounted, record) != 0,
	};
	struct attr_slot *slot = events_attr_slot(e, &key);
	char text[GFP_TEXT_BYTES];

	if (slot->is_used && slot->gfp == key.gfp && slot->node == key.node &&
	    slot->is_accounted == key.is_accounted)
		return slot->id;
	events_gfp_text(e, key.gfp, text);
	/* kmalloc has no such field: it prints what the flag says */
	key.id = nslab_trace_writer_attr(writer, text, strlen(text), key.node,
					 key.is_accounted ||
						 (!f->accounted && strstr(text, "_ACCOUNT")));
	key.is_used = key.id >= 0;
	*slot = key;
	return key.id;
}

/* ---- records ---- */

/* A text that the record holds: where is told by a number, length in its upper half. */
static const char *events_name_text(const struct event_format *f, const char *record, size_t bytes,
				    size_t *length)
{
	uint64_t where = events_number(f->name, record);
	size_t at = where & 0xffff;
	size_t room = (where >> 16) & 0xffff;

	*length = 0;
	if (!f->name || at >= bytes)
		return NULL;
	*length = strnlen(record + at, room < bytes - at ? room : bytes - at);
	return record + at;
}

static int events_cache(struct nslab_trace_writer *writer, const struct event_format *f,
			const void *record, size_t bytes, const struct nslab_trace_raw *raw)
{
	uint64_t bytes_req = events_number(f->bytes_req, record);
	uint64_t bytes_alloc = events_number(f->bytes_alloc, record);
	size_t length;
	const char *name;

	switch (f->kind) {
	case NSLAB_TRACE_KMALLOC:
		return nslab_trace_writer_kmalloc(writer, bytes_req, bytes_alloc, raw->attr);
	case NSLAB_TRACE_PAGE_ALLOC:
	case NSLAB_TRACE_PAGE_FREE:
		return nslab_trace_writer_pages(writer, (unsigned)events_number(f->order, record));
	case NSLAB_TRACE_KFREE:
		return 0;
	default:
		name = events_name_text(f, record, bytes, &length);
		if (length)
			return nslab_trace_writer_cache(writer, name, length, bytes_req,
							bytes_alloc);
		if (f->kind == NSLAB_TRACE_CACHE_FREE)
			return 0;
		return nslab_trace_writer_nameless(writer, raw->site, bytes_req, bytes_alloc);
	}
}

static const struct event_format *events_find(const struct nslab_recorder_events *e, unsigned id)
{
	for (unsigned i = 0; i < e->nr_formats; i++) {
		if (e->formats[i].id == id)
			return &e->formats[i];
	}
	return NULL;
}

/* The format of a record that is to be kept; NULL with *rc 0 or -EINVAL for others. */
static const struct event_format *events_keep(struct nslab_recorder_events *e, const void *record,
					      size_t bytes, int *rc)
{
	const unsigned in_interrupt = TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ;
	const struct event_format *f = NULL;

	*rc = -EINVAL;
	if (!e->nr_formats || bytes < events_end(e->formats[0].event->format.common_fields))
		return NULL;
	*rc = 0;
	f = events_find(e, (unsigned)events_number(e->type, record));
	if (!f)
		return NULL;
	if ((int)events_number(e->pid, record) == e->own_pid &&
	    !(events_number(e->flags, record) & in_interrupt)) {
		e->nr_own++;
		return NULL;
	}
	if (bytes >= f->least_bytes)
		return f;
	*rc = -EINVAL;
	return NULL;
}

/* The address, or the frame number + 1 with 0 for none, which a kernel tells as its -1. */
static uint64_t events_pointer(const struct event_format *f, const void *record)
{
	uint64_t value = events_number(f->ptr, record);

	if (f->kind != NSLAB_TRACE_PAGE_ALLOC && f->kind != NSLAB_TRACE_PAGE_FREE)
		return value;
	return f->ptr->size == sizeof(uint32_t) ? (uint32_t)(value + 1) : value + 1;
}

int nslab_recorder_events_decode(struct nslab_recorder_events *e, struct nslab_trace_writer *writer,
				 const void *record, size_t bytes, struct nslab_trace_raw *raw)
{
	const struct event_format *f;
	int rc;

	f = events_keep(e, record, bytes, &rc);
	if (!f)
		return rc;
	raw->kind = (uint8_t)f->kind;
	raw->ptr = events_pointer(f, record);
	rc = f->site ? events_site(e, writer, events_number(f->site, record)) : 0;
	if (rc < 0)
		return rc;
	raw->site = (uint16_t)rc;
	rc = f->gfp ? events_attr(e, writer, f, record) : 0;
	if (rc < 0)
		return rc;
	raw->attr = (uint16_t)rc;
	rc = events_cache(writer, f, record, bytes, raw);
	if (rc < 0)
		return rc;
	raw->cache = (uint16_t)rc;
	return 1;
}
