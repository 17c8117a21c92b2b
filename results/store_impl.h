/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store_impl.h: what the writing half (store.c), the reading half (read.c) and the exports share.
 */
#ifndef NSLAB_STORE_IMPL_H
#define NSLAB_STORE_IMPL_H

#include "results/store.h"
#include "results/text.h"

#include <sqlite3.h>

#define NSLAB_STORE_APPLICATION 0x6e736c62 /* "nslb" in the header of the file */
#define NSLAB_STORE_SCHEMA	4	   /* 2: figure, point; 3: hist; 4: phase_counter */

enum nslab_store_statement {
	NSLAB_STORE_ADD_CELL,
	NSLAB_STORE_ADD_TRIAL,
	NSLAB_STORE_ADD_WINDOW,
	NSLAB_STORE_ADD_COUNTER,
	NSLAB_STORE_ADD_PHASE_COUNTER,
	NSLAB_STORE_ADD_CACHE,
	NSLAB_STORE_ADD_FIGURE,
	NSLAB_STORE_ADD_POINT,
	NSLAB_STORE_ADD_HIST,
	NSLAB_STORE_NR_STATEMENTS
};

struct nslab_store {
	sqlite3 *db;
	char *path; /* as the user gave it */
	bool is_writer;
	bool is_collecting; /* cells wait in an open transaction */
	bool is_bulk;	    /* and trials with them, see nslab_store_bulk */
	sqlite3_stmt *statements[NSLAB_STORE_NR_STATEMENTS];
	struct nslab_texts *texts; /* of the run row that was read */
};

/* What the taints of all trials say; the text lives in texts. */
int nslab_store_noise(struct nslab_store *store, struct nslab_texts *texts,
		      struct nslab_noise_summary *noise, struct nslab_err *err);
/* Makes the statements that write ready. */
int nslab_store_prepare_writing(struct nslab_store *store, struct nslab_err *err);
/* "cannot VERB 'PATH': reason"; the errno that fits the database's state. */
int nslab_store_failed(struct nslab_store *store, const char *verb, struct nslab_err *err);
int nslab_store_prepare(struct nslab_store *store, const char *sql, sqlite3_stmt **statement,
			struct nslab_err *err);
/* Files of an older schema lack some. */
bool nslab_store_has_table(struct nslab_store *store, const char *name);
/* 1: a row, 0: no more rows, or a negative errno with an error. */
int nslab_store_step(struct nslab_store *store, sqlite3_stmt *statement, struct nslab_err *err);

#endif
