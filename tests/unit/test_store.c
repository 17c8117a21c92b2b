/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_store.c: what is written is read back, whoever is killed, and nothing else is taken for it.
 *
 * The kill tests run the writer in a child. Once it is killed by its parent at ten moments while it
 * stores trials: every trial it reported is there with all its windows. Once it kills itself with
 * half a transaction already in the file, which is certain to leave a journal behind. Nothing here
 * depends on when the kill falls; only what is covered does.
 */
#define _GNU_SOURCE
#include "tests/unit/synthetic_run.h"

#include "results/figures.h"
#include "results/text.h"
#include "results/trials.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define KILL_WINDOWS 500

struct folder {
	char dir[64];
	char path[96];
};

static int folder_setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	snprintf(folder->dir, sizeof(folder->dir), "/tmp/numaslab-test-XXXXXX");
	if (!mkdtemp(folder->dir) || chmod(folder->dir, 0755))
		return -1;
	snprintf(folder->path, sizeof(folder->path), "%s/run.db", folder->dir);
	*state = folder;
	return 0;
}

static int folder_teardown(void **state)
{
	struct folder *folder = *state;
	char journal[128];

	snprintf(journal, sizeof(journal), "%s-journal", folder->path);
	chmod(folder->dir, 0755);
	unlink(journal);
	unlink(folder->path);
	rmdir(folder->dir);
	free(folder);
	return 0;
}

static void write_run(const char *path, const struct synthetic_spec *spec)
{
	struct nslab_err err = {""};

	if (synthetic_write(path, spec, &err))
		fail_msg("%s", err.text);
}

/* First column of the first row of a query, run on the file itself. */
static sqlite3_int64 query(const char *path, const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3_int64 value;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static void store_reads_back_the_run(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .is_finished = true};
	struct nslab_run_record want;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	write_run(folder->path, &spec);
	synthetic_record(&spec, &want);
	assert_int_equal(nslab_run_file_open(folder->dir, &file, &err), 0);
	assert_string_equal(file.run.uuid, want.uuid);
	assert_string_equal(file.run.plan_text, want.plan_text);
	assert_string_equal(file.run.argv_text, want.argv_text);
	assert_true(file.run.seed == want.seed);
	assert_true(file.run.memory_bytes == want.memory_bytes);
	assert_null(file.run.placement_unavailable);
	assert_null(file.run.env_json);
	assert_string_equal(file.status, "done");
	assert_true(fabs(file.harness_ns - 0.21) < 1e-12);
	assert_int_equal(file.list->nr_trials, 2 * 6 * 6);
	nslab_run_file_close(&file);
}

static const char counts_sql[] = "SELECT (SELECT count(*) FROM cell) * 1000 +"
				 " (SELECT count(*) FROM trial) * 10 + (status = 'done') FROM run";

/* Two trials in bulk. is_wrong: and one of a cell that is not there. */
static struct nslab_store *write_bulk(const char *path, bool is_wrong)
{
	const struct nslab_run_record run = {.uuid = "u", .name = "bulk"};
	const struct synthetic_spec bare = {.is_bare = true};
	struct nslab_store *store;
	struct nslab_err err = {""};
	int64_t cell;

	unlink(path);
	assert_int_equal(nslab_store_create(path, &run, &store, &err), 0);
	assert_int_equal(nslab_store_bulk(store, &err), 0);
	assert_int_equal(synthetic_add_cell(store, &synthetic_arms[0], "batch", &cell, &err), 0);
	for (int block = 0; block < 2; block++)
		assert_int_equal(synthetic_add_trial(store, &bare, cell, block, 3, NAN, &err), 0);
	if (is_wrong)
		assert_true(synthetic_add_trial(store, &bare, 99, 0, 3, NAN, &err) < 0);
	return store;
}

static void bulk_is_there_as_a_whole_or_not_at_all(void **state)
{
	struct folder *folder = *state;
	struct nslab_err err = {""};
	struct nslab_store *store;

	for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
		store = write_bulk(folder->path, is_wrong);
		assert_int_equal(query(folder->path, counts_sql), 0);
		nslab_store_close(store); /* before it was finished */
		assert_int_equal(query(folder->path, counts_sql), 0);
	}
	store = write_bulk(folder->path, false);
	assert_int_equal(nslab_store_finish(store, "done", NAN, "t", &err), 0);
	assert_int_equal(query(folder->path, counts_sql), 1021);
	nslab_store_close(store);
	assert_int_equal(query(folder->path, counts_sql), 1021);
}

static void store_reads_back_cells_and_their_trials(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .has_crash = true};
	const struct nslab_cell_values *cell;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	write_run(folder->path, &spec);
	assert_int_equal(nslab_run_file_open(folder->path, &file, &err), 0);
	assert_string_equal(file.status, "running");
	assert_true(isnan(file.harness_ns));
	assert_int_equal(file.list->nr, 2 * SYNTHETIC_NR_ARMS);
	cell = &file.list->cells[0];
	assert_int_equal(cell->nr, 6);
	assert_int_equal(cell->blocks[5], 5);
	assert_true(cell->cell.is_baseline && !cell->cell.is_twin);
	assert_true(cell->held_bytes == 262144.0);
	assert_true(cell->hit_rate == 1.0);
	assert_null(cell->cause);
	cell = &file.list->cells[6];
	assert_int_equal(cell->nr, 0);
	assert_non_null(strstr(cell->cell.skipped, "not installed"));
	assert_true(isnan(cell->held_bytes) && isnan(cell->hit_rate));
	assert_true(isnan(file.list->cells[5].held_bytes));
	cell = &file.list->cells[SYNTHETIC_NR_ARMS + 5];
	assert_int_equal(cell->nr, 0);
	assert_int_equal(cell->nr_failed, 6);
	assert_string_equal(cell->cause, "crash: SIGSEGV");
	nslab_run_file_close(&file);
}

static const struct nslab_cell_counter *find_counter(const struct nslab_cell_values *cell,
						     const char *name)
{
	for (size_t i = 0; i < cell->nr_counters; i++) {
		if (!strcmp(cell->counters[i].name, name))
			return &cell->counters[i];
	}
	fail_msg("no counter %s", name);
	return NULL;
}

static void counters_are_summed_and_absent_ones_keep_their_reason(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 3, .scale = 1.0};
	const struct nslab_cell_counter *counter;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	write_run(folder->path, &spec);
	assert_int_equal(nslab_run_file_open(folder->path, &file, &err), 0);
	assert_int_equal(nslab_store_counters(file.store, file.list, &err), 0);
	counter = find_counter(&file.list->cells[3], "page-faults");
	assert_true(counter->value == 42.0 && counter->running == 0.5 && counter->nr == 3);
	counter = find_counter(&file.list->cells[3], "cache-misses");
	assert_true(isnan(counter->value) && counter->nr == 0);
	assert_string_equal(counter->reason, "no PMU in this VM");
	counter = find_counter(&file.list->cells[3], "list_lock");
	assert_string_equal(counter->source, "slab");
	assert_true(counter->value == 10.0);
	assert_true(fabs(counter->per_op - 10.0 / (20.0 * 1e6)) < 1e-15);
	assert_int_equal(file.list->cells[6].nr_counters, 0);
	nslab_run_file_close(&file);
}

static void figures_are_medians_and_curves_of_the_first_trial(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 3, .scale = 1.0};
	struct nslab_figure_list *list;
	struct nslab_run_file file;
	struct nslab_err err = {""};
	char text[4096] = "";
	FILE *out;

	write_run(folder->path, &spec);
	assert_int_equal(nslab_run_file_open(folder->path, &file, &err), 0);
	assert_int_equal(nslab_store_figures(file.store, file.list, &list, &err), 0);
	/* six arms of each workload ran; the seventh is skipped */
	assert_int_equal(list->nr_figures, 2 * 6 * 2);
	assert_int_equal(list->nr_points, 2 * 6 * 2);
	assert_string_equal(list->figures[0].name, "remote_frees");
	assert_true(list->figures[0].value == 101.0 && list->figures[0].nr == 3);
	assert_true(list->points[0].y == 0.0 && list->points[1].y == 9.0);
	out = fmemopen(text, sizeof(text), "w");
	nslab_figures_table(list, file.list, out, 78);
	fclose(out);
	assert_non_null(strstr(text, "remote_frees                           101         101"));
	out = fmemopen(text, sizeof(text), "w");
	assert_int_equal(nslab_figures_csv(list, file.list, out), 0);
	fclose(out);
	assert_non_null(strstr(text, ",null,0,remote_frees,101,3,objects\n"));
	nslab_figure_list_free(list);
	nslab_run_file_close(&file);
}

/* Block 1 ran three times: spoiled, valid, valid again. */
static void last_valid_attempt_of_a_block_counts(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 0, .scale = 1.0};
	struct nslab_trial_record trial = {.cell = 1, .block = 1, .page_hit_rate = NAN};
	struct nslab_run_file file;
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {""};
	int64_t cell;

	synthetic_record(&spec, &run);
	assert_int_equal(nslab_store_create(folder->path, &run, &store, &err), 0);
	assert_int_equal(synthetic_add_cell(store, &synthetic_arms[0], "churn", &cell, &err), 0);
	for (int attempt = 0; attempt < 3; attempt++) {
		trial.attempt = attempt;
		trial.is_valid = attempt > 0;
		trial.taint = attempt ? NULL : "run delay 12 %";
		trial.ns_per_op = 10.0 + attempt;
		trial.cell = cell;
		assert_int_equal(nslab_store_add_trial(store, &trial, &err), 0);
	}
	trial.block = 0;
	assert_int_equal(nslab_store_add_trial(store, &trial, &err), 0);
	nslab_store_close(store);
	assert_int_equal(nslab_run_file_open(folder->path, &file, &err), 0);
	assert_int_equal(file.list->cells[0].nr, 2);
	assert_int_equal(file.list->cells[0].blocks[0], 0);
	assert_true(file.list->cells[0].ns_per_op[1] == 12.0);
	assert_int_equal(file.list->cells[0].nr_failed, 0);
	assert_int_equal(file.list->nr_trials, 2);
	nslab_run_file_close(&file);
}

static void failed_trial_leaves_nothing_behind(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 0, .scale = 1.0};
	/* the same window twice: the second violates the key */
	struct nslab_window windows[2] = {{.index = 3}, {.index = 3}};
	struct nslab_trial_record trial = {
		.block = 1, .ns_per_op = 1.0, .nr_windows = 2, .windows = windows};
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {""};

	synthetic_record(&spec, &run);
	assert_int_equal(nslab_store_create(folder->path, &run, &store, &err), 0);
	assert_int_equal(synthetic_add_cell(store, &synthetic_arms[0], "churn", &trial.cell, &err),
			 0);
	assert_true(nslab_store_add_trial(store, &trial, &err) < 0);
	assert_non_null(strstr(err.text, folder->path));
	windows[1].index = 4;
	assert_int_equal(nslab_store_add_trial(store, &trial, &err), 0);
	trial.cell += 77;
	assert_true(nslab_store_add_trial(store, &trial, &err) < 0);
	nslab_store_close(store);
	assert_int_equal(query(folder->path, "SELECT count(*) FROM trial"), 1);
	assert_int_equal(query(folder->path, "SELECT count(*) FROM trial_window"), 2);
}

static void views_summarize_what_the_library_reads(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .has_crash = true};

	write_run(folder->path, &spec);
	assert_int_equal(query(folder->path, "SELECT n FROM cell_summary WHERE cell = 1"), 6);
	assert_int_equal(
		query(folder->path,
		      "WITH v AS (SELECT ns_per_op AS x FROM trial WHERE cell = 1 ORDER BY x LIMIT"
		      " 2 OFFSET 2) SELECT abs(avg(x) - (SELECT median_ns_per_op FROM"
		      " cell_summary WHERE cell = 1)) < 1e-9 FROM v"),
		1);
	assert_int_equal(query(folder->path, "SELECT min(nr_windows) FROM trial_summary WHERE"
					     " is_valid"),
			 SYNTHETIC_WINDOWS);
	assert_int_equal(query(folder->path, "SELECT count(*) FROM cause"), 2 + 6);
}

/* ---- writers that die ---- */

static int kill_add_trial(struct nslab_store *store, int64_t cell, int block, struct nslab_err *err)
{
	static struct nslab_window windows[KILL_WINDOWS];
	struct nslab_trial_record trial = {.cell = cell,
					   .block = block,
					   .is_valid = true,
					   .ns_per_op = 1.0 + block,
					   .page_hit_rate = NAN,
					   .nr_windows = KILL_WINDOWS,
					   .windows = windows};

	for (int i = 0; i < KILL_WINDOWS; i++)
		windows[i] = (struct nslab_window){0, i, 1000, 1000, 1000, true};
	return nslab_store_add_trial(store, &trial, err);
}

/* Stores trials for ever; every one that is stored is reported through fd. */
static void kill_write(const char *path, int fd)
{
	struct synthetic_spec spec = {.scale = 1.0};
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {""};
	int64_t cell;

	synthetic_record(&spec, &run);
	if (nslab_store_create(path, &run, &store, &err) ||
	    synthetic_add_cell(store, &synthetic_arms[0], "churn", &cell, &err))
		_exit(1);
	for (int block = 0;; block++) {
		if (kill_add_trial(store, cell, block, &err) ||
		    write(fd, &block, sizeof(block)) != sizeof(block))
			_exit(1);
	}
}

/* Lets the writer report nr trials, waits a little, kills it; returns how many it reported. */
static int kill_after(const char *path, int nr, unsigned wait_us)
{
	int pipes[2], block, nr_reported = 0, status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(pipes[0]);
		kill_write(path, pipes[1]);
	}
	close(pipes[1]);
	while (nr_reported < nr && read(pipes[0], &block, sizeof(block)) == sizeof(block))
		nr_reported++;
	assert_int_equal(nr_reported, nr);
	usleep(wait_us);
	kill(pid, SIGKILL);
	while (read(pipes[0], &block, sizeof(block)) == sizeof(block))
		nr_reported++;
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return nr_reported;
}

static void killed_writer_leaves_every_reported_trial(void **state)
{
	struct folder *folder = *state;
	uint64_t rng = 11;

	for (int round = 0; round < 10; round++) {
		struct nslab_run_file file;
		struct nslab_err err = {""};
		int nr = kill_after(folder->path, 1 + round, nslab_rng_below(&rng, 4000));

		if (nslab_run_file_open(folder->path, &file, &err))
			fail_msg("%s", err.text);
		assert_string_equal(file.status, "running");
		assert_true(file.list->cells[0].nr >= (size_t)nr);
		for (size_t i = 0; i < file.list->cells[0].nr; i++)
			assert_true(file.list->cells[0].ns_per_op[i] == 1.0 + (double)i);
		nslab_run_file_close(&file);
		assert_int_equal(query(folder->path, "SELECT min(nr_windows) FROM trial_summary"),
				 KILL_WINDOWS);
		assert_int_equal(unlink(folder->path), 0);
	}
}

/* A child that dies with half a transaction in the file: the journal is needed to read it. */
static void leave_hot_journal(const char *path)
{
	struct stat st;
	char journal[128];
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		sqlite3 *db;

		sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
		sqlite3_exec(db,
			     "PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=1; BEGIN;"
			     "UPDATE trial SET ns_per_op = -1, taint = hex(randomblob(900));"
			     "UPDATE trial_window SET ops = 0;",
			     NULL, NULL, NULL);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(journal, sizeof(journal), "%s-journal", path);
	assert_int_equal(stat(journal, &st), 0);
	assert_true(st.st_size > 512);
}

static void check_recovered(const char *path, int *rc)
{
	struct nslab_run_file file;
	struct nslab_err err = {""};

	*rc = 1;
	if (nslab_run_file_open(path, &file, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return;
	}
	if (file.list->cells[0].nr == 12 && file.list->cells[0].ns_per_op[3] > 0.0)
		*rc = 0;
	nslab_run_file_close(&file);
}

static void half_a_transaction_is_undone(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 12, .scale = 1.0};
	int rc;

	write_run(folder->path, &spec);
	leave_hot_journal(folder->path);
	check_recovered(folder->path, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(query(folder->path, "SELECT count(*) FROM trial WHERE ns_per_op < 0"), 0);
}

static void half_a_transaction_is_undone_where_nothing_can_be_written(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 12, .scale = 1.0};
	struct stat before, after;
	char journal[128];
	pid_t pid;
	int status, rc;

	write_run(folder->path, &spec);
	leave_hot_journal(folder->path);
	snprintf(journal, sizeof(journal), "%s-journal", folder->path);
	assert_int_equal(chmod(folder->path, 0444) | chmod(journal, 0444), 0);
	assert_int_equal(chmod(folder->dir, 0555), 0);
	assert_int_equal(stat(journal, &before), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* root may write everywhere, so it must be somebody else who reads */
		if (!geteuid() && setuid(65534))
			_exit(77);
		check_recovered(folder->path, &rc);
		_exit(rc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("cannot become another user here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(stat(journal, &after), 0);
	assert_true(after.st_size == before.st_size);
}

static void run_can_be_read_while_it_is_written(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.scale = 1.0};
	struct nslab_run_file file;
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {""};
	int64_t cell;

	synthetic_record(&spec, &run);
	assert_int_equal(nslab_store_create(folder->path, &run, &store, &err), 0);
	assert_int_equal(synthetic_add_cell(store, &synthetic_arms[0], "churn", &cell, &err), 0);
	assert_int_equal(nslab_store_flush(store, &err), 0);
	for (int block = 0; block < 3; block++) {
		assert_int_equal(kill_add_trial(store, cell, 2 * block, &err), 0);
		assert_int_equal(nslab_run_file_open(folder->path, &file, &err), 0);
		assert_int_equal(file.list->cells[0].nr, 2 * block + 1);
		/* the reader keeps the file open while the next trial is stored */
		assert_int_equal(kill_add_trial(store, cell, 2 * block + 1, &err), 0);
		nslab_run_file_close(&file);
	}
	nslab_store_close(store);
}

/* ---- files that are no result files ---- */

static void expect_open_error(const char *path, const char *text)
{
	struct nslab_store *store;
	struct nslab_err err = {""};

	assert_true(nslab_store_open(path, &store, &err) < 0);
	if (!strstr(err.text, text) || !strstr(err.text, path) || strchr(err.text, '\n'))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void put_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void open_refuses_foreign_files(void **state)
{
	struct folder *folder = *state;
	sqlite3 *db;

	expect_open_error(folder->path, "No such file or directory");
	expect_open_error(folder->dir, "not a result file");
	expect_open_error("/dev/zero", "not a result file");
	put_file(folder->path, "", 0);
	expect_open_error(folder->path, "is empty");
	put_file(folder->path, "name,value\n", 11);
	expect_open_error(folder->path, "not a result file");
	put_file(folder->path, "SQLite format 3\0", 16);
	expect_open_error(folder->path, "cut short");
	unlink(folder->path);
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE song(title)", NULL, NULL, NULL);
	sqlite3_close(db);
	expect_open_error(folder->path, "but not a result file");
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA application_id=0x6e736c62", NULL, NULL, NULL);
	sqlite3_close(db);
	expect_open_error(folder->path, "holds no run");
}

/* run-v1.sql as a file, at folder->path. */
static void write_version_1(const struct folder *folder)
{
	static char sql[16384];
	FILE *file = fopen(TEST_DATA "/run-v1.sql", "re");
	char *message = NULL;
	sqlite3 *db;

	assert_non_null(file);
	sql[fread(sql, 1, sizeof(sql) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	sqlite3_close(db);
}

static void open_migrates_version_1_and_leaves_the_file_alone(void **state)
{
	struct folder *folder = *state;
	struct nslab_figure_list *figures;
	struct nslab_run_file file;
	struct nslab_store *store;
	struct nslab_err err = {""};

	write_version_1(folder);
	if (nslab_run_file_open(folder->dir, &file, &err))
		fail_msg("%s", err.text);
	assert_string_equal(file.run.host_name, "old");
	assert_int_equal(file.list->nr, 2);
	assert_int_equal(file.list->cells[0].nr, 1);
	assert_string_equal(file.list->cells[0].cause, "crash: SIGSEGV");
	assert_int_equal(file.list->cells[1].nr, 2);
	assert_true(file.list->cells[1].ns_per_op[1] == 20.0);
	/* the tables that version 2 brought are there and empty */
	assert_int_equal(nslab_store_figures(file.store, file.list, &figures, &err), 0);
	assert_int_equal(figures->nr_figures, 0);
	nslab_figure_list_free(figures);
	nslab_run_file_close(&file);
	assert_int_equal(query(folder->path, "PRAGMA user_version"), 1);
	assert_int_equal(query(folder->path, "SELECT count(*) FROM sqlite_schema WHERE"
					     " name = 'figure'"),
			 0);
	/* only the version that began a run may go on with it */
	assert_int_equal(nslab_store_reopen(folder->path, &store, &err), -EINVAL);
	assert_non_null(strstr(err.text, "it has schema 1, this numaslab writes "));
}

static void open_refuses_what_cannot_be_migrated(void **state)
{
	struct folder *folder = *state;
	sqlite3 *db;

	write_version_1(folder);
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE figure(other)", NULL, NULL, NULL);
	sqlite3_close(db);
	expect_open_error(folder->path, "from schema 1 to ");
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA user_version=0", NULL, NULL, NULL);
	sqlite3_close(db);
	expect_open_error(folder->path, "has no schema");
}

static void open_refuses_newer_schema(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 1, .scale = 1.0};
	sqlite3 *db;

	write_run(folder->path, &spec);
	assert_int_equal(sqlite3_open(folder->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA user_version=9", NULL, NULL, NULL);
	sqlite3_close(db);
	expect_open_error(folder->path, "schema 9, newer than");
}

/* Reads a damaged file as every reader does: an error of one line or odd numbers, never a crash. */
static int read_all(const char *path)
{
	struct nslab_run_file file;
	struct nslab_err err = {""};
	int rc = nslab_run_file_open(path, &file, &err);

	if (!rc) {
		rc = nslab_store_counters(file.store, file.list, &err);
		nslab_run_file_close(&file);
	}
	if (rc && (!err.text[0] || strchr(err.text, '\n')))
		fail_msg("'%s' is not one line", err.text);
	return rc;
}

static void cut_and_damaged_files_are_an_error_of_one_line(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0};
	uint64_t rng = 5;
	unsigned char *bytes;
	struct stat st;
	FILE *file;
	size_t len;

	write_run(folder->path, &spec);
	assert_int_equal(stat(folder->path, &st), 0);
	len = (size_t)st.st_size;
	bytes = malloc(len);
	assert_non_null(bytes);
	file = fopen(folder->path, "r");
	assert_int_equal(fread(bytes, 1, len, file), len);
	fclose(file);
	for (size_t cut = 0; cut < len; cut += 1 + cut / 3) {
		put_file(folder->path, bytes, cut);
		assert_true(read_all(folder->path) < 0);
	}
	for (int round = 0; round < 300; round++) {
		size_t at = nslab_rng_below(&rng, (uint32_t)len);
		unsigned char old = bytes[at];

		bytes[at] = (unsigned char)nslab_rng_next(&rng);
		put_file(folder->path, bytes, len);
		read_all(folder->path);
		if (round % 3)
			bytes[at] = old; /* every third damage stays: they add up */
	}
	free(bytes);
}

/* ---- places that cannot be written ---- */

static void create_names_the_path_when_it_cannot(void **state)
{
	struct folder *folder = *state;
	struct synthetic_spec spec = {.nr_blocks = 0};
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {""};

	synthetic_record(&spec, &run);
	put_file(folder->path, "x", 1);
	assert_int_equal(nslab_store_create(folder->path, &run, &store, &err), -EEXIST);
	assert_non_null(strstr(err.text, folder->path));
	assert_int_equal(nslab_store_create("/nowhere/run.db", &run, &store, &err), -ENOENT);
	assert_string_equal(err.text, "cannot create '/nowhere/run.db': No such file or directory");
}

/* A file size limit stands in for a full disk: write() fails in the middle of a commit. */
static void full_disk_is_told_and_keeps_what_was_there(void **state)
{
	struct folder *folder = *state;
	struct rlimit limit = {131072, 131072};
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		struct synthetic_spec spec = {.nr_blocks = 100, .scale = 1.0};
		struct nslab_err err = {""};

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) || !synthetic_write(folder->path, &spec, &err))
			_exit(1);
		_exit(strstr(err.text, folder->path) && strstr(err.text, "cannot write") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read_all(folder->path), 0);
	assert_true(query(folder->path, "SELECT count(*) FROM trial") > 0);
	assert_int_equal(query(folder->path, "SELECT min(nr_windows) FROM trial_summary"),
			 SYNTHETIC_WINDOWS);
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(store_reads_back_the_run),
		STORE_TEST(bulk_is_there_as_a_whole_or_not_at_all),
		STORE_TEST(store_reads_back_cells_and_their_trials),
		STORE_TEST(counters_are_summed_and_absent_ones_keep_their_reason),
		STORE_TEST(figures_are_medians_and_curves_of_the_first_trial),
		STORE_TEST(last_valid_attempt_of_a_block_counts),
		STORE_TEST(failed_trial_leaves_nothing_behind),
		STORE_TEST(views_summarize_what_the_library_reads),
		STORE_TEST(killed_writer_leaves_every_reported_trial),
		STORE_TEST(half_a_transaction_is_undone),
		STORE_TEST(half_a_transaction_is_undone_where_nothing_can_be_written),
		STORE_TEST(run_can_be_read_while_it_is_written),
		STORE_TEST(open_refuses_foreign_files),
		STORE_TEST(open_refuses_newer_schema),
		STORE_TEST(open_migrates_version_1_and_leaves_the_file_alone),
		STORE_TEST(open_refuses_what_cannot_be_migrated),
		STORE_TEST(cut_and_damaged_files_are_an_error_of_one_line),
		STORE_TEST(create_names_the_path_when_it_cannot),
		STORE_TEST(full_disk_is_told_and_keeps_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
