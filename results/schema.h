/* SPDX-License-Identifier: GPL-2.0-only */
/* schema.h: the tables and views of a result file, as SQL. */
#ifndef NSLAB_SCHEMA_H
#define NSLAB_SCHEMA_H

/* Schema 1, which the migrations make today's. */
extern const char nslab_schema_sql[];

/* [i] makes schema i + 2 out of schema i + 1. */
extern const char *const nslab_schema_migrations[];

#endif
