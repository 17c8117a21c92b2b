/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * launch.c: fork, exec, feed, wait, and name what went wrong.
 *
 * The description goes in through a memory file as standard input, the result comes back on a pipe
 * as standard output, and what the child says on standard error is kept in a second memory file for
 * the cause. The child gets a process group of its own, so that Ctrl-C on the terminal stops the
 * run after the trial and not inside it, and dies with its parent, so that kill -9 of the run
 * leaves nothing behind. A random padding of 0 to 4 KiB in the environment moves the stack, as
 * another user name or folder would: results then sample that layout effect instead of hiding it.
 *
 * The supervisor sleeps in poll(2) while the trial runs. A trial that eats memory is refused more
 * at a limit, and is the one that the kernel's OOM killer takes should memory run out before.
 */
#define _GNU_SOURCE
#include "runner/launch.h"

#include "core/clock.h"
#include "core/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PADDING_BYTES	    4096
#define MEMORY_FULL_PERCENT 75
#define OWN_PROGRAM	    "/proc/self/exe"
#define WRAPPER_WORDS	    32 /* at most, with our own */

extern char **environ;

struct child {
	pid_t pid;
	int spec_fd;	/* memory file: its standard input */
	int result_fd;	/* our end of the pipe */
	int result_out; /* its end */
	int stderr_fd;	/* memory file */
	char *text;	/* what came through the pipe */
	size_t nr_bytes, nr_room;
	bool is_timed_out;
	uint64_t peak_bytes; /* resident */
};

static int write_all(int fd, const char *text, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, text, bytes);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			bytes -= (size_t)n;
		}
	}
	return 0;
}

static int child_files(struct child *child, const json_t *spec)
{
	char *text = json_dumps(spec, JSON_COMPACT);
	int pipe_fds[2];
	int rc;

	child->spec_fd = memfd_create("trial", MFD_CLOEXEC);
	child->stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (!text || child->spec_fd < 0 || child->stderr_fd < 0 || pipe2(pipe_fds, O_CLOEXEC)) {
		rc = text ? -errno : -ENOMEM;
		free(text);
		return rc;
	}
	child->result_fd = pipe_fds[0];
	child->result_out = pipe_fds[1];
	rc = write_all(child->spec_fd, text, strlen(text));
	free(text);
	return lseek(child->spec_fd, 0, SEEK_SET) < 0 ? -errno : rc;
}

/* environ with LD_PRELOAD and the padding; the strings live until the child has exec'ed. */
static char **child_environment(const struct nslab_launch *launch, char *preload,
				size_t preload_bytes, char *padding)
{
	uint64_t state = launch->seed;
	size_t len = nslab_rng_below(&state, PADDING_BYTES);
	size_t nr = 0;
	char **env;

	while (environ[nr])
		nr++;
	env = calloc(nr + 3, sizeof(*env));
	if (!env)
		return NULL;
	memcpy(env, environ, nr * sizeof(*env));
	snprintf(padding, 16, "NUMASLAB_PAD=");
	memset(padding + 13, 'x', len);
	padding[13 + len] = '\0';
	env[nr++] = padding;
	if (launch->preload) {
		snprintf(preload, preload_bytes, "LD_PRELOAD=%s", launch->preload);
		env[nr++] = preload;
	}
	return env;
}

/*
 * Private memory, not address space: allocators reserve far more than they touch. Sanitizers keep
 * private memory of their own, far beyond any limit that means something.
 */
static void child_limit_memory(uint64_t bytes)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	const struct rlimit limit = {bytes, bytes};

	setrlimit(RLIMIT_DATA, &limit);
#else
	(void)bytes;
#endif
}

/* Where memory runs out all the same, the kernel is to shoot the trial and not the run. */
static void child_offer_to_oom_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, "1000", 4);
		close(fd);
	}
}

/* The same behind another command, which must be told where the program really lies. */
static void child_exec_wrapped(const char *const *wrapper, char **env)
{
	const char *argv[WRAPPER_WORDS] = {NULL};
	char program[4096] = "";
	size_t nr = 0;

	while (wrapper[nr] && nr < WRAPPER_WORDS - 3) {
		argv[nr] = wrapper[nr];
		nr++;
	}
	if (readlink(OWN_PROGRAM, program, sizeof(program) - 1) > 0) {
		argv[nr++] = program;
		argv[nr] = "trial";
		execvpe(argv[0], (char *const *)(uintptr_t)argv, env);
	}
	dprintf(STDERR_FILENO, "cannot start '%s': %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void child_exec(const struct child *child, const struct nslab_launch *launch, char **env,
		       pid_t parent)
{
	char *argv[] = {(char *)(uintptr_t) "numaslab", (char *)(uintptr_t) "trial", NULL};

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before the line above */
		_exit(127);
	child_offer_to_oom_killer();
	if (launch->memory_bytes)
		child_limit_memory(launch->memory_bytes + launch->arena_bytes);
	dup2(child->spec_fd, STDIN_FILENO);
	dup2(child->result_out, STDOUT_FILENO);
	dup2(child->stderr_fd, STDERR_FILENO);
	if (launch->wrapper)
		child_exec_wrapped(launch->wrapper, env);
	execve(OWN_PROGRAM, argv, env);
	dprintf(STDERR_FILENO, "cannot start '%s': %s\n", OWN_PROGRAM, strerror(errno));
	_exit(127);
}

static int child_start(struct child *child, const struct nslab_launch *launch)
{
	char padding[PADDING_BYTES + 16];
	char preload[4200];
	char **env = child_environment(launch, preload, sizeof(preload), padding);
	pid_t parent = getpid();

	if (!env)
		return -ENOMEM;
	child->pid = fork();
	if (!child->pid)
		child_exec(child, launch, env, parent);
	free(env);
	close(child->result_out);
	child->result_out = -1;
	return child->pid < 0 ? -errno : 0;
}

static int child_take(struct child *child)
{
	ssize_t n;

	if (child->nr_room - child->nr_bytes < 4096) {
		size_t room = child->nr_room * 2 + 65536;
		char *text = realloc(child->text, room);

		if (!text)
			return -ENOMEM;
		child->text = text;
		child->nr_room = room;
	}
	n = read(child->result_fd, child->text + child->nr_bytes,
		 child->nr_room - child->nr_bytes - 1);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	child->nr_bytes += (size_t)n;
	return n > 0;
}

/* Reads until the child closes its end or its time is up. */
static void child_read(struct child *child, uint64_t deadline_ns)
{
	struct pollfd pollfd = {.fd = child->result_fd, .events = POLLIN};

	for (;;) {
		uint64_t now_ns = nslab_now_ns(&nslab_real_clock);
		int rc;

		if (now_ns >= deadline_ns) {
			child->is_timed_out = true;
			kill(-child->pid, SIGKILL);
			kill(child->pid, SIGKILL);
			return;
		}
		rc = poll(&pollfd, 1, (int)((deadline_ns - now_ns) / 1000000) + 1);
		if (rc > 0 && child_take(child) <= 0)
			return;
	}
}

/* The last line of what the child said, without its end. */
static void child_last_words(const struct child *child, char *line, size_t line_bytes)
{
	char text[4096];
	off_t size = lseek(child->stderr_fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(child->stderr_fd, text, sizeof(text) - 1, from);
	char *last;

	line[0] = '\0';
	if (n <= 0)
		return;
	text[n] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	last = strrchr(text, '\n');
	snprintf(line, line_bytes, "%.*s", (int)line_bytes - 1, last ? last + 1 : text);
}

/* A trial that failed with all the memory that it may have failed for want of more. */
static void explain_memory(const struct child *child, int status, const struct nslab_launch *launch,
			   struct nslab_launch_result *result)
{
	bool is_shot = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	bool is_full = launch->memory_bytes &&
		       child->peak_bytes >= launch->memory_bytes / 100 * MEMORY_FULL_PERCENT;
	char what[400];

	if (!result->cause[0] || child->is_timed_out || (!is_shot && !is_full))
		return;
	snprintf(what, sizeof(what), "%.399s", result->cause);
	snprintf(result->cause, sizeof(result->cause), "memory: it held %" PRIu64 " MiB%s: %s",
		 child->peak_bytes >> 20, is_full ? ", all that it may" : " when it was killed",
		 what);
}

static void explain(const struct child *child, int status, const struct nslab_launch *launch,
		    struct nslab_launch_result *result)
{
	char words[256];
	const char *error;

	child_last_words(child, words, sizeof(words));
	if (child->is_timed_out)
		snprintf(result->cause, sizeof(result->cause), "hang: no result after %g s",
			 (double)launch->time_limit_ns / 1e9);
	else if (WIFSIGNALED(status))
		snprintf(result->cause, sizeof(result->cause), "crash: SIG%s%s%s",
			 sigabbrev_np(WTERMSIG(status)), *words ? ": " : "", words);
	else if (WEXITSTATUS(status))
		snprintf(result->cause, sizeof(result->cause), "exit status %d%s%s",
			 WEXITSTATUS(status), *words ? ": " : "", words);
	else if (!result->document)
		snprintf(result->cause, sizeof(result->cause), "the trial wrote no result");
	error = json_string_value(json_object_get(result->document, "error"));
	if (error && !child->is_timed_out && !WIFSIGNALED(status))
		snprintf(result->cause, sizeof(result->cause), "%s", error);
	explain_memory(child, status, launch, result);
}

static void child_finish(struct child *child, const struct nslab_launch *launch,
			 struct nslab_launch_result *result)
{
	struct rusage usage = {.ru_maxrss = 0};
	int status = 0;

	while (wait4(child->pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	child->peak_bytes = (uint64_t)usage.ru_maxrss << 10;
	result->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (child->text)
		result->document = json_loadb(child->text, child->nr_bytes, 0, NULL);
	explain(child, status, launch, result);
}

int nslab_launch_trial(const struct nslab_launch *launch, struct nslab_launch_result *result)
{
	struct child child = {.spec_fd = -1, .result_fd = -1, .result_out = -1, .stderr_fd = -1};
	uint64_t start_ns = nslab_now_ns(&nslab_real_clock);
	int rc;

	*result = (struct nslab_launch_result){0};
	rc = child_files(&child, launch->spec);
	if (!rc)
		rc = child_start(&child, launch);
	if (!rc) {
		child_read(&child, start_ns + launch->time_limit_ns);
		child_finish(&child, launch, result);
		result->wall_ns = nslab_now_ns(&nslab_real_clock) - start_ns;
	}
	free(child.text);
	for (int i = 0; i < 4; i++) {
		int fds[] = {child.spec_fd, child.result_fd, child.result_out, child.stderr_fd};

		if (fds[i] >= 0)
			close(fds[i]);
	}
	return rc;
}
