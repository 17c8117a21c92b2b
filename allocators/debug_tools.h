/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * debug_tools.h: what AddressSanitizer and Valgrind are told about an object's memory.
 *
 * Under ASan (when built so) red zones and freed objects are poisoned by hand: an access stops the
 * program where it happens. Valgrind (when its headers were there and the program runs under it)
 * learns of every object as of a malloc, so that it finds use of uninitialised memory as well. The
 * layer itself reads and writes there too; debug_tool_open() allows that first.
 */
#ifndef NSLAB_ALLOCATORS_DEBUG_TOOLS_H
#define NSLAB_ALLOCATORS_DEBUG_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define NSLAB_HAVE_ASAN 1
# endif
#elif defined(__SANITIZE_ADDRESS__)
# define NSLAB_HAVE_ASAN 1
#endif
#ifndef NSLAB_HAVE_ASAN
# define NSLAB_HAVE_ASAN 0
#endif

#if NSLAB_HAVE_ASAN
# include <sanitizer/asan_interface.h>
#endif
#ifdef NSLAB_HAVE_VALGRIND
# include <valgrind/memcheck.h>
#endif

/* All bytes may be read and written, and count as initialised. */
static inline void debug_tool_open(const void *ptr, size_t bytes)
{
#if NSLAB_HAVE_ASAN
	__asan_unpoison_memory_region(ptr, bytes);
#endif
#ifdef NSLAB_HAVE_VALGRIND
	(void)VALGRIND_MAKE_MEM_DEFINED(ptr, bytes);
#endif
	(void)ptr;
	(void)bytes;
}

static inline void debug_tool_close(const void *ptr, size_t bytes)
{
#if NSLAB_HAVE_ASAN
	__asan_poison_memory_region(ptr, bytes);
#endif
#ifdef NSLAB_HAVE_VALGRIND
	(void)VALGRIND_MAKE_MEM_NOACCESS(ptr, bytes);
#endif
	(void)ptr;
	(void)bytes;
}

/* A new object; is_defined: its contents are a constructor's or zeros. */
static inline void debug_tool_alloc(const void *obj, size_t bytes, bool is_defined)
{
#ifdef NSLAB_HAVE_VALGRIND
	VALGRIND_MALLOCLIKE_BLOCK(obj, bytes, 0, is_defined);
#endif
	(void)obj;
	(void)bytes;
	(void)is_defined;
}

static inline void debug_tool_free(const void *obj)
{
#ifdef NSLAB_HAVE_VALGRIND
	VALGRIND_FREELIKE_BLOCK(obj, 0);
#endif
	(void)obj;
}

/* Errors that Valgrind has found so far in the whole program; 0 without it. */
static inline uint64_t debug_tool_errors(void)
{
#ifdef NSLAB_HAVE_VALGRIND
	return VALGRIND_COUNT_ERRORS;
#else
	return 0;
#endif
}

#endif
