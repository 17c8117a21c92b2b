/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_why.c: from an errno of perf_event_open to a sentence a user can act on.
 *
 * The kernel answers ENOENT both for a machine without a PMU and for a CPU that lacks one event,
 * and EACCES or EPERM for policy. The explanation is a pure function of the errno and of a few
 * facts about the host, which are read apart from it, so that every line can be tested anywhere.
 * An errno that is not known here is told as it is, never guessed at.
 *
 * Left out: which events a given CPU model has; the answer of the kernel is the only source.
 */
#define _GNU_SOURCE
#include "runner/counters/perf_why.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The beginning of a file as text; "" when it cannot be read. */
static void why_read_file(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	while (fd >= 0 && len + 1 < bytes) {
		ssize_t got = read(fd, text + len, bytes - len - 1);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	text[len] = '\0';
	if (fd >= 0)
		close(fd);
}

void nslab_perf_host_read(struct nslab_perf_host *host)
{
	char text[8192];
	const char *line;
	char *end;

	memset(host, 0, sizeof(*host));
	why_read_file("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text));
	host->paranoid = (int)strtol(text, &end, 10);
	if (end == text)
		host->paranoid = NSLAB_PARANOID_UNKNOWN;
	why_read_file("/proc/self/status", text, sizeof(text));
	line = strstr(text, "\nSeccomp:");
	host->is_filtered = line && strtol(line + strlen("\nSeccomp:"), NULL, 10) == 2;
	/* the first CPU's flags are enough, and the file is long on a large machine */
	why_read_file("/proc/cpuinfo", text, sizeof(text));
	host->is_virtual = strstr(text, " hypervisor") != NULL;
}

static void why_denied(int rc, const struct nslab_perf_host *host, char *why, size_t why_bytes)
{
	if (rc == -EACCES && host->paranoid > 2)
		snprintf(why, why_bytes,
			 "perf_event_paranoid is %d: run as root or sysctl "
			 "kernel.perf_event_paranoid=2",
			 host->paranoid);
	else if (rc == -EACCES && host->paranoid > 1)
		snprintf(why, why_bytes,
			 "perf_event_paranoid is %d: kernel-side events need root or sysctl "
			 "kernel.perf_event_paranoid=1",
			 host->paranoid);
	else if (host->is_filtered)
		snprintf(why, why_bytes, "seccomp refuses perf_event_open");
	else
		snprintf(why, why_bytes, "the kernel refuses perf_event_open: %s", strerror(-rc));
}

void nslab_perf_explain(int rc, bool is_hardware, const struct nslab_perf_host *host, char *why,
			size_t why_bytes)
{
	switch (rc) {
	case -EACCES:
	case -EPERM:
		why_denied(rc, host, why, why_bytes);
		return;
	case -ENOSYS:
		snprintf(why, why_bytes, "%s",
			 host->is_filtered ? "seccomp refuses perf_event_open"
					   : "this kernel has no perf events");
		return;
	case -ENOENT:
	case -ENODEV:
	case -EOPNOTSUPP:
		if (is_hardware && !host->has_pmu)
			snprintf(why, why_bytes, "no PMU in this %s",
				 host->is_virtual ? "virtual machine" : "machine");
		else
			snprintf(why, why_bytes, "not on this %s", is_hardware ? "CPU" : "kernel");
		return;
	case -EINVAL:
		snprintf(why, why_bytes,
			 "the kernel or the CPU does not take the event's encoding (EINVAL): name "
			 "another event");
		return;
	case -EMFILE:
		snprintf(why, why_bytes, "too many open files: raise `ulimit -n`");
		return;
	default:
		snprintf(why, why_bytes, "perf_event_open: %s", strerror(-rc));
	}
}
