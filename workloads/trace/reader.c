/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reader.c: a trace file, and cursors over its blocks.
 *
 * Opening reads the header and the tables and checks them against the size of the file and against
 * each other; nothing is allocated for a number that the file cannot hold. A cursor reads one block
 * at a time with pread, checks its sum, and each event against the tables: a shape has a largest
 * slot (UINT32_MAX where slot is no slot), so that the check is two table look-ups and no branch on
 * the kind. An event is used as it lies in the block. Errors name the byte where the block or
 * section begins.
 */
#define _GNU_SOURCE
#include "workloads/trace/encode.h"
#include "workloads/trace/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct nslab_trace {
	int fd;
	char *path;
	struct nslab_trace_header header;
	struct nslab_trace_tables tables;
	struct nslab_trace_decoded decoded;
	void *tail;	      /* shapes, born, JSON text */
	uint32_t *slots_last; /* by shape: the largest value that `slot` may have */
	json_t *json;	      /* texts of the tables */
};

struct nslab_trace_cursor {
	const struct nslab_trace *trace;
	uint64_t block; /* the next one */
	struct nslab_trace_block header;
	struct nslab_trace_event events[NSLAB_TRACE_BLOCK_EVENTS];
};

static int reader_wrong(const struct nslab_trace *trace, uint64_t offset, const char *what,
			struct nslab_err *err)
{
	return nslab_fail(err, -EINVAL, "trace '%s' at byte %llu: %s", trace->path,
			  (unsigned long long)offset, what);
}

/* Reads all of it, or says where the file ends. */
static int reader_read(const struct nslab_trace *trace, void *bytes, size_t nr_bytes,
		       uint64_t offset, struct nslab_err *err)
{
	size_t done = 0;

	while (done < nr_bytes) {
		ssize_t nr = pread(trace->fd, (char *)bytes + done, nr_bytes - done,
				   (off_t)(offset + done));

		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return nslab_fail(err, -errno, "cannot read trace '%s' at byte %llu: %s",
					  trace->path, (unsigned long long)(offset + done),
					  strerror(errno));
		if (!nr)
			return reader_wrong(trace, offset + done, "the file ends here, truncated",
					    err);
		done += (size_t)nr;
	}
	return 0;
}

/* ---- opening ---- */

static int reader_check_identity(const struct nslab_trace *trace, uint64_t file_bytes,
				 struct nslab_err *err)
{
	const struct nslab_trace_header *h = &trace->header;

	if (!file_bytes)
		return reader_wrong(trace, 0, "the file is empty", err);
	if (memcmp(h->magic, NSLAB_TRACE_MAGIC, sizeof(h->magic)))
		return reader_wrong(trace, 0,
				    "no trace of numaslab; `numaslab import` makes one from text",
				    err);
	if (file_bytes < sizeof(*h))
		return reader_wrong(trace, file_bytes, "the file ends here, truncated", err);
	if (!h->byte_order && !h->tail_offset)
		return reader_wrong(trace, 8, "the recording was not finished", err);
	if (h->byte_order != NSLAB_TRACE_BYTE_ORDER)
		return reader_wrong(trace, 12, "written by a machine of another byte order", err);
	if (h->version != NSLAB_TRACE_VERSION)
		return nslab_fail(err, -EINVAL,
				  "trace '%s' at byte 8: version %u, this numaslab reads %d",
				  trace->path, h->version, NSLAB_TRACE_VERSION);
	return 0;
}

/* Every number of the header follows from the others and from the size of the file. */
static int reader_check_header(const struct nslab_trace *trace, uint64_t file_bytes,
			       struct nslab_err *err)
{
	const struct nslab_trace_header *h = &trace->header;
	uint64_t tail_bytes = (uint64_t)h->nr_shapes * sizeof(struct nslab_trace_shape) +
			      (uint64_t)h->nr_born * sizeof(struct nslab_trace_born) +
			      h->json_bytes;
	uint64_t nr_blocks;

	if (h->header_sum != XXH3_64bits(h, offsetof(struct nslab_trace_header, header_sum)))
		return reader_wrong(trace, 0, "the header is damaged", err);
	if (h->nr_events > UINT64_MAX / 64)
		return reader_wrong(trace, 16, "an impossible number of events", err);
	nr_blocks = (h->nr_events + NSLAB_TRACE_BLOCK_EVENTS - 1) / NSLAB_TRACE_BLOCK_EVENTS;
	if (h->tail_offset != sizeof(*h) + nr_blocks * sizeof(struct nslab_trace_block) +
				      h->nr_events * sizeof(struct nslab_trace_event))
		return reader_wrong(trace, 24, "the tables are not where the events end", err);
	if (file_bytes < h->tail_offset + tail_bytes)
		return reader_wrong(trace, file_bytes, "the file ends here, truncated", err);
	if (file_bytes > h->tail_offset + tail_bytes)
		return reader_wrong(trace, h->tail_offset + tail_bytes, "more after the end", err);
	if (h->nr_shapes > NSLAB_TRACE_MAX_INDEX || h->nr_slots > h->nr_events ||
	    h->nr_born > h->nr_slots || h->json_bytes > NSLAB_TRACE_JSON_MAX)
		return reader_wrong(trace, 32, "an impossible number of shapes or slots", err);
	return 0;
}

static int reader_load_tail(struct nslab_trace *trace, struct nslab_err *err)
{
	const struct nslab_trace_header *h = &trace->header;
	size_t shape_bytes = h->nr_shapes * sizeof(struct nslab_trace_shape);
	size_t born_bytes = h->nr_born * sizeof(struct nslab_trace_born);
	size_t nr_bytes = shape_bytes + born_bytes + h->json_bytes;
	json_error_t json_error;
	char *tail = malloc(nr_bytes + 1);
	int rc;

	trace->tail = tail;
	if (!tail)
		return nslab_fail(err, -ENOMEM, "cannot read trace '%s': no memory", trace->path);
	rc = reader_read(trace, tail, nr_bytes, h->tail_offset, err);
	if (rc)
		return rc;
	if (XXH3_64bits(tail, nr_bytes) != h->tail_sum)
		return reader_wrong(trace, h->tail_offset, "the tables are damaged", err);
	trace->json = json_loadb(tail + shape_bytes + born_bytes, h->json_bytes, 0, &json_error);
	if (!trace->json)
		return reader_wrong(trace, h->tail_offset + shape_bytes + born_bytes,
				    json_error.text, err);
	trace->tables.shapes = (const struct nslab_trace_shape *)tail;
	trace->tables.born = (const struct nslab_trace_born *)(tail + shape_bytes);
	trace->tables.nr_shapes = h->nr_shapes;
	trace->tables.nr_born = h->nr_born;
	trace->tables.nr_slots = h->nr_slots;
	trace->tables.nr_events = h->nr_events;
	rc = nslab_trace_decode(trace->json, &trace->tables, &trace->decoded, err);
	return rc ? nslab_fail_in(err, rc, "trace '%s' at byte %llu", trace->path,
				  (unsigned long long)(h->tail_offset + shape_bytes + born_bytes))
		  : 0;
}

static bool reader_is_shape(const struct nslab_trace_tables *t, struct nslab_trace_shape shape)
{
	if (shape.kind < NSLAB_TRACE_NR_EVENT_KINDS && !t->nr_slots)
		return false;
	return shape.kind < NSLAB_TRACE_NR_KINDS && shape.cache < t->nr_caches &&
	       shape.site < t->nr_sites && shape.attr < t->nr_attrs &&
	       !(shape.flags & ~(NSLAB_TRACE_IMPLICIT | NSLAB_TRACE_BORN));
}

static int reader_check_tables(struct nslab_trace *trace, struct nslab_err *err)
{
	const struct nslab_trace_tables *t = &trace->tables;

	trace->slots_last = calloc(t->nr_shapes + (size_t)1, sizeof(*trace->slots_last));
	if (!trace->slots_last)
		return nslab_fail(err, -ENOMEM, "cannot read trace '%s': no memory", trace->path);
	for (uint32_t i = 0; i < t->nr_shapes; i++) {
		if (!reader_is_shape(t, t->shapes[i]))
			return reader_wrong(trace,
					    trace->header.tail_offset + i * sizeof(*t->shapes),
					    "a shape of what is in no table", err);
		trace->slots_last[i] = t->shapes[i].kind < NSLAB_TRACE_NR_EVENT_KINDS
					       ? t->nr_slots - 1
					       : UINT32_MAX;
	}
	for (uint32_t i = 0; i < t->nr_born; i++) {
		if (t->born[i].slot >= t->nr_slots || t->born[i].cache >= t->nr_caches ||
		    (i && t->born[i].slot <= t->born[i - 1].slot))
			return reader_wrong(trace,
					    trace->header.tail_offset +
						    t->nr_shapes * sizeof(*t->shapes) +
						    i * sizeof(*t->born),
					    "an object of what is in no table", err);
	}
	return 0;
}

static int reader_load(struct nslab_trace *trace, struct nslab_err *err)
{
	struct stat status;
	uint64_t file_bytes;
	int rc;

	trace->fd = open(trace->path, O_RDONLY | O_CLOEXEC);
	if (trace->fd < 0 || fstat(trace->fd, &status))
		return nslab_fail(err, -errno, "cannot open trace '%s': %s", trace->path,
				  strerror(errno));
	if (!S_ISREG(status.st_mode))
		return nslab_fail(err, -EINVAL, "cannot open trace '%s': not a regular file",
				  trace->path);
	file_bytes = (uint64_t)status.st_size;
	rc = reader_read(trace, &trace->header,
			 file_bytes < sizeof(trace->header) ? (size_t)file_bytes
							    : sizeof(trace->header),
			 0, err);
	if (!rc)
		rc = reader_check_identity(trace, file_bytes, err);
	if (!rc)
		rc = reader_check_header(trace, file_bytes, err);
	if (!rc)
		rc = reader_load_tail(trace, err);
	if (!rc)
		rc = reader_check_tables(trace, err);
	return rc;
}

int nslab_trace_open(const char *path, struct nslab_trace **out, struct nslab_err *err)
{
	struct nslab_trace *trace = calloc(1, sizeof(*trace));
	int rc;

	if (!trace)
		return nslab_fail(err, -ENOMEM, "cannot open trace '%s': no memory", path);
	trace->fd = -1;
	trace->path = strdup(path);
	rc = trace->path ? reader_load(trace, err)
			 : nslab_fail(err, -ENOMEM, "cannot open trace '%s': no memory", path);
	if (rc)
		nslab_trace_close(trace);
	else
		*out = trace;
	return rc;
}

void nslab_trace_close(struct nslab_trace *trace)
{
	if (!trace)
		return;
	if (trace->fd >= 0)
		close(trace->fd);
	json_decref(trace->json);
	nslab_trace_decoded_free(&trace->decoded);
	free(trace->slots_last);
	free(trace->tail);
	free(trace->path);
	free(trace);
}

const struct nslab_trace_tables *nslab_trace_tables(const struct nslab_trace *trace)
{
	return &trace->tables;
}

/* ---- cursors ---- */

int nslab_trace_cursor_open(const struct nslab_trace *trace, struct nslab_trace_cursor **out,
			    struct nslab_err *err)
{
	struct nslab_trace_cursor *cursor = malloc(sizeof(*cursor));

	if (!cursor)
		return nslab_fail(err, -ENOMEM, "cannot read trace '%s': no memory", trace->path);
	cursor->trace = trace;
	cursor->block = 0;
	*out = cursor;
	return 0;
}

void nslab_trace_cursor_close(struct nslab_trace_cursor *cursor)
{
	free(cursor);
}

void nslab_trace_cursor_rewind(struct nslab_trace_cursor *cursor)
{
	cursor->block = 0;
}

static uint64_t reader_block_offset(uint64_t block)
{
	return sizeof(struct nslab_trace_header) + block * NSLAB_TRACE_BLOCK_BYTES;
}

/* The first event that is out of range, or nr. */
static uint32_t cursor_check(const struct nslab_trace_cursor *cursor, uint32_t nr)
{
	const struct nslab_trace *trace = cursor->trace;
	uint32_t nr_shapes = trace->tables.nr_shapes, nr_cpus = trace->tables.nr_cpus;

	for (uint32_t i = 0; i < nr; i++) {
		const struct nslab_trace_event *event = &cursor->events[i];

		if (event->shape >= nr_shapes || event->cpu >= nr_cpus ||
		    event->slot > trace->slots_last[event->shape])
			return i;
	}
	return nr;
}

int nslab_trace_cursor_next(struct nslab_trace_cursor *cursor,
			    const struct nslab_trace_event **events, struct nslab_err *err)
{
	const struct nslab_trace *trace = cursor->trace;
	uint64_t done = cursor->block * NSLAB_TRACE_BLOCK_EVENTS;
	uint64_t left = done < trace->header.nr_events ? trace->header.nr_events - done : 0;
	uint32_t nr = left < NSLAB_TRACE_BLOCK_EVENTS ? (uint32_t)left : NSLAB_TRACE_BLOCK_EVENTS;
	size_t nr_bytes = nr * sizeof(cursor->events[0]);
	uint64_t offset = reader_block_offset(cursor->block);
	uint32_t first_wrong;
	int rc;

	if (!nr)
		return 0;
	_Static_assert(offsetof(struct nslab_trace_cursor, events) ==
			       offsetof(struct nslab_trace_cursor, header) +
				       sizeof(struct nslab_trace_block),
		       "a block and its events are read at once");
	rc = reader_read(trace, &cursor->header, sizeof(cursor->header) + nr_bytes, offset, err);
	if (rc)
		return rc;
	if (cursor->header.nr_events != nr || cursor->header.reserved ||
	    cursor->header.sum != XXH3_64bits_withSeed(cursor->events, nr_bytes, cursor->block))
		return reader_wrong(trace, offset, "the block is damaged", err);
	first_wrong = cursor_check(cursor, nr);
	if (first_wrong < nr)
		return reader_wrong(trace,
				    offset + sizeof(cursor->header) +
					    first_wrong * sizeof(cursor->events[0]),
				    "an event of what is in no table", err);
	cursor->block++;
	*events = cursor->events;
	return (int)nr;
}
