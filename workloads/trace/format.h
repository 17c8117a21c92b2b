/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * format.h: the bytes of a trace file (docs/trace-format.md): header, blocks, shapes, born, JSON.
 *
 * Numbers are in the byte order of the machine that wrote; `byte_order` tells, and another order
 * is refused. Blocks are all of NSLAB_TRACE_BLOCK_EVENTS events but the last, so the place of each
 * is known. Everything is covered by XXH3: the header by its own sum, a block by its header
 * (seeded with the block's number, so that blocks cannot change places), the tables by `tail_sum`.
 */
#ifndef NSLAB_TRACE_FORMAT_H
#define NSLAB_TRACE_FORMAT_H

#include "workloads/trace/trace.h"

#define NSLAB_TRACE_MAGIC      "NSLABTRC"
#define NSLAB_TRACE_BYTE_ORDER 0x01020304u

struct nslab_trace_header {
	char magic[8];
	uint32_t version, byte_order;
	uint64_t nr_events;   /* records in all blocks */
	uint64_t tail_offset; /* of the shapes = end of the blocks; 0: not finished */
	uint32_t nr_shapes, nr_slots, nr_born, json_bytes;
	uint64_t tail_sum;   /* of shapes, born and JSON */
	uint64_t header_sum; /* of the bytes before */
};

struct nslab_trace_block {
	uint32_t nr_events, reserved;
	uint64_t sum; /* of the events, seeded with the block's number */
};

_Static_assert(sizeof(struct nslab_trace_header) == 64, "the header has 64 bytes");
_Static_assert(sizeof(struct nslab_trace_block) == 16, "a block's header has 16 bytes");
_Static_assert(sizeof(struct nslab_trace_event) == 12, "an event has 12 bytes");
_Static_assert(sizeof(struct nslab_trace_shape) == 8, "a shape has 8 bytes");
_Static_assert(sizeof(struct nslab_trace_born) == 8, "a born object has 8 bytes");

#define NSLAB_TRACE_BLOCK_BYTES                                                                    \
 (sizeof(struct nslab_trace_block) + NSLAB_TRACE_BLOCK_EVENTS * sizeof(struct nslab_trace_event))

#define NSLAB_TRACE_JSON_MAX (256u << 20) /* bytes; what is larger is no table of ours */

#endif
