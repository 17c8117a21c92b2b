/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * access.h: how a program in a guest talks to access_plugin.c: by stores to a page at a fixed
 * address, whose place in the page is the message, because a plug-in of version 1 sees addresses
 * and no values.
 *
 * Each CPU counts for itself between ACCESS_START and ACCESS_STOP, so the thread that stores must
 * be bound to its CPU. What is counted are user-mode accesses to addresses of the range, by the
 * node of their page. A number is sent digit by digit and belongs to the next message of that CPU.
 */
#ifndef NSLAB_TESTS_ACCESS_H
#define NSLAB_TESTS_ACCESS_H

#include <stdint.h>

#define ACCESS_PAGE	  0x600000000000u /* where nothing else is mapped */
#define ACCESS_PAGE_BYTES 4096u

enum access_message {
	ACCESS_DIGIT,			 /* + 0 to 15: one more hexadecimal digit */
	ACCESS_NODE = ACCESS_DIGIT + 16, /* the page itself lies on node NUMBER */
	ACCESS_FIRST,			 /* the range begins at NUMBER */
	ACCESS_END,			 /* and ends before it */
	ACCESS_START,			 /* this CPU counts */
	ACCESS_STOP,			 /* and does not */
	ACCESS_OPERATIONS,		 /* NUMBER operations were done */
	ACCESS_REPORT,			 /* print all counts under NUMBER, and forget them */
	ACCESS_NR_MESSAGES
};

static inline void access_send(unsigned message)
{
	((volatile uint64_t *)(uintptr_t)ACCESS_PAGE)[message] = 1;
}

static inline void access_send_number(enum access_message message, uint64_t number)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		access_send(ACCESS_DIGIT + (unsigned)(number >> shift & 15));
	access_send(message);
}

#endif
