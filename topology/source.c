/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.c: topology files and synthetic strings are foreign input and are treated so.
 *
 * hwloc's own XML reader believes what it reads: random damage to a good file makes it crash or
 * hang about once in a hundred times (measured on 2.9.0). So a file is read here, looked at for
 * what can be told plainly (empty, cut off, a newer format), and then tried in a child process
 * whose death is an error text instead of ours. Synthetic strings are only counted: a short one
 * can ask for more PUs than memory holds. What is left out: whether a well-formed topology makes
 * sense, which is hwloc's to say.
 *
 * Invariants: the child never returns into the caller's code, writes nothing, and is always
 * reaped. The answer comes over a pipe and not as an exit status, so that a caller that ignores
 * SIGCHLD gets the right one too.
 */
#define _GNU_SOURCE
#include "topology/source.h"

#include "topology/model.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define XML_MAX_BYTES	  ((size_t)64 << 20)
#define SYNTHETIC_MAX_PUS 16384
#define CHILD_LIMIT_S	  20

/* Reads until the end: a pipe is as good as a file. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 65536;

	*len = 0;
	*text = malloc(room);
	while (*text) {
		ssize_t n;

		if (room - *len < 4096) {
			char *more = realloc(*text, room * 2);

			if (!more)
				break;
			*text = more;
			room *= 2;
		}
		n = read(fd, *text + *len, room - *len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			(*text)[*len] = '\0';
			return 0;
		}
		*len += (size_t)n;
		if (*len > XML_MAX_BYTES)
			return -EFBIG;
	}
	return -ENOMEM;
}

static int check_xml(const char *path, const char *text, size_t len, struct nslab_err *err)
{
	static const char end_tag[] = "</topology>";
	const char *start = strstr(text, "<topology");
	const char *version;

	if (!len)
		return nslab_fail(err, -EINVAL, "cannot use topology '%s': the file is empty",
				  path);
	if (strlen(text) != len || !start)
		return nslab_fail(err, -EINVAL,
				  "cannot use topology '%s': not an XML file of hwloc (make one "
				  "with `lstopo FILE.xml`)",
				  path);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len < sizeof(end_tag) ||
	    strncmp(text + len - strlen(end_tag), end_tag, strlen(end_tag)))
		return nslab_fail(err, -EINVAL,
				  "cannot use topology '%s': cut off after %zu bytes, '%s' is "
				  "missing at the end",
				  path, len, end_tag);
	version = strstr(start, "version=\"");
	if (version && version < strchr(start, '>') && version[9] > '2' && version[9] <= '9')
		return nslab_fail(err, -EINVAL,
				  "cannot use topology '%s': format %c of hwloc, formats 1 and 2 "
				  "are read (write it with `lstopo --export-xml-flags v2`)",
				  path, version[9]);
	return 0;
}

/* Names in it end up in JSON. */
static int check_utf8(const char *path, const char *text, size_t len, struct nslab_err *err)
{
	json_t *copy = json_stringn(text, len);

	if (!copy)
		return nslab_fail(err, -EINVAL, "cannot use topology '%s': it is not UTF-8", path);
	json_decref(copy);
	return 0;
}

int nslab_source_read_xml(const char *path, char **text, size_t *bytes, struct nslab_err *err)
{
	size_t len;
	int fd, rc;

	*text = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return nslab_fail(err, -errno, "cannot open topology '%s': %s", path,
				  strerror(errno));
	rc = read_all(fd, text, &len);
	close(fd);
	if (rc)
		nslab_fail(err, rc, "cannot read topology '%s': %s", path, strerror(-rc));
	else
		rc = check_xml(path, *text, len, err);
	if (!rc)
		rc = check_utf8(path, *text, len, err);
	if (rc) {
		free(*text);
		*text = NULL;
		return rc;
	}
	*bytes = len + 1;
	return 0;
}

/* Multiplies the counts of "type:count" at one nesting level; attributes in () are skipped. */
int nslab_source_check_synthetic(const char *text, struct nslab_err *err)
{
	unsigned long long product = 1;
	int depth = 0;

	for (const char *at = text; *at; at++) {
		if (*at < ' ' || *at > '~')
			return nslab_fail(err, -EINVAL,
					  "cannot use this synthetic topology: character %zu is no "
					  "printable ASCII",
					  (size_t)(at - text) + 1);
	}
	for (const char *at = text; *at; at++) {
		unsigned long long count;

		if (*at == '(')
			depth++;
		else if (*at == ')' && depth)
			depth--;
		if (depth || !isdigit((unsigned char)*at) ||
		    (at > text && at[-1] != ':' && at[-1] != ' '))
			continue;
		count = strtoull(at, NULL, 10);
		if (count > SYNTHETIC_MAX_PUS || product * count > SYNTHETIC_MAX_PUS)
			return nslab_fail(err, -EINVAL,
					  "cannot use synthetic topology '%s': more than %d PUs",
					  text, SYNTHETIC_MAX_PUS);
		product *= count ? count : 1;
	}
	return 0;
}

/* What the child says over the pipe; small enough to go in one write. */
struct answer {
	int rc;
	struct nslab_err err;
};

static void run_child(int (*attempt)(void *context, struct nslab_err *err), void *context, int out)
{
	static const int signals[] = {SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct rlimit no_core = {0, 0};
	struct answer answer = {0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	alarm(CHILD_LIMIT_S);
	answer.rc = attempt(context, &answer.err);
	_exit(write(out, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

static int tell_death(int status, const char *subject, struct nslab_err *err)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return nslab_fail(err, -EINVAL,
				  "cannot use topology '%s': hwloc does not finish reading it",
				  subject);
	return nslab_fail(err, -EINVAL,
			  "cannot use topology '%s': it is damaged, hwloc fails on it%s%s", subject,
			  WIFSIGNALED(status) ? ": " : "",
			  WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "");
}

int nslab_source_try(int (*attempt)(void *context, struct nslab_err *err), void *context,
		     const char *subject, struct nslab_err *err)
{
	struct answer answer;
	int pipe_fds[2], rc, status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return nslab_fail(err, -errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(pipe_fds[0]);
		close(pipe_fds[1]);
		return nslab_fail(err, rc, "cannot start a process: %s", strerror(-rc));
	}
	if (!pid) {
		close(pipe_fds[0]);
		run_child(attempt, context, pipe_fds[1]);
	}
	close(pipe_fds[1]);
	do {
		n = read(pipe_fds[0], &answer, sizeof(answer));
	} while (n < 0 && errno == EINTR);
	close(pipe_fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(answer))
		return tell_death(status, subject, err);
	if (answer.rc && err)
		*err = answer.err;
	return answer.rc;
}
