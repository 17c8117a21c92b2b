/* SPDX-License-Identifier: GPL-2.0-only */
/* stat_words.h: the name of each counter, as /sys/kernel/slab spells it. */
#ifndef NSLAB_CORE_STAT_WORDS_H
#define NSLAB_CORE_STAT_WORDS_H

#include <numaslab/allocator.h>

const char *nslab_stat_word(enum nslab_stat stat);

#endif
