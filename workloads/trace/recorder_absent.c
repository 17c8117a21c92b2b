/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_absent.c: stands in for recorder.c in a build without libtracefs.
 *
 * Opening says what is missing, so the rest is never reached. A command line that offers `record`
 * in every build can then tell why it cannot, instead of not knowing the word.
 */
#include "workloads/trace/recorder.h"

#include <errno.h>

int nslab_recorder_open(const struct nslab_recorder_options *options,
			struct nslab_recorder **recorder, struct nslab_err *err)
{
	(void)options;
	*recorder = NULL;
	return nslab_fail(err, -ENOTSUP,
			  "this numaslab was built without libtracefs and libtraceevent, so it "
			  "cannot record; `numaslab import` reads what perf script prints");
}

int nslab_recorder_start(struct nslab_recorder *recorder, struct nslab_err *err)
{
	(void)recorder;
	(void)err;
	return -ENOTSUP;
}

int nslab_recorder_round(struct nslab_recorder *recorder, struct nslab_err *err)
{
	(void)recorder;
	(void)err;
	return -ENOTSUP;
}

int nslab_recorder_stop(struct nslab_recorder *recorder, struct nslab_recorder_result *result,
			struct nslab_err *err)
{
	(void)recorder;
	(void)err;
	*result = (struct nslab_recorder_result){0};
	return -ENOTSUP;
}

void nslab_recorder_close(struct nslab_recorder *recorder)
{
	(void)recorder;
}
