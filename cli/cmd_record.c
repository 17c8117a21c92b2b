/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_record.c: `numaslab record`: the kernel's allocations while a command or some time runs.
 *
 * The command is forked first and held at a pipe until events flow, so the trace begins with it;
 * its standard files are ours. The recorder is called every few milliseconds until the command has
 * ended, the time is up or Ctrl-C came; whatever there is then becomes the file. All that is said
 * goes to stderr, but with --json the figures go to stdout.
 *
 * Exit status: 1 where the command failed (the trace is there all the same), 2 where nothing could
 * be recorded.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "workloads/trace/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECONDS    86400
#define ROUND_NS       20000000l
#define PATIENCE_NS    1000000000l /* that a command gets to end after Ctrl-C */
#define STATUS_RUNNING (-1)

static int record_command(int argc, char **argv);

extern const struct nslab_command nslab_command_record;

const struct nslab_command nslab_command_record = {
	.name = "record",
	.summary = "record the kernel's slab and page allocations into a trace",
	.usage = "--seconds N | -- COMMAND [ARGUMENT...]",
	.run = record_command,
};

struct record_options {
	const char *output;
	long seconds, buffer_mib;
	bool is_json;
	char **command; /* NULL: none */
	char command_text[1024];
};

struct record_state {
	struct nslab_recorder *recorder;
	struct nslab_recorder_result result;
	pid_t child;
	int gate_fd;  /* a byte lets the child go on; its end stops it */
	int error_fd; /* what execvp() failed with, or nothing */
	int status;   /* of the command, 128 + signal */
	uint64_t begin_ns, end_ns;
};

static volatile sig_atomic_t record_is_interrupted;

static void record_on_interrupt(int number)
{
	(void)number;
	record_is_interrupted = 1;
}

/* Only so that a sleep ends. */
static void record_on_child(int number)
{
	(void)number;
}

static void record_catch(void)
{
	struct sigaction interrupt = {.sa_handler = record_on_interrupt, .sa_flags = SA_RESTART};
	struct sigaction child = {.sa_handler = record_on_child, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	sigaction(SIGHUP, &interrupt, NULL);
	sigaction(SIGCHLD, &child, NULL);
}

static uint64_t record_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the command ---- */

static void record_child(char **command, int gate_fd, int error_fd)
{
	char go;
	int number;

	if (read(gate_fd, &go, 1) != 1) /* the recorder gave up */
		_exit(127);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	execvp(command[0], command);
	number = errno;
	if (write(error_fd, &number, sizeof(number)) < 0)
		_exit(126);
	_exit(127);
}

static int record_fork(struct record_state *s, char **command, struct nslab_err *err)
{
	int gate[2], error[2];

	if (pipe2(gate, O_CLOEXEC))
		return nslab_fail(err, -errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(error, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return nslab_fail(err, -errno, "cannot make a pipe: %s", strerror(errno));
	}
	s->child = fork();
	if (!s->child) {
		close(gate[1]);
		record_child(command, gate[0], error[1]);
	}
	close(gate[0]);
	close(error[1]);
	s->gate_fd = gate[1];
	s->error_fd = error[0];
	return s->child < 0 ? nslab_fail(err, -errno, "cannot fork: %s", strerror(errno)) : 0;
}

static bool record_has_ended(struct record_state *s)
{
	int status;

	if (s->child <= 0)
		return false;
	if (s->status == STATUS_RUNNING && waitpid(s->child, &status, WNOHANG) == s->child)
		s->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return s->status != STATUS_RUNNING;
}

static void record_sleep(long ns)
{
	const struct timespec time = {.tv_nsec = ns};

	nanosleep(&time, NULL);
}

/* A command that still runs is asked to end, then made to. */
static void record_end_child(struct record_state *s)
{
	if (s->gate_fd >= 0)
		close(s->gate_fd);
	s->gate_fd = -1;
	if (s->child <= 0 || record_has_ended(s))
		return;
	kill(s->child, SIGTERM);
	for (long waited_ns = 0; !record_has_ended(s) && waited_ns < PATIENCE_NS;
	     waited_ns += ROUND_NS)
		record_sleep(ROUND_NS);
	if (!record_has_ended(s))
		kill(s->child, SIGKILL);
	while (!record_has_ended(s))
		record_sleep(ROUND_NS);
}

/* 0, or -ENOENT and the like when the command could not be started at all. */
static int record_check_started(struct record_state *s, char **command, struct nslab_err *err)
{
	int number;

	if (s->error_fd < 0 || read(s->error_fd, &number, sizeof(number)) != sizeof(number))
		return 0;
	return nslab_fail(err, -number, "cannot run '%s': %s", command[0], strerror(number));
}

/* ---- recording ---- */

static int record_until_end(struct record_state *s, long seconds, struct nslab_err *err)
{
	const uint64_t limit_ns = s->begin_ns + (uint64_t)seconds * 1000000000u;
	int rc = 0;

	while (rc >= 0 && !record_is_interrupted && !record_has_ended(s)) {
		if (seconds && record_now_ns() >= limit_ns)
			break;
		rc = nslab_recorder_round(s->recorder, err);
		if (!rc)
			record_sleep(ROUND_NS);
	}
	return rc < 0 ? rc : 0;
}

static int record_run(struct record_state *s, const struct record_options *o, struct nslab_err *err)
{
	const struct nslab_recorder_options options = {.path = o->output,
						       .command = o->command_text,
						       .buffer_mib = (unsigned)o->buffer_mib};
	int rc = nslab_recorder_open(&options, &s->recorder, err);

	if (!rc && o->command)
		rc = record_fork(s, o->command, err);
	if (!rc)
		rc = nslab_recorder_start(s->recorder, err);
	if (rc)
		return rc;
	s->begin_ns = record_now_ns();
	if (o->command && write(s->gate_fd, "", 1) != 1)
		return nslab_fail(err, -errno, "cannot start '%s': %s", o->command[0],
				  strerror(errno));
	rc = record_until_end(s, o->seconds, err);
	s->end_ns = record_now_ns();
	if (!rc && s->child > 0 && record_has_ended(s))
		rc = record_check_started(s, o->command, err);
	return rc ? rc : nslab_recorder_stop(s->recorder, &s->result, err);
}

/* ---- the report ---- */

static int record_print_json(const struct record_state *s, const struct record_options *o,
			     double seconds, long long nr_bytes, struct nslab_err *err)
{
	const struct nslab_recorder_result *r = &s->result;
	json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:I, s:i, s:i}", "file", o->output,
				 "events", (json_int_t)r->nr_events, "own_events",
				 (json_int_t)r->nr_own, "lost_events", (json_int_t)r->nr_lost,
				 "late_events", (json_int_t)r->nr_late, "seconds", seconds,
				 "file_bytes", (json_int_t)nr_bytes, "cpus", (int)r->nr_cpus,
				 "buffer_mib_per_cpu", (int)r->buffer_mib);
	int rc = -ENOMEM;

	if (json) {
		json_object_set_new(json, "command_status",
				    s->child > 0 ? json_integer(s->status) : json_null());
		rc = json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? -EIO : 0;
		putchar('\n');
	}
	json_decref(json);
	if (!rc && fflush(stdout))
		rc = -errno;
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

static int record_report(const struct record_state *s, const struct record_options *o,
			 struct nslab_err *err)
{
	const struct nslab_recorder_result *r = &s->result;
	double seconds = (double)(s->end_ns - s->begin_ns) / 1e9;
	long long nr_bytes = 0;
	struct stat file;

	if (!stat(o->output, &file))
		nr_bytes = file.st_size;
	fprintf(stderr,
		"recorded %" PRIu64 " events in %.2f s (%.0f/s) on %u CPUs with %u MiB each\n"
		"left out %" PRIu64 " events of the recorder itself; lost %" PRIu64 "\n"
		"wrote '%s': %lld bytes, %.1f for an event\n",
		r->nr_events, seconds, seconds > 0 ? (double)r->nr_events / seconds : 0.0,
		r->nr_cpus, r->buffer_mib, r->nr_own, r->nr_lost, o->output, nr_bytes,
		r->nr_events ? (double)nr_bytes / (double)r->nr_events : 0.0);
	if (r->nr_lost)
		fprintf(stderr,
			"warning: %" PRIu64 " events were lost; try --buffer %u or a less busy "
			"machine\n",
			r->nr_lost, r->buffer_mib * 4);
	if (r->nr_late)
		fprintf(stderr, "note: %" PRIu64 " events came late; their times were moved up\n",
			r->nr_late);
	if (s->child > 0 && s->status)
		fprintf(stderr, "'%s' ended with status %d\n", o->command[0], s->status);
	return o->is_json ? record_print_json(s, o, seconds, nr_bytes, err) : 0;
}

/* ---- options ---- */

static void record_command_text(struct record_options *o)
{
	size_t at = 0;

	for (char **word = o->command; word && *word && at < sizeof(o->command_text); word++)
		at += (size_t)snprintf(o->command_text + at, sizeof(o->command_text) - at, "%s%s",
				       at ? " " : "", *word);
}

static int record_check(struct record_options *o, char **argv, int nr_operands,
			struct nslab_err *err)
{
	argv[1 + nr_operands] = NULL;
	o->command = nr_operands ? argv + 1 : NULL;
	if (o->command && o->seconds != -1)
		return nslab_fail(err, -EINVAL, "give --seconds or a command, not both ('%s')",
				  o->command[0]);
	if (!o->command && o->seconds == -1)
		return nslab_fail(err, -EINVAL,
				  "nothing to record: give --seconds N, or -- COMMAND");
	if (o->seconds != -1 && (o->seconds < 1 || o->seconds > MAX_SECONDS))
		return nslab_fail(err, -EINVAL, "option '--seconds' takes 1..%d, not %ld",
				  MAX_SECONDS, o->seconds);
	if (o->buffer_mib != -1 &&
	    (o->buffer_mib < 1 || o->buffer_mib > NSLAB_RECORDER_MAX_BUFFER_MIB))
		return nslab_fail(err, -EINVAL, "option '--buffer' takes 1..%d MiB, not %ld",
				  NSLAB_RECORDER_MAX_BUFFER_MIB, o->buffer_mib);
	o->seconds = o->seconds == -1 ? 0 : o->seconds;
	o->buffer_mib = o->buffer_mib == -1 ? 0 : o->buffer_mib;
	record_command_text(o);
	return 0;
}

static int record_command(int argc, char **argv)
{
	struct record_options o = {.output = "numaslab.nstrace", .seconds = -1, .buffer_mib = -1};
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &o.output, "FILE",
		 "the trace, numaslab.nstrace unless told"},
		{"seconds", 's', NSLAB_OPTION_INT, &o.seconds, "N",
		 "record everything for so long (Ctrl-C ends it sooner)"},
		{"buffer", 'b', NSLAB_OPTION_INT, &o.buffer_mib, "MIB",
		 "the kernel's buffer of each CPU, 16 unless told"},
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print the figures as JSON"},
		{.name = NULL},
	};
	struct record_state s = {.gate_fd = -1, .error_fd = -1, .status = STATUS_RUNNING};
	struct nslab_err err = {""};
	int nr_operands, rc;

	rc = nslab_options_parse(&nslab_command_record, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	rc = record_check(&o, argv, nr_operands, &err);
	record_catch();
	if (!rc)
		rc = record_run(&s, &o, &err);
	record_end_child(&s);
	nslab_recorder_close(s.recorder);
	if (s.error_fd >= 0)
		close(s.error_fd);
	if (!rc)
		rc = record_report(&s, &o, &err);
	if (rc)
		return nslab_complain(&err, rc);
	return s.child > 0 && s.status && !record_is_interrupted ? NSLAB_EXIT_FAILED
								 : NSLAB_EXIT_DONE;
}
