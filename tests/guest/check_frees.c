/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_frees.c: what workloads counted as frees on another node against what allocators counted.
 *
 * Reads the result file that the guest of workloads.sh brought back. In each trial the workload
 * knows how many objects it handed to a worker of another node (cross_node_frees) and how many of
 * those were of pages of another node (far_frees); the allocator knows how many it got back on a
 * CPU of another node (remote_free of all its caches). With every page where the plan wants it and
 * nobody taking slabs of other nodes the three are equal, to the object. Every workload must have
 * run on every allocator; times are not looked at.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NR_NODES 4

static const char *const workloads[] = {"skb", "all_to_one", "node_imbalance"};
static const char *const allocators[] = {"nodelocal", "slub", "sheaves", "slab"};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char query[] =
	"SELECT c.workload, c.allocator, t.is_valid, t.page_hit_rate,"
	" (SELECT value FROM figure WHERE trial = t.id AND name = 'remote_frees'),"
	" (SELECT value FROM figure WHERE trial = t.id AND name = 'cross_node_frees'),"
	" (SELECT value FROM figure WHERE trial = t.id AND name = 'far_frees'),"
	" (SELECT sum(json_extract(stat_json, '$.remote_free')) FROM cachestat"
	"  WHERE trial = t.id) FROM trial t JOIN cell c ON c.id = t.cell";

static const char nodes_query[] =
	"SELECT r.is_simulated, json_array_length(p.json, '$.nodes') FROM run r"
	" JOIN topology p ON p.id = r.topology";

enum {
	WORKLOAD,
	ALLOCATOR,
	IS_VALID,
	HIT_RATE,
	REMOTE,
	CROSS,
	FAR,
	COUNTED
};

static bool is_seen[ARRAY_SIZE(workloads)][ARRAY_SIZE(allocators)];

/* Not there is not zero. */
static bool is_count(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) != SQLITE_NULL &&
	       sqlite3_column_double(row, column) > 0;
}

static size_t place(const char *word, const char *const *words, size_t nr)
{
	size_t at = 0;

	while (at < nr && (!word || strcmp(words[at], word)))
		at++;
	return at;
}

static bool is_right(sqlite3_stmt *row)
{
	double counted = sqlite3_column_double(row, COUNTED);

	if (!sqlite3_column_int(row, IS_VALID) || sqlite3_column_double(row, HIT_RATE) != 1.0)
		return false;
	for (int i = REMOTE; i <= COUNTED; i++) {
		if (!is_count(row, i) || sqlite3_column_double(row, i) != counted)
			return false;
	}
	return true;
}

/* 1 when the row is wrong. */
static int check_row(sqlite3_stmt *row)
{
	const char *workload = (const char *)sqlite3_column_text(row, WORKLOAD);
	const char *allocator = (const char *)sqlite3_column_text(row, ALLOCATOR);
	size_t w = place(workload, workloads, ARRAY_SIZE(workloads));
	size_t a = place(allocator, allocators, ARRAY_SIZE(allocators));
	bool ok = is_right(row);

	printf("%s on %s: hit rate %.3f, frees by others %.0f, on another node %.0f, of another "
	       "node's page %.0f, counted by the allocator %.0f: %s\n",
	       workload, allocator, sqlite3_column_double(row, HIT_RATE),
	       sqlite3_column_double(row, REMOTE), sqlite3_column_double(row, CROSS),
	       sqlite3_column_double(row, FAR), sqlite3_column_double(row, COUNTED),
	       ok ? "equal" : "FAILED");
	if (w < ARRAY_SIZE(workloads) && a < ARRAY_SIZE(allocators))
		is_seen[w][a] = true;
	return !ok;
}

static int check_trials(sqlite3 *db)
{
	sqlite3_stmt *row;
	int nr_wrong = 0;

	if (sqlite3_prepare_v2(db, query, -1, &row, NULL) != SQLITE_OK) {
		printf("failed: %s\n", sqlite3_errmsg(db));
		return 1;
	}
	while (sqlite3_step(row) == SQLITE_ROW)
		nr_wrong += check_row(row);
	sqlite3_finalize(row);
	for (size_t w = 0; w < ARRAY_SIZE(workloads); w++) {
		for (size_t a = 0; a < ARRAY_SIZE(allocators); a++) {
			if (!is_seen[w][a])
				printf("failed: no trial of %s on %s\n", workloads[w],
				       allocators[a]);
			nr_wrong += !is_seen[w][a];
		}
	}
	return nr_wrong;
}

/* Four real nodes: simulated ones would prove nothing. */
static int check_nodes(sqlite3 *db)
{
	sqlite3_stmt *row;
	int is_wrong = 1;

	if (sqlite3_prepare_v2(db, nodes_query, -1, &row, NULL) != SQLITE_OK) {
		printf("failed: %s\n", sqlite3_errmsg(db));
		return 1;
	}
	if (sqlite3_step(row) == SQLITE_ROW)
		is_wrong =
			sqlite3_column_int(row, 0) != 0 || sqlite3_column_int(row, 1) != NR_NODES;
	if (is_wrong)
		printf("failed: the run was not on %d real nodes\n", NR_NODES);
	sqlite3_finalize(row);
	return is_wrong;
}

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	int nr_wrong;

	if (argc != 2) {
		fprintf(stderr, "usage: check_frees RUN.db\n");
		return 2;
	}
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		printf("failed: cannot open '%s': %s\n", argv[1], sqlite3_errmsg(db));
		sqlite3_close(db);
		return 1;
	}
	nr_wrong = check_nodes(db) + check_trials(db);
	sqlite3_close(db);
	return nr_wrong > 0;
}
