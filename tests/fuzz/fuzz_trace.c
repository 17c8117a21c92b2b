/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_trace.c: libFuzzer feeds any bytes as a trace file.
 *
 * Sums would stop nearly every change at the door, so that they are mended first: of the header, of
 * the tables and of each block that is where it should be; so is the length of the JSON. What
 * opens is then read to its end, checked and summed up. tests/unit/test_trace.c covers wrong sums.
 */
#define _GNU_SOURCE
#include "workloads/trace/format.h"
#include "workloads/trace/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

/* Every block that lies within `end`. */
static void fuzz_mend_blocks(uint8_t *bytes, uint64_t end)
{
	struct nslab_trace_block block;
	uint64_t at = sizeof(struct nslab_trace_header);

	for (uint64_t i = 0; at + sizeof(block) < end; i++) {
		uint64_t room = end - at - sizeof(block), nr_bytes;

		memcpy(&block, bytes + at, sizeof(block));
		nr_bytes = block.nr_events * sizeof(struct nslab_trace_event);
		if (nr_bytes > room)
			return;
		block.sum = XXH3_64bits_withSeed(bytes + at + sizeof(block), nr_bytes, i);
		memcpy(bytes + at, &block, sizeof(block));
		at += sizeof(block) + nr_bytes;
	}
}

static void fuzz_mend(uint8_t *bytes, uint64_t nr_bytes)
{
	struct nslab_trace_header header;
	uint64_t binary_bytes;

	if (nr_bytes < sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (header.tail_offset > nr_bytes)
		header.tail_offset = nr_bytes;
	fuzz_mend_blocks(bytes, header.tail_offset);
	binary_bytes = (uint64_t)header.nr_shapes * sizeof(struct nslab_trace_shape) +
		       (uint64_t)header.nr_born * sizeof(struct nslab_trace_born);
	if (header.tail_offset + binary_bytes <= nr_bytes)
		header.json_bytes = (uint32_t)(nr_bytes - header.tail_offset - binary_bytes);
	header.tail_sum = XXH3_64bits(bytes + header.tail_offset, nr_bytes - header.tail_offset);
	header.header_sum = XXH3_64bits(&header, offsetof(struct nslab_trace_header, header_sum));
	memcpy(bytes, &header, sizeof(header));
}

static void fuzz_read(const char *path)
{
	struct nslab_trace_summary *summary;
	struct nslab_trace *trace;
	struct nslab_err err = {""};

	if (nslab_trace_open(path, &trace, &err))
		return;
	if (!nslab_trace_summarize(trace, &summary, &err))
		nslab_trace_summary_free(summary);
	nslab_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	uint8_t *bytes = malloc(nr_bytes + 1);
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[32];

	if (!bytes || fd < 0)
		abort();
	memcpy(bytes, data, nr_bytes);
	fuzz_mend(bytes, nr_bytes);
	if (write(fd, bytes, nr_bytes) != (ssize_t)nr_bytes)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_read(path);
	close(fd);
	free(bytes);
	return 0;
}
