/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workload_trial.h: one trial of a workload on the table that counts, driven step by step, by one
 * thread or by one per worker; nothing here looks at the time.
 */
#ifndef NSLAB_TESTS_WORKLOAD_TRIAL_H
#define NSLAB_TESTS_WORKLOAD_TRIAL_H

#include "core/param.h"
#include "counting.h"

#include <numaslab/plugin.h>
#include <pthread.h>

#define WORKERS_MAX 4

struct trial {
	const struct nslab_workload_ops *ops;
	struct nslab_run run;
	struct nslab_heap heap;
	struct nslab_cpu cpus[WORKERS_MAX];
	struct nslab_worker *workers[WORKERS_MAX];
	struct nslab_workload *w;
	size_t n; /* operations per batch */
	int nr_batches;
	atomic_int nr_running; /* counted workers that are not done */
	atomic_size_t done;    /* of counted workers */
	pthread_barrier_t barrier;
};

static const bool trial_node_has_pus[NODES_MAX] = {true, true, false, true};

/* Setup's answer; settings are names and values in turn, ended by NULL. */
static int trial_setup(struct trial *t, const struct nslab_plugin *plugin, enum nslab_entry entry,
		       int nr_workers, const char *const *settings)
{
	_Alignas(16) char params[512] = {0};
	struct nslab_err err = {""};

	memset(t, 0, sizeof(*t));
	t->ops = plugin->ops;
	t->heap.ops = &counting_ops;
	t->run.env = &counting_env;
	t->run.heap = &t->heap;
	t->run.entry = entry;
	t->run.nr_workers = nr_workers;
	t->run.seed = 42;
	t->run.node_has_pus = trial_node_has_pus;
	assert_true(t->ops->params_size <= sizeof(params));
	assert_int_equal(nslab_param_defaults(t->ops->params, params, &err), 0);
	for (; settings && settings[0]; settings += 2) {
		const struct nslab_param *row = nslab_param_find(t->ops->params, settings[0]);

		assert_non_null(row);
		assert_int_equal(nslab_param_set(row, settings[1], params, &err), 0);
	}
	return t->ops->setup(&t->run, params, &t->w);
}

static void trial_open(struct trial *t, const struct nslab_plugin *plugin, enum nslab_entry entry,
		       int nr_workers, const char *const *settings)
{
	assert_int_equal(trial_setup(t, plugin, entry, nr_workers, settings), 0);
}

static int trial_join(struct trial *t, int index)
{
	t->cpus[index].ops = t->heap.ops;
	t->cpus[index].id = index;
	return t->ops->worker_init(t->w, &t->cpus[index], index, &t->workers[index]);
}

static size_t trial_batch(struct trial *t, int index, size_t n)
{
	return t->ops->batch[t->run.entry](t->workers[index], n);
}

static void trial_leave(struct trial *t, int index)
{
	t->ops->worker_exit(t->workers[index]);
}

static int trial_close(struct trial *t)
{
	int rc = t->ops->verify(t->w);

	t->ops->teardown(t->w);
	return rc;
}

#endif
