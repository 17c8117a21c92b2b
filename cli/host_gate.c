/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host_gate.c: the look at the host that comes before anything is measured.
 *
 * What makes figures mean nothing refuses the command, what merely moves them is told. Either is
 * silenced by name: --ignore, the plan's key `ignore`, and NUMASLAB_IGNORE for a machine that is
 * known to be so. Every command that launches trials of a plan passes here, so that a self-test
 * does not vouch for a host on which a run is refused.
 */
#define _GNU_SOURCE
#include "cli/host_gate.h"

#include "runner/gate.h"
#include "runner/host/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int gate_ignore(struct nslab_host_gate *gate, const char *const *names,
		       struct nslab_err *err)
{
	size_t nr = 0;
	int rc = nslab_gate_check_names(names, err);

	while (gate->ignored[nr])
		nr++;
	for (; !rc && *names; names++) {
		if (nr == NSLAB_HOST_GATE_RULES)
			return nslab_fail(err, -E2BIG, "more than %d rules to ignore",
					  NSLAB_HOST_GATE_RULES);
		gate->ignored[nr++] = *names;
	}
	return rc;
}

/* Who may silence a rule: the plan, the command line, the environment. */
static int gate_ignored(struct nslab_host_gate *gate, const struct nslab_plan *plan,
			struct nslab_err *err)
{
	const char *words[NSLAB_HOST_GATE_RULES + 1] = {NULL};
	const char *text = getenv("NUMASLAB_IGNORE");
	char *save = NULL, *word;
	size_t nr = 0;
	int rc = gate_ignore(gate, plan->ignored, err);

	if (!rc && gate->ignore)
		rc = gate_ignore(gate, gate->ignore, err);
	snprintf(gate->text, sizeof(gate->text), "%s", text ? text : "");
	for (word = strtok_r(gate->text, ", ", &save); word && nr < NSLAB_HOST_GATE_RULES;
	     word = strtok_r(NULL, ", ", &save))
		words[nr++] = word;
	return rc ? rc : gate_ignore(gate, words, err);
}

/* Settings of the host that are not as they should be, by name. */
static void gate_warn(const struct nslab_host_gate *gate, const struct nslab_host_report *report)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr; i++) {
		const struct nslab_host_finding *finding = &report->findings[i];

		if ((finding->state == NSLAB_HOST_WARN || finding->state == NSLAB_HOST_REFUSE) &&
		    !nslab_gate_is_ignored(gate->ignored, finding->probe->name))
			fprintf(stderr, "%s%s",
				nr++ ? ", " : "warning: this host: ", finding->probe->name);
	}
	if (nr)
		fprintf(stderr, "; `numaslab env check` says why and what helps, "
				"--ignore NAME silences one\n");
}

int nslab_host_gate_pass(struct nslab_host_gate *gate, const struct nslab_plan *plan,
			 struct nslab_err *err)
{
	struct nslab_host_root root;
	struct nslab_host_report report = {0};
	int rc = gate_ignored(gate, plan, err);

	if (!rc)
		rc = nslab_host_root_open(gate->sysroot, &root, err);
	if (rc)
		return rc;
	rc = nslab_host_report_read(&root, &report);
	if (!rc)
		rc = nslab_gate_check(plan, &report, gate->ignored, err);
	if (!rc && !gate->is_quiet)
		gate_warn(gate, &report);
	nslab_host_report_free(&report);
	nslab_host_root_close(&root);
	return rc;
}
