/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h: what a command that launches trials holds: this machine, the plug-ins, a plan.
 */
#ifndef NSLAB_SESSION_H
#define NSLAB_SESSION_H

#include "core/err.h"
#include "runner/plan.h"

struct nslab_session {
	struct nslab_topo *topo;
	struct nslab_registry *registry;
	struct nslab_plan *plan; /* NULL without a name */
};

/* overrides: NULL-terminated key=value, or NULL. Close it also when it could not be opened. */
int nslab_session_open(struct nslab_session *session, const char *plan_name,
		       const char *const *overrides, struct nslab_err *err);
void nslab_session_close(struct nslab_session *session);

/*
 * From now on SIGINT and SIGTERM set the flag that is returned; a second one ends the program at
 * once.
 */
volatile const int *nslab_session_interrupted(void);

#endif
