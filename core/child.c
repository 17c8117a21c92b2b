/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * child.c: another program, run to its end without a shell.
 *
 * Arguments reach it as they are, so nothing of a user's text is ever interpreted on the way. Both
 * outputs come through one pipe, which is read until every holder of its other end is gone; then
 * the program is waited for, so no zombie stays.
 *
 * Left out: a time limit. Whoever may hang is given one by its caller.
 */
#define _GNU_SOURCE
#include "core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* All that comes from fd; what does not fit is read and dropped. */
static void child_listen(int fd, char *text, size_t text_bytes)
{
	size_t len = 0;
	char rest[512];

	for (;;) {
		bool has_room = len + 1 < text_bytes;
		ssize_t got = has_room ? read(fd, text + len, text_bytes - len - 1)
				       : read(fd, rest, sizeof(rest));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (has_room)
			len += (size_t)got;
	}
	text[len] = '\0';
}

int nslab_child_run(const char *folder, char *const *argv, char *text, size_t text_bytes)
{
	posix_spawn_file_actions_t actions;
	int pipes[2], status, rc;
	pid_t child;

	*text = '\0';
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		goto out_pipe;
	rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
	if (!rc && folder)
		rc = posix_spawn_file_actions_addchdir_np(&actions, folder);
	rc = rc ? rc : posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
out_pipe:
	close(pipes[1]);
	if (!rc)
		child_listen(pipes[0], text, text_bytes);
	close(pipes[0]);
	if (rc)
		return -rc;
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
