/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cas.h: replace two adjacent words at once, in the two forms that the kernel has.
 *
 * nslab_cas2 is for words shared between CPUs (a slab's freelist and counters): locked on x86-64,
 * an LSE pair or an LL/SC loop on aarch64. nslab_cas2_local is for words that only the owner of a
 * CPU handle touches: on x86-64 the same instruction without the lock prefix, which is what SLUB's
 * fast path costs in the kernel. On aarch64 no cheaper form exists, so both are the same.
 *
 * ThreadSanitizer does not see inline assembly, so sanitized builds use __atomic_* (libatomic); the
 * same holds for architectures other than these two. On aarch64 it is the older __sync_* call: gcc
 * makes LSE or LL/SC of it, chosen at run time by -moutline-atomics, but of __atomic_* on 16 bytes
 * a call of libatomic, which takes a lock there before gcc 13.
 *
 * Both words must be 16-byte aligned. Success is acquire-release at least, failure acquire.
 */
#ifndef NSLAB_CORE_CAS_H
#define NSLAB_CORE_CAS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
# define NSLAB_CAS_IS_SEEN 1
#elif defined(__has_feature)
# if __has_feature(thread_sanitizer)
#  define NSLAB_CAS_IS_SEEN 1
# endif
#endif

#if !defined(__x86_64__) || defined(NSLAB_CAS_IS_SEEN)

__extension__ typedef unsigned __int128 nslab_u128;

static inline bool nslab_cas2(void *words, uint64_t old0, uint64_t old1, uint64_t new0,
			      uint64_t new1)
{
	nslab_u128 expected = (nslab_u128)old1 << 64 | old0;
	nslab_u128 desired = (nslab_u128)new1 << 64 | new0;

# if defined(__aarch64__) && !defined(NSLAB_CAS_IS_SEEN)
	return __sync_bool_compare_and_swap((nslab_u128 *)words, expected, desired);
# else
	return __atomic_compare_exchange_n((nslab_u128 *)words, &expected, desired, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
# endif
}

static inline bool nslab_cas2_local(void *words, uint64_t old0, uint64_t old1, uint64_t new0,
				    uint64_t new1)
{
	return nslab_cas2(words, old0, old1, new0, new1);
}

#else

# define NSLAB_CAS2_ASM(prefix)                                                                    \
  __asm__ volatile(prefix "cmpxchg16b %1"                                                          \
		   : "=@ccz"(is_done), "+m"(*(uint64_t(*)[2])words), "+a"(old0), "+d"(old1)        \
		   : "b"(new0), "c"(new1)                                                          \
		   : "memory")

static inline bool nslab_cas2(void *words, uint64_t old0, uint64_t old1, uint64_t new0,
			      uint64_t new1)
{
	bool is_done;

	NSLAB_CAS2_ASM("lock; ");
	return is_done;
}

static inline bool nslab_cas2_local(void *words, uint64_t old0, uint64_t old1, uint64_t new0,
				    uint64_t new1)
{
	bool is_done;

	NSLAB_CAS2_ASM("");
	return is_done;
}

# undef NSLAB_CAS2_ASM
#endif

#endif
