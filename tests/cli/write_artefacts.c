/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * write_artefacts.c: writes the artefacts of a made-up advice into a folder, for other programs to
 * read; or a snapshot of a machine with 16 CPUs whose caches are those of a table.
 *
 * The machine and the advice are those of unit.tuner-artefacts, which knows what is in the files;
 * here it is about what tuned and `numaslab plan` make of them, and about an oracle's question.
 * Usage: write_artefacts FOLDER, or write_artefacts FILE TABLE.
 */
#include "tests/support/make_advice.h"
#include "tests/support/make_snapshot.h"
#include "tuner/artefacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_artefacts(const char *folder)
{
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(NSLAB_ORDER_6_18);
	struct nslab_tuner_advice *advice = make_advice_of_machine(snapshot);
	struct nslab_err err;
	int rc = nslab_tuner_artefacts(advice, folder, &err);

	if (rc)
		fprintf(stderr, "%s\n", err.text);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	return rc;
}

static int write_snapshot(const char *path, const char *table)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 16, 1);
	int rc = -1;
	json_t *json;

	strcpy(snapshot->release = realloc(snapshot->release, 8), "6.12");
	if (make_advice_caches(snapshot, table)) {
		json = nslab_tuner_snapshot_json(snapshot);
		rc = json_dump_file(json, path, 0);
		json_decref(json);
	}
	make_snapshot_free(snapshot);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3)
		return 2;
	return (argc == 2 ? write_artefacts(argv[1]) : write_snapshot(argv[1], argv[2])) != 0;
}
