/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.c: the file of a trace under construction.
 *
 * Blocks go out as they fill, to a temporary file beside the path; the header, which only the end
 * knows, is written last, and then the file gets its name. So a file with the name that was asked
 * for is always complete, and what a killed recorder leaves behind has a header of zeros after
 * its magic and says so when it is read.
 */
#define _GNU_SOURCE
#include "workloads/trace/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static int output_failed(const struct nslab_trace_output *output, int rc, struct nslab_err *err)
{
	return nslab_fail(err, rc, "cannot write '%s': %s", output->path, strerror(-rc));
}

static int output_write(struct nslab_trace_output *output, const void *bytes, size_t nr_bytes,
			struct nslab_err *err)
{
	const char *at = bytes;

	while (nr_bytes) {
		ssize_t nr = write(output->fd, at, nr_bytes);

		if (nr < 0 && errno == EINTR)
			continue;
		if (nr <= 0)
			return output_failed(output, nr ? -errno : -EIO, err);
		at += nr;
		nr_bytes -= (size_t)nr;
	}
	return 0;
}

int nslab_trace_output_open(struct nslab_trace_output *output, const char *path,
			    struct nslab_err *err)
{
	struct nslab_trace_header header = {.magic = ""};
	struct stat status;

	output->fd = -1;
	output->path = strdup(path);
	if (!output->path)
		return nslab_fail(err, -ENOMEM, "cannot write '%s': no memory", path);
	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return nslab_fail(err, -EINVAL, "cannot write '%s': a trace must be a regular file",
				  path);
	if (asprintf(&output->temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
		output->temporary = NULL;
		return output_failed(output, -ENOMEM, err);
	}
	output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output->fd < 0) {
		int rc = -errno;

		free(output->temporary);
		output->temporary = NULL;
		return output_failed(output, rc, err);
	}
	memcpy(header.magic, NSLAB_TRACE_MAGIC, sizeof(header.magic));
	return output_write(output, &header, sizeof(header), err);
}

int nslab_trace_output_flush(struct nslab_trace_output *output, struct nslab_err *err)
{
	size_t nr_bytes = output->block.nr_events * sizeof(output->events[0]);
	int rc;

	if (!nr_bytes)
		return 0;
	output->block.sum =
		XXH3_64bits_withSeed(output->events, nr_bytes, (XXH64_hash_t)output->nr_blocks);
	output->nr_blocks++;
	_Static_assert(offsetof(struct nslab_trace_output, events) ==
			       offsetof(struct nslab_trace_output, block) +
				       sizeof(struct nslab_trace_block),
		       "a block and its events are written at once");
	rc = output_write(output, &output->block, sizeof(output->block) + nr_bytes, err);
	output->block.nr_events = 0;
	return rc;
}

static uint64_t output_sum(const struct nslab_trace_tables *tables, const char *json,
			   size_t json_bytes)
{
	XXH3_state_t *state = XXH3_createState();
	uint64_t sum = 0;

	if (!state)
		return 0;
	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, tables->shapes, tables->nr_shapes * sizeof(*tables->shapes));
	XXH3_64bits_update(state, tables->born, tables->nr_born * sizeof(*tables->born));
	XXH3_64bits_update(state, json, json_bytes);
	sum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return sum;
}

static int output_header(struct nslab_trace_output *output, struct nslab_trace_header *header,
			 struct nslab_err *err)
{
	header->header_sum = XXH3_64bits(header, offsetof(struct nslab_trace_header, header_sum));
	if (lseek(output->fd, 0, SEEK_SET) < 0)
		return output_failed(output, -errno, err);
	return output_write(output, header, sizeof(*header), err);
}

int nslab_trace_output_finish(struct nslab_trace_output *output,
			      const struct nslab_trace_tables *tables, const char *json,
			      struct nslab_err *err)
{
	size_t json_bytes = strlen(json);
	struct nslab_trace_header header = {
		.version = NSLAB_TRACE_VERSION,
		.byte_order = NSLAB_TRACE_BYTE_ORDER,
		.nr_shapes = tables->nr_shapes,
		.nr_slots = tables->nr_slots,
		.nr_born = tables->nr_born,
		.json_bytes = (uint32_t)json_bytes,
		.tail_sum = output_sum(tables, json, json_bytes),
	};
	int rc = nslab_trace_output_flush(output, err);

	if (!rc && json_bytes > NSLAB_TRACE_JSON_MAX)
		rc = nslab_fail(err, -EOVERFLOW, "cannot write '%s': its tables are too large",
				output->path);
	if (rc)
		return rc;
	memcpy(header.magic, NSLAB_TRACE_MAGIC, sizeof(header.magic));
	header.nr_events = output->nr_events;
	header.tail_offset = sizeof(header) + output->nr_blocks * sizeof(output->block) +
			     output->nr_events * sizeof(output->events[0]);
	rc = output_write(output, tables->shapes, tables->nr_shapes * sizeof(*tables->shapes), err);
	if (!rc)
		rc = output_write(output, tables->born, tables->nr_born * sizeof(*tables->born),
				  err);
	if (!rc)
		rc = output_write(output, json, json_bytes, err);
	if (!rc)
		rc = output_header(output, &header, err);
	if (!rc && rename(output->temporary, output->path))
		rc = output_failed(output, -errno, err);
	if (rc)
		return rc;
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

void nslab_trace_output_close(struct nslab_trace_output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->path);
}
