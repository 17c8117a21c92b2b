/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * deny.c: runs a command in which some system calls are refused, as containers refuse them.
 *
 *	deny CALL[,CALL...] COMMAND...	each of them fails with EPERM
 *
 * A seccomp filter is written by hand: load the architecture, load the call's number, compare,
 * refuse. It is inherited by every process of the command, so that trials meet it too. Left out:
 * calls of another architecture, which pass.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 16

static const struct {
	const char *name;
	unsigned nr;
} calls[] = {
	{"perf_event_open", SYS_perf_event_open}, {"mbind", SYS_mbind},
	{"move_pages", SYS_move_pages},		  {"get_mempolicy", SYS_get_mempolicy},
	{"set_mempolicy", SYS_set_mempolicy},	  {"sched_setaffinity", SYS_sched_setaffinity},
};

static int deny_number(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(name, calls[i].name))
			return (int)calls[i].nr;
	}
	return -1;
}

/* load number; for each call: equal -> the last instruction but one; allow; refuse */
static int deny_install(const int *numbers, unsigned nr)
{
	struct sock_filter filter[CALLS_MAX + 3];
	struct sock_fprog program = {(unsigned short)(nr + 3), filter};

	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < nr; i++)
		filter[i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)numbers[i], (__u8)(nr - i), 0);
	filter[nr + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[nr + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

int main(int argc, char **argv)
{
	int numbers[CALLS_MAX];
	unsigned nr = 0;
	int rc;

	if (argc < 3)
		return 2;
	for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ",")) {
		numbers[nr] = deny_number(name);
		if (numbers[nr] < 0 || ++nr == CALLS_MAX) {
			fprintf(stderr, "deny: unknown call '%s'\n", name);
			return 2;
		}
	}
	rc = deny_install(numbers, nr);
	if (rc) {
		fprintf(stderr, "deny: no seccomp filter here: %s\n", strerror(-rc));
		return 77;
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "deny: cannot run '%s': %s\n", argv[2], strerror(errno));
	return 127;
}
