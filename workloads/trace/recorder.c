/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder.c: a private tracefs instance, from its making to its end.
 *
 * Everything happens in an instance of our own ("numaslab-PID"), so tracing by others and ours do
 * not disturb each other, and removing the folder ends it all. It is removed on every way out; an
 * instance that a killed recorder left is removed by the next recorder, which knows it by a
 * process that is no more. Events leave the kernel as raw pages, hence with true addresses; the
 * trace clock is the monotonic one, the same on all CPUs. Reading is recorder_merge.c, decoding
 * recorder_events.c. Left out: kmem_cache_alloc_bulk and kfree_rcu, of which no kernel has an
 * event.
 */
#define _GNU_SOURCE
#include "workloads/trace/recorder.h"

#include "workloads/trace/recorder_host.h"
#include "workloads/trace/recorder_merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <tracefs/tracefs.h>
#include <unistd.h>

#define INSTANCE_PREFIX "numaslab-"
#define MIB		(1ull << 20)

struct nslab_recorder {
	struct tracefs_instance *instance;
	struct nslab_recorder_events *events;
	struct nslab_recorder_merge *merge;
	struct nslab_trace_writer *writer;
	struct nslab_recorder_caches *caches;
	unsigned *cpus; /* the kernel's numbers */
	unsigned nr_cpus, buffer_mib;
};

/* ---- what the host allows ---- */

static bool recorder_is_locked_down(void)
{
	char text[128] = "";
	FILE *in = fopen("/sys/kernel/security/lockdown", "re");
	bool is_locked = false;

	if (!in)
		return false;
	if (fgets(text, sizeof(text), in))
		is_locked = strstr(text, "[confidentiality]") != NULL;
	fclose(in);
	return is_locked;
}

/* Why `what` failed with `number`, and what to do about it. */
static int recorder_refused(struct nslab_err *err, int number, const char *what)
{
	const char *advice = "";

	if ((number == EACCES || number == EPERM) && recorder_is_locked_down())
		advice = "; the kernel is locked down ([confidentiality] in "
			 "/sys/kernel/security/lockdown), which forbids tracing";
	else if ((number == EACCES || number == EPERM) && geteuid())
		advice = "; recording needs root";
	return nslab_fail(err, -number, "cannot %s: %s%s", what, strerror(number), advice);
}

/* Where instances are made, if tracefs is mounted anywhere. */
static bool recorder_instances_folder(char path[])
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount = NULL;

	while (mounts && (mount = getmntent(mounts)) && strcmp(mount->mnt_type, "tracefs"))
		;
	if (mount)
		snprintf(path, PATH_MAX, "%s/instances", mount->mnt_dir);
	if (mounts)
		endmntent(mounts);
	return mount != NULL;
}

/* Asked before the library is, which leaks where it is refused (1.6). */
static int recorder_find_tracefs(struct nslab_err *err)
{
	char path[PATH_MAX], what[PATH_MAX + 64];

	if (recorder_instances_folder(path)) {
		snprintf(what, sizeof(what), "make a tracing instance in '%s'", path);
		return access(path, W_OK) ? recorder_refused(err, errno, what) : 0;
	}
	if (access("/sys/kernel/tracing", F_OK))
		return nslab_fail(err, -ENOENT,
				  "no tracing in this kernel: '/sys/kernel/tracing' is not there");
	return nslab_fail(err, -ENOENT,
			  "tracefs is not mounted; as root: mount -t tracefs nodev "
			  "/sys/kernel/tracing");
}

/* ---- the instance ---- */

static int recorder_write(struct nslab_recorder *r, const char *file, const char *text,
			  struct nslab_err *err)
{
	char what[128];

	errno = 0;
	if (tracefs_instance_file_write(r->instance, file, text) >= 0)
		return 0;
	snprintf(what, sizeof(what), "write '%s' into '%s' of the tracing instance", text, file);
	return recorder_refused(err, errno ? errno : EIO, what);
}

/* Instances of recorders that are no more. */
static void recorder_remove_stale(void)
{
	char **names = tracefs_instances(NULL);

	for (char **name = names; name && *name; name++) {
		struct tracefs_instance *stale;
		int pid;

		if (sscanf(*name, INSTANCE_PREFIX "%d", &pid) != 1 || pid <= 0 || !kill(pid, 0) ||
		    errno != ESRCH)
			continue;
		stale = tracefs_instance_alloc(NULL, *name);
		if (stale) {
			tracefs_instance_destroy(stale);
			tracefs_instance_free(stale);
		}
	}
	tracefs_list_free(names);
}

static int recorder_make_instance(struct nslab_recorder *r, struct nslab_err *err)
{
	char name[64];

	recorder_remove_stale();
	snprintf(name, sizeof(name), INSTANCE_PREFIX "%d", (int)getpid());
	errno = 0;
	r->instance = tracefs_instance_create(name);
	if (r->instance)
		return recorder_write(r, "tracing_on", "0", err);
	return recorder_refused(err, errno ? errno : EACCES, "make a tracing instance");
}

/* The CPUs that the instance has buffers of; offline ones may come online. */
static int recorder_find_cpus(struct nslab_recorder *r, struct nslab_err *err)
{
	char *path = tracefs_instance_get_file(r->instance, "per_cpu");
	DIR *folder = path ? opendir(path) : NULL;
	struct dirent *entry;
	int rc = 0;

	if (!folder)
		rc = recorder_refused(err, errno, "list the CPUs of the tracing instance");
	while (!rc && (entry = readdir(folder))) {
		unsigned cpu, *cpus;

		if (sscanf(entry->d_name, "cpu%u", &cpu) != 1)
			continue;
		cpus = realloc(r->cpus, (r->nr_cpus + 1) * sizeof(*cpus));
		if (!cpus) {
			rc = nslab_fail(err, -ENOMEM, "no memory for the list of CPUs");
			break;
		}
		r->cpus = cpus;
		cpus[r->nr_cpus++] = cpu;
	}
	if (folder)
		closedir(folder);
	tracefs_put_tracing_file(path);
	return rc;
}

static int recorder_set_buffers(struct nslab_recorder *r, unsigned buffer_mib,
				struct nslab_err *err)
{
	char text[32];
	struct sysinfo info;

	r->buffer_mib = buffer_mib ? buffer_mib : NSLAB_RECORDER_BUFFER_MIB;
	if (!buffer_mib && !sysinfo(&info)) {
		uint64_t ram_mib = (uint64_t)info.totalram * info.mem_unit / MIB;

		/* an offline CPU has no buffer */
		while (r->buffer_mib > 1 &&
		       (uint64_t)r->buffer_mib * (unsigned)get_nprocs() > ram_mib / 8)
			r->buffer_mib /= 2;
	}
	snprintf(text, sizeof(text), "%u", r->buffer_mib * 1024);
	return recorder_write(r, "buffer_size_kb", text, err);
}

/* Reads the formats of the events that this kernel has, and enables them. */
static int recorder_enable(struct nslab_recorder *r, struct nslab_err *err)
{
	unsigned nr_events = 0;

	for (const char *const *name = nslab_recorder_event_names; *name; name++) {
		char file[64];
		char *text;
		int bytes = 0;
		int rc;

		if (!tracefs_event_file_exists(r->instance, "kmem", *name, "format"))
			continue;
		text = tracefs_event_file_read(r->instance, "kmem", *name, "format", &bytes);
		if (!text)
			return recorder_refused(err, errno ? errno : EIO, "read an event's format");
		rc = nslab_recorder_events_format(r->events, text, (size_t)bytes, err);
		free(text);
		snprintf(file, sizeof(file), "events/kmem/%s/enable", *name);
		if (!rc)
			rc = recorder_write(r, file, "1", err);
		if (rc)
			return rc;
		nr_events++;
	}
	return nr_events ? 0 : nslab_fail(err, -ENOENT, "this kernel has no kmem events");
}

static size_t recorder_page_bytes(struct nslab_recorder *r)
{
	long long kib;

	/* kernels before 6.8 have no such file: one page */
	if (!tracefs_instance_file_read_number(r->instance, "buffer_subbuf_size_kb", &kib) &&
	    kib > 0)
		return (size_t)kib * 1024;
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int recorder_open_cpus(struct nslab_recorder *r, struct nslab_err *err)
{
	int rc = nslab_recorder_merge_new(r->events, r->writer, recorder_page_bytes(r), &r->merge);

	for (unsigned i = 0; !rc && i < r->nr_cpus; i++) {
		char file[64];
		int fd;

		snprintf(file, sizeof(file), "per_cpu/cpu%u/trace_pipe_raw", r->cpus[i]);
		fd = tracefs_instance_file_open(r->instance, file,
						O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return recorder_refused(err, errno ? errno : EIO, "open a CPU's events");
		rc = nslab_recorder_merge_cpu(r->merge, r->cpus[i], fd);
	}
	return rc ? nslab_fail(err, rc, "cannot read events: %s", strerror(-rc)) : 0;
}

static int recorder_setup(struct nslab_recorder *r, unsigned buffer_mib, struct nslab_err *err)
{
	int rc = recorder_make_instance(r, err);

	if (!rc)
		rc = recorder_find_cpus(r, err);
	if (!rc)
		rc = recorder_write(r, "trace_clock", "mono", err);
	/* matters to who looks into the instance while it lives; the raw pages are never hashed */
	if (!rc && tracefs_file_exists(r->instance, "options/hash-ptr"))
		rc = recorder_write(r, "options/hash-ptr", "0", err);
	if (!rc)
		rc = recorder_set_buffers(r, buffer_mib, err);
	if (!rc)
		rc = recorder_enable(r, err);
	return rc ? rc : recorder_open_cpus(r, err);
}

/* ---- the trace ---- */

static int recorder_create(struct nslab_recorder *r, const struct nslab_recorder_options *options,
			   struct nslab_err *err)
{
	struct utsname name;
	struct nslab_trace_info info = {
		.source = "record",
		.command = options->command ? options->command : "",
		.clock = "mono",
		.page_bytes = sysconf(_SC_PAGESIZE),
		.has_pages = true,
	};

	if (uname(&name))
		return nslab_fail(err, -errno, "cannot ask the kernel for its name: %s",
				  strerror(errno));
	info.kernel = name.release;
	info.machine = name.machine;
	return nslab_trace_writer_create(options->path, &info, &r->writer, err);
}

static int recorder_symbols(struct nslab_recorder *r, struct nslab_err *err)
{
	FILE *in = fopen("/proc/kallsyms", "re");
	char *text = NULL;
	size_t nr_bytes = 0;
	int rc = 0;

	/* without it call sites are numbers, and all else is the same */
	if (!in)
		return 0;
	if (getdelim(&text, &nr_bytes, '\0', in) > 0)
		rc = nslab_recorder_events_symbols(r->events, text);
	free(text);
	fclose(in);
	return rc ? nslab_fail(err, rc, "no memory for the kernel's symbols") : 0;
}

int nslab_recorder_open(const struct nslab_recorder_options *options,
			struct nslab_recorder **recorder, struct nslab_err *err)
{
	struct nslab_recorder *r;
	int rc;

	*recorder = NULL;
	if (options->buffer_mib > NSLAB_RECORDER_MAX_BUFFER_MIB)
		return nslab_fail(err, -EINVAL, "a buffer of %u MiB for each CPU is beyond %u",
				  options->buffer_mib, NSLAB_RECORDER_MAX_BUFFER_MIB);
	rc = recorder_find_tracefs(err);
	if (rc)
		return rc;
	r = calloc(1, sizeof(*r));
	rc = r ? nslab_recorder_events_new(getpid(), &r->events) : -ENOMEM;
	if (rc)
		nslab_fail(err, rc, "no memory for the recorder");
	if (!rc)
		rc = recorder_create(r, options, err);
	if (!rc)
		rc = recorder_setup(r, options->buffer_mib, err);
	if (!rc)
		rc = recorder_symbols(r, err);
	if (rc)
		nslab_recorder_close(r);
	else
		*recorder = r;
	return rc;
}

void nslab_recorder_close(struct nslab_recorder *r)
{
	if (!r)
		return;
	nslab_recorder_merge_free(r->merge); /* an open file would keep the instance */
	if (r->instance) {
		tracefs_instance_destroy(r->instance);
		tracefs_instance_free(r->instance);
	}
	nslab_recorder_caches_free(r->caches);
	nslab_recorder_events_free(r->events);
	nslab_trace_writer_destroy(r->writer);
	free(r->cpus);
	free(r);
}

/* ---- while it runs ---- */

int nslab_recorder_start(struct nslab_recorder *r, struct nslab_err *err)
{
	int rc = nslab_recorder_caches_before("", &r->caches, err);

	return rc ? rc : recorder_write(r, "tracing_on", "1", err);
}

int nslab_recorder_round(struct nslab_recorder *r, struct nslab_err *err)
{
	return nslab_recorder_merge_round(r->merge, false, err);
}

/* ---- the end ---- */

/* What the kernel says that a CPU lost, whichever way. */
static int recorder_read_lost(struct nslab_recorder *r, unsigned cpu, uint64_t *nr_lost,
			      struct nslab_err *err)
{
	static const char *const words[] = {"overrun:", "commit overrun:", "dropped events:"};
	char file[64];
	char *text;

	*nr_lost = 0;
	snprintf(file, sizeof(file), "per_cpu/cpu%u/stats", cpu);
	errno = 0;
	text = tracefs_instance_file_read(r->instance, file, NULL);
	if (!text)
		return recorder_refused(err, errno ? errno : EIO, "read how many events were lost");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (!strncmp(line, words[i], strlen(words[i])))
				*nr_lost += strtoull(line + strlen(words[i]), NULL, 10);
		}
	}
	free(text);
	return 0;
}

static int recorder_count_lost(struct nslab_recorder *r, struct nslab_recorder_result *result,
			       struct nslab_err *err)
{
	for (unsigned i = 0; i < r->nr_cpus; i++) {
		uint64_t nr_lost;
		int rc = recorder_read_lost(r, r->cpus[i], &nr_lost, err);

		if (!rc)
			rc = nslab_recorder_merge_lost(r->merge, r->cpus[i], nr_lost, err);
		if (rc)
			return rc;
		result->nr_lost += nr_lost;
	}
	return 0;
}

static int recorder_finish(struct nslab_recorder *r, struct nslab_recorder_result *result,
			   struct nslab_err *err)
{
	int rc = nslab_recorder_cpus_write("", r->writer, err);

	if (!rc)
		rc = nslab_recorder_caches_write("", r->caches, r->writer, err);
	if (!rc)
		rc = nslab_trace_writer_finish(r->writer, err);
	if (rc)
		return rc;
	for (int kind = 0; kind < NSLAB_TRACE_NR_EVENT_KINDS; kind++)
		result->nr_events += nslab_trace_writer_tally(r->writer)->events[kind];
	result->nr_own = nslab_recorder_events_nr_own(r->events);
	result->nr_late = nslab_recorder_merge_nr_late(r->merge);
	result->nr_cpus = r->nr_cpus;
	result->buffer_mib = r->buffer_mib;
	return 0;
}

int nslab_recorder_stop(struct nslab_recorder *r, struct nslab_recorder_result *result,
			struct nslab_err *err)
{
	int rc = recorder_write(r, "tracing_on", "0", err);

	*result = (struct nslab_recorder_result){0};
	if (!rc)
		rc = nslab_recorder_caches_after("", r->caches, err);
	while (!rc) {
		rc = nslab_recorder_merge_round(r->merge, true, err);
		if (rc <= 0)
			break;
		rc = 0;
	}
	if (!rc)
		rc = recorder_count_lost(r, result, err);
	return rc ? rc : recorder_finish(r, result, err);
}
