// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab_rules.c: predicts what a kernel must show of a cache.
 *
 * The rules themselves are in allocators/common/order.h; this file finds the right ones for a
 * release, and gives them the columns that sysfs has. A release whose rules nobody checked is
 * refused: 6.7 changed them, and what a later kernel does is not known. Left out: prediction of the
 * stride, and sheaves.
 */
#include "runner/slab_rules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int nslab_slab_kernel_parse(const char *word, enum nslab_order_kernel *kernel,
			    struct nslab_err *err)
{
	static const struct {
		unsigned first, last; /* of 6.x */
		enum nslab_order_kernel kernel;
	} ranges[] = {
		{1, 6, NSLAB_ORDER_6_1}, {8, 17, NSLAB_ORDER_6_12}, {18, 19, NSLAB_ORDER_6_18}};
	unsigned major, minor;
	int nr_bytes = 0;

	if (sscanf(word, "%3u.%3u%n", &major, &minor, &nr_bytes) == 2 && major == 6 &&
	    strchr(".-+", word[nr_bytes])) {
		for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			if (minor < ranges[i].first || minor > ranges[i].last)
				continue;
			*kernel = ranges[i].kernel;
			return 0;
		}
	}
	return nslab_fail(
		err, -EINVAL,
		"unknown kernel '%.64s'; the rules of 6.1 (up to 6.6), 6.12 (6.8 to 6.17) "
		"and 6.18 (6.18 and 6.19) are known",
		word);
}

int nslab_slab_predict(const struct nslab_slab_rules *rules, size_t size, bool is_debug,
		       unsigned values[NSLAB_NR_SLAB_RULES], struct nslab_err *err)
{
	size_t most = nslab_order_bytes(NSLAB_MAX_ORDER);
	int order = -E2BIG;

	if (size && size <= most)
		order = nslab_order_by_kernel(rules->kernel, size, &rules->knobs, rules->nr_cpus);
	if (order < 0)
		return nslab_fail(err, -EINVAL,
				  "no slab holds an object of %zu bytes; 1 to %zu are accepted",
				  size, most);
	values[NSLAB_SLAB_ORDER] = (unsigned)order;
	values[NSLAB_SLAB_OBJECTS] = (unsigned)nslab_order_objects(size, (unsigned)order);
	values[NSLAB_SLAB_MIN_PARTIAL] = nslab_order_min_partial(size);
	values[NSLAB_SLAB_CPU_PARTIAL] = is_debug ? 0 : nslab_order_cpu_partial(size);
	return 0;
}
