/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_topo.c: `numaslab topo`: a topology as a picture, as JSON, or as an hwloc XML file.
 *
 * The source is this machine unless --xml or --synthetic names another; --sim-nodes puts simulated
 * nodes in place of the real ones. --export writes the XML and prints nothing else, so that it
 * can be used in scripts. --measure adds what was measured beside what is told. Nothing is decided
 * here: the work is done in topology/.
 */
#include "cli/command.h"
#include "topology/measure.h"
#include "topology/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

extern const struct nslab_command nslab_command_topo;

struct topo_options {
	bool is_json, is_measured;
	const char *xml, *synthetic, *export_path;
	long sim_nodes;
};

/* 80, or more on a wider terminal. */
static int terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 80)
		return 80;
	return size.ws_col > 160 ? 160 : size.ws_col;
}

static int print_json(const struct nslab_topo *topo, const struct nslab_matrix *matrix,
		      struct nslab_err *err)
{
	json_t *json = nslab_topo_json(topo);
	int rc = -ENOMEM;

	if (json && matrix)
		json_object_set_new(json, "measured", nslab_matrix_json(matrix, topo));

	if (json)
		rc = json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? -EIO : 0;
	json_decref(json);
	if (rc)
		return nslab_fail(err, rc, "cannot print the topology: %s", strerror(-rc));
	printf("\n");
	return 0;
}

static int make_source(const struct topo_options *options, struct nslab_topo_source *source,
		       struct nslab_err *err)
{
	if (options->xml && options->synthetic)
		return nslab_fail(err, -EINVAL,
				  "cannot use both '--xml' and '--synthetic'; give one");
	if (options->sim_nodes < 0 || options->sim_nodes > NSLAB_MAX_NODES)
		return nslab_fail(err, -EINVAL, "option '--sim-nodes' takes 1..%d, not %ld",
				  NSLAB_MAX_NODES, options->sim_nodes);
	source->origin = options->xml	      ? NSLAB_TOPO_XML
			 : options->synthetic ? NSLAB_TOPO_SYNTHETIC
					      : NSLAB_TOPO_MACHINE;
	source->text = options->xml ? options->xml : options->synthetic;
	source->sim_nodes = (int)options->sim_nodes;
	return 0;
}

static int show(const struct topo_options *options, struct nslab_err *err)
{
	struct nslab_topo_source source;
	struct nslab_topo *topo = NULL;
	struct nslab_matrix *matrix = NULL;
	int rc = make_source(options, &source, err);

	if (!rc)
		rc = nslab_topo_load(&source, &topo, err);
	if (rc)
		return rc;
	if (options->is_measured)
		rc = nslab_matrix_measure(topo, &matrix, err);
	if (rc)
		goto out_free;
	if (options->export_path)
		rc = nslab_topo_export(topo, options->export_path, err);
	else if (options->is_json)
		rc = print_json(topo, matrix, err);
	else
		nslab_topo_print(topo, stdout, terminal_columns());
	if (matrix && !options->is_json && !options->export_path)
		nslab_matrix_print(matrix, topo, stdout, 80);
out_free:
	nslab_matrix_free(matrix);
	nslab_topo_free(topo);
	return rc;
}

static int run(int argc, char **argv)
{
	struct topo_options options = {0};
	const struct nslab_option rows[] = {
		{"json", 0, NSLAB_OPTION_FLAG, &options.is_json, NULL, "print JSON"},
		{"xml", 'x', NSLAB_OPTION_TEXT, &options.xml, "FILE",
		 "of a machine saved with lstopo or --export"},
		{"synthetic", 's', NSLAB_OPTION_TEXT, &options.synthetic, "STRING",
		 "of a made-up machine: 'pack:2 [numa] core:4 pu:2'"},
		{"sim-nodes", 0, NSLAB_OPTION_INT, &options.sim_nodes, "N",
		 "replace the nodes by N simulated ones"},
		{"measure", 0, NSLAB_OPTION_FLAG, &options.is_measured, NULL,
		 "measure latency and bandwidth of nodes, and hand-over between PUs"},
		{"export", 0, NSLAB_OPTION_TEXT, &options.export_path, "FILE",
		 "write hwloc XML and print nothing"},
		{0},
	};
	struct nslab_err err = {""};
	int nr_operands, rc;

	rc = nslab_options_parse(&nslab_command_topo, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	if (nr_operands) {
		nslab_fail(&err, -EINVAL, "unexpected '%s'; numaslab topo takes options only",
			   argv[1]);
		return nslab_complain(&err, -EINVAL);
	}
	rc = show(&options, &err);
	if (!rc && fflush(stdout))
		rc = nslab_fail(&err, -errno, "cannot write to stdout: %s", strerror(errno));
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

const struct nslab_command nslab_command_topo = {
	.name = "topo",
	.summary = "show packages, nodes, PUs, caches and distances",
	.usage = "",
	.run = run,
};
