/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_plan.c: `numaslab plan`: shows what a plan file would run on a topology, without running it.
 *
 * Operands with a `=` are overrides, the other one is the plan; the default is `quick`. The table
 * goes to stdout, or plan.json with --json. It is also what `numaslab run --dry-run` prints.
 */
#include "cli/command.h"
#include "runner/plan.h"
#include "runner/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plan_options {
	bool is_json;
	const char *xml, *synthetic;
	long sim_nodes;
	const char *plugins[NSLAB_OPTION_LIST_MAX];
};

static int topology_source(const struct plan_options *o, struct nslab_topo_source *source,
			   struct nslab_err *err)
{
	*source = (struct nslab_topo_source){.origin = NSLAB_TOPO_MACHINE};
	if (o->xml && o->synthetic)
		return nslab_fail(err, -EINVAL, "give --xml or --synthetic, not both");
	if (o->sim_nodes < 0 || o->sim_nodes > NSLAB_MAX_NODES)
		return nslab_fail(err, -EINVAL,
				  "'%ld' is not a value for '--sim-nodes', which "
				  "accepts 0..%d",
				  o->sim_nodes, NSLAB_MAX_NODES);
	source->sim_nodes = (int)o->sim_nodes;
	if (o->xml) {
		source->origin = NSLAB_TOPO_XML;
		source->text = o->xml;
	} else if (o->synthetic) {
		source->origin = NSLAB_TOPO_SYNTHETIC;
		source->text = o->synthetic;
	}
	return 0;
}

static int print_json(const struct nslab_plan *plan)
{
	json_t *json = nslab_plan_json(plan);
	int rc = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;

	json_decref(json);
	return rc || putchar('\n') == EOF ? -ENOMEM : 0;
}

static int show(const struct plan_options *o, const char *name, const char *const *overrides,
		struct nslab_err *err)
{
	struct nslab_registry *registry = NULL;
	struct nslab_topo *topo = NULL;
	struct nslab_plan *plan = NULL;
	struct nslab_topo_source from;
	struct nslab_plan_source source = {.name = name, .overrides = overrides};
	int rc = topology_source(o, &from, err);

	if (!rc)
		rc = nslab_topo_load(&from, &topo, err);
	if (!rc)
		rc = nslab_registry_open(o->plugins, &registry, err);
	source.topo = topo;
	source.registry = registry;
	if (!rc)
		rc = nslab_plan_load(&source, &plan, err);
	if (!rc && o->is_json)
		rc = print_json(plan);
	else if (!rc)
		nslab_plan_print(plan, stdout);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = nslab_fail(err, -EIO, "cannot write to standard output");
	nslab_plan_free(plan);
	nslab_registry_destroy(registry);
	nslab_topo_free(topo);
	return rc;
}

static int plan_run(int argc, char **argv)
{
	static struct plan_options o;
	static const struct nslab_option rows[] = {
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print plan.json"},
		{"xml", 0, NSLAB_OPTION_TEXT, &o.xml, "FILE", "plan for a topology from hwloc XML"},
		{"synthetic", 0, NSLAB_OPTION_TEXT, &o.synthetic, "TEXT",
		 "plan for an hwloc synthetic topology"},
		{"sim-nodes", 0, NSLAB_OPTION_INT, &o.sim_nodes, "N", "simulate N nodes"},
		{"plugin", 0, NSLAB_OPTION_LIST, o.plugins, "FILE", "load a plug-in too"},
		{NULL, 0, NSLAB_OPTION_FLAG, NULL, NULL, NULL},
	};
	extern const struct nslab_command nslab_command_plan;
	const char *overrides[64] = {NULL};
	struct nslab_err err = {""};
	const char *name = NULL;
	size_t nr_overrides = 0;
	int nr, rc;

	rc = nslab_options_parse(&nslab_command_plan, rows, argc, argv, &nr);
	if (rc >= 0)
		return rc;
	for (int i = 1; i <= nr; i++) {
		if (strchr(argv[i], '=') && nr_overrides + 1 < 64) {
			overrides[nr_overrides++] = argv[i];
		} else if (!name) {
			name = argv[i];
		} else {
			nslab_fail(&err, -EINVAL, "one plan at a time: '%s' and '%s'", name,
				   argv[i]);
			return nslab_complain(&err, -EINVAL);
		}
	}
	rc = show(&o, name ? name : "quick", overrides, &err);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

extern const struct nslab_command nslab_command_plan;
const struct nslab_command nslab_command_plan = {
	.name = "plan",
	.summary = "show what a plan would run here, and how long it takes",
	.usage = "[PLAN] [KEY=VALUE...]",
	.run = plan_run,
};
