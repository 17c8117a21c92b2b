/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.c: opens and closes what a command that launches trials needs.
 *
 * The order is that of what refers to what: the plan points into the topology and the registry and
 * goes first when a session ends. The flag of an interrupt is process-wide, as signals are; the
 * trial in hand is finished before anyone looks at it.
 */
#define _GNU_SOURCE
#include "cli/session.h"

#include "runner/world.h"

#include <signal.h>
#include <unistd.h>

static volatile int session_interrupted;

static void session_on_signal(int signal_number)
{
	static const char told[] = "\nending after this trial; once more ends at once\n";

	if (session_interrupted)
		_exit(128 + signal_number);
	session_interrupted = 1;
	(void)!write(STDERR_FILENO, told, sizeof(told) - 1);
}

int nslab_session_open(struct nslab_session *session, const char *plan_name,
		       const char *const *overrides, struct nslab_err *err)
{
	struct nslab_topo_source machine = {.origin = NSLAB_TOPO_MACHINE};
	struct nslab_plan_source source = {.name = plan_name, .overrides = overrides};
	int rc;

	*session = (struct nslab_session){0};
	rc = nslab_topo_load(&machine, &session->topo, err);
	if (!rc)
		rc = nslab_registry_open(NULL, &session->registry, err);
	if (rc || !plan_name)
		return rc;
	source.topo = session->topo;
	source.registry = session->registry;
	return nslab_plan_load(&source, &session->plan, err);
}

void nslab_session_close(struct nslab_session *session)
{
	nslab_plan_free(session->plan);
	nslab_registry_destroy(session->registry);
	nslab_topo_free(session->topo);
}

volatile const int *nslab_session_interrupted(void)
{
	struct sigaction action = {.sa_handler = session_on_signal, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &session_interrupted;
}
