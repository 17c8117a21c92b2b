/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * open.c: opening a result file that may be anything, and whose writer may have been killed.
 *
 * The header is checked by hand first, so that a foreign file is never handed to SQLite. Opening
 * for reading and writing lets SQLite undo the transaction that a killed writer left behind; where
 * the folder is not writable that cannot be done in place, so file and journal are copied to a
 * private folder, undone there, and the names removed at once. Nothing else is ever written: a file
 * of an older schema is migrated in memory and stays as it is.
 *
 * Left out: files that are being copied while they are read, and NFS locks.
 */
#define _GNU_SOURCE
#include "results/schema.h"
#include "results/store_impl.h"
#include "results/trials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_BUSY_MS	  5000
#define OPEN_HEADER_BYTES 100
#define OPEN_COPY_BYTES	  65536

static uint32_t open_be32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* True when a journal stands beside the file: its writer was killed. */
static bool open_has_journal(const char *path)
{
	char journal[4200];
	struct stat st;

	snprintf(journal, sizeof(journal), "%s-journal", path);
	return !stat(journal, &st) && st.st_size > 0;
}

/*
 * SQLite takes a last page that is not whole for zeros, so the length is held against the header:
 * page size at 16 (1 stands for 65536) and number of pages at 28. With a journal both may be
 * ahead of each other.
 */
static int open_check_length(const char *path, const unsigned char *header, uint64_t bytes,
			     struct nslab_err *err)
{
	uint64_t page_bytes = (uint64_t)header[16] << 8 | header[17];
	uint64_t want = (page_bytes == 1 ? 65536 : page_bytes) * open_be32(header + 28);

	if (bytes >= want || open_has_journal(path))
		return 0;
	return nslab_fail(err, -EINVAL, "'%s' is cut short: it has %llu of %llu bytes", path,
			  (unsigned long long)bytes, (unsigned long long)want);
}

/* The first 100 bytes: magic, user_version at 60 and application_id at 68. */
static int open_check_header(const char *path, int fd, uint64_t bytes, struct nslab_err *err)
{
	unsigned char header[OPEN_HEADER_BYTES];
	ssize_t got = pread(fd, header, sizeof(header), 0);

	if (got < 0)
		return nslab_fail(err, -EIO, "cannot read '%s': %s", path, strerror(errno));
	if (!got)
		return nslab_fail(err, -EINVAL,
				  "'%s' is empty: its run was stopped before the first record",
				  path);
	if (memcmp(header, "SQLite format 3", (size_t)got < 16 ? (size_t)got : 16))
		return nslab_fail(err, -EINVAL, "'%s' is not a result file of numaslab", path);
	if (got < OPEN_HEADER_BYTES)
		return nslab_fail(err, -EINVAL, "'%s' is cut short: it has %zd bytes", path, got);
	if (open_be32(header + 68) != NSLAB_STORE_APPLICATION)
		return nslab_fail(err, -EINVAL,
				  "'%s' is an SQLite file, but not a result file of numaslab",
				  path);
	if (open_be32(header + 60) > NSLAB_STORE_SCHEMA)
		return nslab_fail(err, -EINVAL,
				  "'%s' has schema %u, newer than this numaslab reads (up to %d)",
				  path, open_be32(header + 60), NSLAB_STORE_SCHEMA);
	return open_check_length(path, header, bytes, err);
}

static int open_check(const char *path, struct nslab_err *err)
{
	struct stat st;
	int rc = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot open '%s': %s", path, strerror(-rc));
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		rc = nslab_fail(err, -EINVAL, "'%s' is not a result file of numaslab", path);
	else
		rc = open_check_header(path, fd, (uint64_t)st.st_size, err);
	close(fd);
	return rc;
}

static int open_copy_file(const char *from, const char *to)
{
	char *buffer = malloc(OPEN_COPY_BYTES);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = buffer && in >= 0 && out >= 0 ? 0 : -EIO;
	ssize_t got = 1;

	while (!rc && got > 0) {
		got = read(in, buffer, OPEN_COPY_BYTES);
		if (got < 0 || (got > 0 && write(out, buffer, (size_t)got) != got))
			rc = -EIO;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(buffer);
	return rc;
}

static const char open_for_reading[] =
	"PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
	"SELECT count(*) FROM run";
static const char open_for_writing[] =
	"PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
	"PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; SELECT count(*) FROM run";

/* The first query: SQLite undoes what a killed writer left. */
static int open_database(struct nslab_store *store, const char *path)
{
	int rc = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE, NULL);

	if (!store->db)
		return SQLITE_NOMEM;
	sqlite3_busy_timeout(store->db, OPEN_BUSY_MS);
	sqlite3_extended_result_codes(store->db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(store->db, store->is_writer ? open_for_writing : open_for_reading,
				  NULL, NULL, NULL);
	return rc;
}

/* Opens a private copy with its journal; the names are gone when this returns. */
static int open_private(struct nslab_store *store, const char *path)
{
	const char *tmp = getenv("TMPDIR");
	char dir[512], file[640], journal[640], from[4200];
	int rc = SQLITE_CANTOPEN;

	snprintf(dir, sizeof(dir), "%s/numaslab-XXXXXX", tmp && strlen(tmp) < 400 ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return rc;
	snprintf(file, sizeof(file), "%s/run.db", dir);
	snprintf(journal, sizeof(journal), "%s/run.db-journal", dir);
	snprintf(from, sizeof(from), "%s-journal", path);
	if (!open_copy_file(path, file) && !open_copy_file(from, journal)) {
		sqlite3_close(store->db);
		store->db = NULL;
		rc = open_database(store, file);
	}
	unlink(journal);
	unlink(file);
	rmdir(dir);
	return rc;
}

static int open_schema(sqlite3 *db)
{
	sqlite3_stmt *statement;
	int schema = 0;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		schema = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return schema;
}

static int open_copy_database(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

	if (!backup)
		return sqlite3_errcode(to);
	sqlite3_backup_step(backup, -1);
	return sqlite3_backup_finish(backup);
}

/* Older tables become today's in a copy in memory, step by step. */
static int open_migrate(struct nslab_store *store, int schema, struct nslab_err *err)
{
	sqlite3 *copy = NULL;
	int code = sqlite3_open(":memory:", &copy);

	if (code == SQLITE_OK)
		code = open_copy_database(store->db, copy);
	for (int from = schema; code == SQLITE_OK && from < NSLAB_STORE_SCHEMA; from++)
		code = sqlite3_exec(copy, nslab_schema_migrations[from - 1], NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(copy, open_for_reading, NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		nslab_fail(err, -EINVAL, "cannot bring '%s' from schema %d to %d: %s", store->path,
			   schema, NSLAB_STORE_SCHEMA, copy ? sqlite3_errmsg(copy) : "no memory");
		sqlite3_close(copy);
		return -EINVAL;
	}
	sqlite3_close(store->db);
	store->db = copy;
	return 0;
}

static int open_as_schema(struct nslab_store *store, struct nslab_err *err)
{
	int schema = open_schema(store->db);

	if (schema < 1)
		return nslab_fail(err, -EINVAL, "'%s' has no schema: it is damaged", store->path);
	if (schema == NSLAB_STORE_SCHEMA)
		return store->is_writer ? nslab_store_prepare_writing(store, err) : 0;
	if (store->is_writer)
		return nslab_fail(err, -EINVAL,
				  "cannot go on with '%s': it has schema %d, this numaslab writes "
				  "%d; the numaslab that began it can",
				  store->path, schema, NSLAB_STORE_SCHEMA);
	return open_migrate(store, schema, err);
}

static int open_store(const char *path, bool is_writer, struct nslab_store **result,
		      struct nslab_err *err)
{
	struct nslab_store *store;
	int rc = open_check(path, err);
	int code;

	if (rc)
		return rc;
	store = calloc(1, sizeof(*store));
	if (!store)
		return nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", path);
	store->is_writer = is_writer;
	store->path = strdup(path);
	store->texts = nslab_texts_create();
	if (!store->path || !store->texts) {
		rc = nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", path);
		goto close;
	}
	code = open_database(store, path);
	if (((code & 0xff) == SQLITE_READONLY || (code & 0xff) == SQLITE_CANTOPEN) &&
	    open_has_journal(path) && !is_writer)
		code = open_private(store, path);
	if (code == SQLITE_ERROR) {
		rc = nslab_fail(err, -EINVAL,
				"'%s' holds no run: it was stopped before the first record", path);
		goto close;
	}
	if (code != SQLITE_OK) {
		rc = store->db ? nslab_store_failed(store, "read", err)
			       : nslab_fail(err, -ENOMEM, "cannot read '%s'", path);
		goto close;
	}
	rc = open_as_schema(store, err);
	if (rc)
		goto close;
	*result = store;
	return 0;
close:
	nslab_store_close(store);
	return rc;
}

int nslab_store_open(const char *path, struct nslab_store **store, struct nslab_err *err)
{
	return open_store(path, false, store, err);
}

int nslab_store_reopen(const char *path, struct nslab_store **store, struct nslab_err *err)
{
	return open_store(path, true, store, err);
}

int nslab_store_copy(struct nslab_store *store, const char *path, struct nslab_err *err)
{
	sqlite3_backup *backup;
	sqlite3 *copy = NULL;
	int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	int rc = 0;

	backup = code == SQLITE_OK ? sqlite3_backup_init(copy, "main", store->db, "main") : NULL;
	if (backup) {
		sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup);
	}
	if (!copy || sqlite3_errcode(copy) != SQLITE_OK)
		rc = nslab_fail(err, -EIO, "cannot copy the run to '%s': %s", path,
				copy ? sqlite3_errmsg(copy) : "out of memory");
	sqlite3_close(copy);
	return rc;
}

int nslab_run_path(const char *operand, char *path, size_t path_bytes, struct nslab_err *err)
{
	struct stat st;
	int len, rc;

	if (stat(operand, &st)) {
		rc = -errno;
		return nslab_fail(err, rc,
				  "cannot open '%s': %s; give a run's folder or its run.db",
				  operand, strerror(-rc));
	}
	if (S_ISDIR(st.st_mode))
		len = snprintf(path, path_bytes, "%s%srun.db", operand,
			       operand[strlen(operand) - 1] == '/' ? "" : "/");
	else
		len = snprintf(path, path_bytes, "%s", operand);
	if (len < 0 || (size_t)len >= path_bytes)
		return nslab_fail(err, -ENAMETOOLONG, "cannot open '%s': the path is too long",
				  operand);
	if (S_ISDIR(st.st_mode) && access(path, F_OK))
		return nslab_fail(err, -ENOENT, "cannot open '%s': the folder has no run.db",
				  operand);
	return 0;
}

void nslab_run_file_close(struct nslab_run_file *file)
{
	nslab_cell_list_free(file->list);
	nslab_store_close(file->store);
	file->list = NULL;
	file->store = NULL;
}

int nslab_run_file_open(const char *operand, struct nslab_run_file *file, struct nslab_err *err)
{
	int rc;

	file->store = NULL;
	file->list = NULL;
	rc = nslab_run_path(operand, file->path, sizeof(file->path), err);
	if (!rc)
		rc = nslab_store_open(file->path, &file->store, err);
	if (!rc)
		rc = nslab_store_run(file->store, &file->run, file->status, &file->harness_ns, err);
	if (!rc)
		rc = nslab_store_cells(file->store, &file->list, err);
	if (rc)
		nslab_run_file_close(file);
	return rc;
}
