/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_merge.c: reads the kernel's ring-buffer pages of each CPU and merges their events.
 *
 * Each CPU has a ring of pages of its own here, filled from the kernel by read(2) and emptied by
 * the merge, so memory is 1 MiB for a CPU however long the recording is. An event may be put once
 * no CPU can still hold an older one: everything that is older than the newest page of the round
 * before was in the kernel's buffers when this round read them empty. A CPU that could not be read
 * empty holds the others back to its own newest page; it then has room again in the next round, so
 * the merge always moves on. No clock is asked: the events' own times suffice.
 *
 * An event that is nevertheless older than one already put (a writer in the kernel was held up for
 * a whole round) gets that one's time, and is counted. Pages that the kernel overwrote before they
 * were read are told of in the page that follows, which puts a LOST before its first event.
 */
#include "workloads/trace/recorder_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <traceevent/event-parse.h>
#include <traceevent/kbuffer.h>
#include <unistd.h>

#define RING_BYTES (1u << 20) /* of each CPU */

struct merge_cpu {
	unsigned cpu;
	int fd;
	unsigned char *pages; /* a ring of nr_room */
	unsigned first, nr_pages, nr_room;
	struct kbuffer *page; /* the one at `first`, when there is a record */
	void *record;	      /* the next one to put; NULL: none */
	unsigned long long time_ns;
	uint64_t newest_ns; /* where the newest page begins */
	uint64_t nr_missed; /* before `record`, not yet put */
	uint64_t nr_lost;   /* put so far */
	bool is_empty;	    /* the kernel had no more when it was read last */
};

struct nslab_recorder_merge {
	struct nslab_recorder_events *events;
	struct nslab_trace_writer *writer;
	size_t page_bytes;
	struct merge_cpu *cpus;
	unsigned nr_cpus;
	uint64_t newest_ns; /* of all pages read */
	uint64_t last_ns;   /* time of the event put last */
	uint64_t nr_late;
};

int nslab_recorder_merge_new(struct nslab_recorder_events *events,
			     struct nslab_trace_writer *writer, size_t page_bytes,
			     struct nslab_recorder_merge **merge)
{
	struct nslab_recorder_merge *m;

	*merge = NULL;
	if (!page_bytes || page_bytes > RING_BYTES / 2)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->events = events;
	m->writer = writer;
	m->page_bytes = page_bytes;
	*merge = m;
	return 0;
}

static void merge_cpu_clear(struct merge_cpu *c)
{
	if (c->page)
		kbuffer_free(c->page);
	free(c->pages);
	close(c->fd);
}

void nslab_recorder_merge_free(struct nslab_recorder_merge *merge)
{
	if (!merge)
		return;
	for (unsigned i = 0; i < merge->nr_cpus; i++)
		merge_cpu_clear(&merge->cpus[i]);
	free(merge->cpus);
	free(merge);
}

int nslab_recorder_merge_cpu(struct nslab_recorder_merge *merge, unsigned cpu, int fd)
{
	struct merge_cpu c = {.cpu = cpu, .fd = fd};
	struct merge_cpu *cpus;

	c.nr_room = (unsigned)(RING_BYTES / merge->page_bytes);
	c.pages = malloc(RING_BYTES);
	c.page = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST, KBUFFER_ENDIAN_SAME_AS_HOST);
	cpus = realloc(merge->cpus, (merge->nr_cpus + 1) * sizeof(*cpus));
	if (cpus)
		merge->cpus = cpus;
	if (!cpus || !c.pages || !c.page) {
		merge_cpu_clear(&c);
		return -ENOMEM;
	}
	cpus[merge->nr_cpus++] = c;
	return 0;
}

uint64_t nslab_recorder_merge_nr_late(const struct nslab_recorder_merge *merge)
{
	return merge->nr_late;
}

/* ---- pages ---- */

static unsigned char *merge_page(const struct nslab_recorder_merge *m, const struct merge_cpu *c,
				 unsigned i)
{
	return c->pages + m->page_bytes * ((c->first + i) % c->nr_room);
}

/* Goes to the first record of the next page that has one. */
static void merge_load(struct nslab_recorder_merge *m, struct merge_cpu *c)
{
	while (!c->record && c->nr_pages) {
		int nr_missed;

		if (!kbuffer_load_subbuffer(c->page, merge_page(m, c, 0))) {
			/* -1: some, the kernel says how many in its statistics */
			nr_missed = kbuffer_missed_events(c->page);
			c->nr_missed += nr_missed > 0 ? (uint64_t)nr_missed : 0;
			c->record = kbuffer_read_event(c->page, &c->time_ns);
		}
		if (!c->record) {
			c->first = (c->first + 1) % c->nr_room;
			c->nr_pages--;
		}
	}
}

static void merge_advance(struct nslab_recorder_merge *m, struct merge_cpu *c)
{
	c->record = kbuffer_next_event(c->page, &c->time_ns);
	if (c->record)
		return;
	c->first = (c->first + 1) % c->nr_room;
	c->nr_pages--;
	merge_load(m, c);
}

static int merge_read(struct nslab_recorder_merge *m, struct merge_cpu *c, struct nslab_err *err)
{
	c->is_empty = false;
	while (c->nr_pages < c->nr_room) {
		unsigned char *page = merge_page(m, c, c->nr_pages);
		ssize_t n = read(c->fd, page, m->page_bytes);

		/* ENODEV: the CPU is offline */
		if (!n || (n < 0 && (errno == EAGAIN || errno == ENODEV))) {
			c->is_empty = true;
			break;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nslab_fail(err, -errno, "cannot read events of CPU %u: %s", c->cpu,
					  strerror(errno));
		/* what a short read leaves must not look like records */
		memset(page + n, 0, m->page_bytes - (size_t)n);
		c->newest_ns = kbuffer_subbuf_timestamp(c->page, page);
		c->nr_pages++;
	}
	merge_load(m, c);
	return 0;
}

/* ---- events ---- */

static int merge_put(struct nslab_recorder_merge *m, struct nslab_trace_raw *raw,
		     struct nslab_err *err)
{
	if (raw->time_ns < m->last_ns) {
		raw->time_ns = m->last_ns;
		m->nr_late++;
	}
	m->last_ns = raw->time_ns;
	return nslab_trace_writer_put(m->writer, raw, err);
}

static int merge_put_lost(struct nslab_recorder_merge *m, struct merge_cpu *c, uint64_t nr_lost,
			  uint64_t time_ns, struct nslab_err *err)
{
	struct nslab_trace_raw raw = {
		.time_ns = time_ns, .ptr = nr_lost, .cpu = c->cpu, .kind = NSLAB_TRACE_LOST};

	c->nr_lost += nr_lost;
	return merge_put(m, &raw, err);
}

static int merge_put_record(struct nslab_recorder_merge *m, struct merge_cpu *c,
			    struct nslab_err *err)
{
	struct nslab_trace_raw raw = {.time_ns = c->time_ns, .cpu = c->cpu};
	int rc = 0;

	if (c->nr_missed)
		rc = merge_put_lost(m, c, c->nr_missed, c->time_ns, err);
	c->nr_missed = 0;
	if (rc)
		return rc;
	rc = nslab_recorder_events_decode(m->events, m->writer, c->record,
					  (size_t)kbuffer_event_size(c->page), &raw);
	if (rc == 1)
		return merge_put(m, &raw, err);
	if (rc == -EINVAL)
		return nslab_fail(err, rc, "CPU %u has a record that is too short for its event",
				  c->cpu);
	return rc ? nslab_fail(err, rc, "cannot note an event of CPU %u: %s", c->cpu, strerror(-rc))
		  : 0;
}

/* The CPU whose next record is oldest; *bound_ns: until when no other has one. */
static struct merge_cpu *merge_oldest(struct nslab_recorder_merge *m, uint64_t *bound_ns)
{
	struct merge_cpu *oldest = NULL;
	uint64_t second_ns = UINT64_MAX;

	for (unsigned i = 0; i < m->nr_cpus; i++) {
		struct merge_cpu *c = &m->cpus[i];

		if (!c->record)
			continue;
		if (!oldest || c->time_ns < oldest->time_ns) {
			second_ns = oldest ? oldest->time_ns : second_ns;
			oldest = c;
		} else if (c->time_ns < second_ns) {
			second_ns = c->time_ns;
		}
	}
	if (second_ns < *bound_ns)
		*bound_ns = second_ns;
	return oldest;
}

static int merge_until(struct nslab_recorder_merge *m, uint64_t limit_ns, struct nslab_err *err)
{
	for (;;) {
		uint64_t bound_ns = limit_ns;
		struct merge_cpu *c = merge_oldest(m, &bound_ns);

		if (!c || c->time_ns > limit_ns)
			return 0;
		do {
			int rc = merge_put_record(m, c, err);

			if (rc)
				return rc;
			merge_advance(m, c);
		} while (c->record && c->time_ns <= bound_ns);
	}
}

int nslab_recorder_merge_round(struct nslab_recorder_merge *m, bool is_last, struct nslab_err *err)
{
	uint64_t limit_ns = is_last ? UINT64_MAX : m->newest_ns;
	int has_more = 0;
	int rc;

	for (unsigned i = 0; i < m->nr_cpus; i++) {
		struct merge_cpu *c = &m->cpus[i];

		rc = merge_read(m, c, err);
		if (rc)
			return rc;
		if (c->newest_ns > m->newest_ns)
			m->newest_ns = c->newest_ns;
		if (c->is_empty)
			continue;
		has_more = 1;
		if (c->newest_ns < limit_ns)
			limit_ns = c->newest_ns;
	}
	rc = merge_until(m, limit_ns, err);
	return rc ? rc : has_more;
}

int nslab_recorder_merge_lost(struct nslab_recorder_merge *m, unsigned cpu, uint64_t nr_lost,
			      struct nslab_err *err)
{
	for (unsigned i = 0; i < m->nr_cpus; i++) {
		struct merge_cpu *c = &m->cpus[i];

		if (c->cpu == cpu && nr_lost > c->nr_lost)
			return merge_put_lost(m, c, nr_lost - c->nr_lost, m->last_ns, err);
	}
	return 0;
}
