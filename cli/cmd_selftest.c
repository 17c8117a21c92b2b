/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_selftest.c: `numaslab selftest NAME`: can what this program measures here be believed?
 *
 * Each self-test asks for something whose answer is known: no difference (aa), one of a known size
 * (inject), a clock that goes forward (timer), observers that cost nothing (overhead), pages where
 * they were asked for (placement). aa and inject are runs like any other, of the shipped plans
 * selftest-aa and selftest-inject, so their results stay in a folder and can be judged again with
 * --from. One run is one verdict and one exit status: 0 passed, 1 failed, 3 the host is too noisy
 * to tell, 77 the kernel does not let us ask.
 */
#include "cli/command.h"
#include "cli/host_gate.h"
#include "cli/selftest_print.h"
#include "cli/session.h"
#include "runner/exec.h"
#include "runner/pin.h"
#include "runner/timer_check.h"
#include "runner/timer_skew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SELFTEST_OVERRIDES 64
#define LEFT_OUT_MOST	   5 /* one contrast in so many may lack a trial */
#define PLACEMENT_NEEDED   0.95
#define TIMER_ROUNDS	   1000

static int selftest_command(int argc, char **argv);

extern const struct nslab_command nslab_command_selftest;
const struct nslab_command nslab_command_selftest = {
	.name = "selftest",
	.summary = "show on this machine that measurements find what is there, no more",
	.usage = "aa|inject|timer|overhead|placement [KEY=VALUE]",
	.run = selftest_command,
};

struct selftest {
	long nr_contrasts, nr_blocks, pct;
	const char *from, *output;
	const char *ignore[NSLAB_OPTION_LIST_MAX];
	bool has_hog, is_json, is_quiet;
	const char *overrides[SELFTEST_OVERRIDES];
	size_t nr_overrides;
	char texts[2][64]; /* of our own overrides */
	struct nslab_session session;
	struct nslab_host_gate gate;
	char folder[4096]; /* of the run */
	bool is_noisy;	   /* the run ended early */
	json_t *json;
	enum nslab_selftest_verdict verdict;
	char why[256];
	struct nslab_err err;
};

/* ---- runs ---- */

/* Ours come first, so that a user's override has the last word. */
static const char **selftest_overrides(struct selftest *t, const char **list)
{
	size_t nr = 0;

	for (size_t i = 0; i < 2; i++) {
		if (t->texts[i][0])
			list[nr++] = t->texts[i];
	}
	for (size_t i = 0; i < t->nr_overrides; i++)
		list[nr++] = t->overrides[i];
	list[nr] = NULL;
	return list;
}

static int selftest_plan(struct selftest *t, const char *plan)
{
	const char *list[SELFTEST_OVERRIDES + 3];
	int rc = nslab_session_open(&t->session, plan, selftest_overrides(t, list), &t->err);

	t->gate.ignore = t->ignore;
	t->gate.is_quiet = t->is_quiet;
	return rc ? rc : nslab_host_gate_pass(&t->gate, t->session.plan, &t->err);
}

static int selftest_exec(struct selftest *t)
{
	const struct nslab_plan *plan = t->session.plan;
	struct nslab_exec_options options = {
		.plan = plan,
		.output = t->output,
		.ignored = t->gate.ignored,
		.sysroot = t->gate.sysroot,
		.argv_text = "numaslab selftest",
		.talk = t->is_quiet ? NULL : stderr,
		.is_interrupted = nslab_session_interrupted(),
	};
	struct nslab_exec_result result;
	struct nslab_hog hog = {0};
	const int *pus = plan->families[0].pus;
	int rc = 0;

	if (t->has_hog && pus)
		rc = nslab_hog_start(&hog, t->session.topo->pus[pus[0]].os_index, plan->seed,
				     &t->err);
	if (!rc)
		rc = nslab_exec_run(&options, &result, &t->err);
	nslab_hog_stop(&hog);
	if (!rc && result.is_interrupted)
		rc = nslab_fail(&t->err, -ECANCELED, "interrupted; '%s' holds what there is",
				result.folder);
	if (!rc) {
		snprintf(t->folder, sizeof(t->folder), "%s", result.folder);
		t->is_noisy = result.is_noisy;
	}
	return rc;
}

/* Runs the plan, or takes the run that was named, and opens it. */
static int selftest_run(struct selftest *t, const char *plan, struct nslab_run_file *run)
{
	int rc = 0;

	if (t->from) {
		snprintf(t->folder, sizeof(t->folder), "%s", t->from);
	} else {
		rc = selftest_plan(t, plan);
		if (!rc)
			rc = selftest_exec(t);
	}
	return rc ? rc : nslab_run_file_open(t->folder, run, &t->err);
}

static const struct nslab_cell_values *find_cell(const struct nslab_cell_list *list, bool is_twin)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_record *cell = &list->cells[i].cell;

		if (is_twin ? cell->is_twin : cell->is_baseline)
			return &list->cells[i];
	}
	return NULL;
}

/* ---- the self-tests ---- */

static int selftest_aa_judge(struct selftest *t, const struct nslab_run_file *run)
{
	const struct nslab_cell_values *a = find_cell(run->list, false);
	const struct nslab_cell_values *twin = find_cell(run->list, true);
	struct nslab_aa aa;
	int rc;

	if (!a || !twin)
		return nslab_fail(&t->err, -EINVAL, "'%s' has no baseline with a twin", run->path);
	rc = nslab_aa_judge(a, twin, (size_t)t->nr_contrasts, (size_t)t->nr_blocks, &aa);
	if (rc)
		return rc;
	t->verdict = aa.is_passed ? NSLAB_SELFTEST_PASS : NSLAB_SELFTEST_FAIL;
	snprintf(t->why, sizeof(t->why), "5%% lies %s",
		 !aa.is_passed		? "below the interval of the paired design"
		 : aa.paired.hi >= 0.05 ? "in the interval of the paired design"
					: "above the interval of the paired design");
	if (aa.nr_left_out * LEFT_OUT_MOST > (size_t)t->nr_contrasts) {
		t->verdict = NSLAB_SELFTEST_NOISY;
		snprintf(t->why, sizeof(t->why), "%zu of %ld contrasts lack a trial",
			 aa.nr_left_out, t->nr_contrasts);
	}
	if (!t->is_json)
		nslab_aa_print(&aa, stdout);
	t->json = nslab_aa_json(&aa);
	json_object_set_new(t->json, "hog", json_boolean(t->has_hog));
	return 0;
}

static int selftest_aa(struct selftest *t)
{
	struct nslab_run_file run;
	int rc;

	if (!t->nr_blocks)
		t->nr_blocks = 10;
	if (t->nr_blocks < 6 || t->nr_contrasts < 1 || t->nr_contrasts * t->nr_blocks > 100000)
		return nslab_fail(&t->err, -EINVAL,
				  "aa needs 1 or more contrasts of 6 or more blocks, at most "
				  "100000 in all");
	snprintf(t->texts[0], sizeof(t->texts[0]), "blocks=%ld", t->nr_contrasts * t->nr_blocks);
	rc = selftest_run(t, "selftest-aa", &run);
	if (rc)
		return rc;
	rc = selftest_aa_judge(t, &run);
	nslab_run_file_close(&run);
	return rc;
}

static int selftest_inject(struct selftest *t)
{
	struct nslab_injection injection;
	struct nslab_run_file run;
	int rc;

	if (!t->nr_blocks)
		t->nr_blocks = 20;
	if (t->nr_blocks < 6 || t->pct < 1 || t->pct > 100)
		return nslab_fail(&t->err, -EINVAL,
				  "inject needs 6 or more blocks and 1 to 100 per cent");
	snprintf(t->texts[0], sizeof(t->texts[0]), "blocks=%ld", t->nr_blocks);
	snprintf(t->texts[1], sizeof(t->texts[1]), "inject.extra_pct=0,%ld", t->pct);
	rc = selftest_run(t, "selftest-inject", &run);
	if (rc)
		return rc;
	rc = nslab_injection_judge(run.list, (double)t->pct / 100, &injection, &t->err);
	nslab_run_file_close(&run);
	if (rc)
		return rc;
	t->verdict = injection.is_passed  ? NSLAB_SELFTEST_PASS
		     : injection.is_blind ? NSLAB_SELFTEST_NOISY
					  : NSLAB_SELFTEST_FAIL;
	snprintf(t->why, sizeof(t->why), "%s, %s, and A' is %s",
		 injection.is_found ? "found" : "not found",
		 injection.is_sized ? "estimated within 1 point" : "estimated wrong",
		 injection.is_twin_same ? "not called changed" : "called changed");
	if (!t->is_json)
		nslab_injection_print(&injection, stdout);
	t->json = nslab_injection_json(&injection);
	return 0;
}

static int selftest_overhead(struct selftest *t)
{
	struct nslab_prober prober = {.launch = nslab_launch_trial};
	struct nslab_overhead overhead;
	int rc;

	if (!t->nr_blocks)
		t->nr_blocks = 40;
	if (t->nr_blocks < 6)
		return nslab_fail(&t->err, -EINVAL, "overhead needs 6 or more blocks");
	/* a window is longer than the sampler's step: even the shortest has its share of it */
	snprintf(t->texts[0], sizeof(t->texts[0]), "window_ms=10");
	snprintf(t->texts[1], sizeof(t->texts[1]), "statistic=min");
	rc = selftest_plan(t, "selftest-aa");
	if (rc)
		return rc;
	prober.plan = t->session.plan;
	prober.is_interrupted = nslab_session_interrupted();
	rc = nslab_overhead_measure(&prober, (size_t)t->nr_blocks, &overhead, &t->err);
	if (rc)
		return rc;
	t->verdict = overhead.is_within	  ? NSLAB_SELFTEST_PASS
		     : overhead.is_beyond ? NSLAB_SELFTEST_FAIL
					  : NSLAB_SELFTEST_NOISY;
	snprintf(t->why, sizeof(t->why), "%s",
		 overhead.is_within   ? "the interval with the clock's share is below 1%"
		 : overhead.is_beyond ? "the interval with the clock's share is above 1%"
				      : "the interval is too wide for 1%; give more --blocks");
	if (!t->is_json)
		nslab_overhead_print(&overhead, stdout);
	t->json = nslab_overhead_json(&overhead);
	return 0;
}

static void placement_judge(struct selftest *t, const struct nslab_node_proof *proofs, int nr)
{
	for (int i = 0; i < nr; i++) {
		const struct nslab_node_proof *p = &proofs[i];
		double needed = PLACEMENT_NEEDED * p->check.nr_resident;

		if (p->nr_elsewhere || (!*p->check.unavailable && p->check.nr_right < needed)) {
			t->verdict = NSLAB_SELFTEST_FAIL;
			snprintf(t->why, sizeof(t->why), "node %d has %u of %u pages", p->os_index,
				 p->check.nr_right, p->check.nr_resident);
			return;
		}
		if (*p->check.unavailable || !p->check.nr_resident) {
			t->verdict = NSLAB_SELFTEST_UNPROVED;
			snprintf(t->why, sizeof(t->why),
				 "the kernel does not tell where pages are");
		}
	}
}

static int selftest_placement(struct selftest *t)
{
	struct nslab_node_proof *proofs;
	int nr = 0;
	int rc = nslab_session_open(&t->session, NULL, NULL, &t->err);

	if (rc)
		return rc;
	proofs = calloc((size_t)t->session.topo->nr_nodes + 1, sizeof(*proofs));
	if (!proofs)
		return -ENOMEM;
	rc = nslab_placement_prove(t->session.topo, t->session.registry, proofs, &nr, &t->err);
	if (!rc) {
		snprintf(t->why, sizeof(t->why), "%s",
			 nr > 1 ? "every page lies where it was asked for"
				: "every page lies on the only node");
		placement_judge(t, proofs, nr);
		if (!t->is_json)
			nslab_placement_print(proofs, nr, stdout);
		t->json = nslab_placement_json(proofs, nr);
	}
	free(proofs);
	return rc;
}

static int selftest_timer(struct selftest *t)
{
	int rc = nslab_session_open(&t->session, NULL, NULL, &t->err);
	const struct nslab_topo *topo = t->session.topo;
	struct nslab_timer_spec spec = {
		.ticker = nslab_ticker_best(),
		.clock = &nslab_real_clock,
		.nr_rounds = TIMER_ROUNDS,
		.nr_skew_rounds = NSLAB_SKEW_ROUNDS,
		.pin = nslab_pin_self,
	};
	struct nslab_timer_check check;
	int *pus = rc ? NULL : calloc((size_t)topo->nr_pus + 1, sizeof(*pus));

	if (!pus)
		return rc ? rc : -ENOMEM;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].is_usable)
			pus[spec.nr_pus++] = topo->pus[i].os_index;
	}
	spec.pus = pus;
	rc = nslab_timer_check(&spec, &check, &t->err);
	free(pus);
	if (rc)
		return rc;
	snprintf(t->why, sizeof(t->why), "time goes forward, at one rate, and is cheap to read");
	if (!nslab_timer_is_good(&check, t->why, sizeof(t->why)))
		t->verdict = NSLAB_SELFTEST_FAIL;
	if (!t->is_json)
		nslab_timer_print(&check, stdout);
	t->json = nslab_timer_json(&check);
	return 0;
}

/* ---- command ---- */

static const struct {
	const char *name;
	int (*run)(struct selftest *t);
} selftests[] = {
	{"aa", selftest_aa},
	{"inject", selftest_inject},
	{"timer", selftest_timer},
	{"overhead", selftest_overhead},
	{"placement", selftest_placement},
};

#define NR_SELFTESTS (sizeof(selftests) / sizeof(selftests[0]))

/* The verdict on stdout, as a last line or as JSON. */
static int selftest_tell(struct selftest *t, const char *name)
{
	static const int status[] = {NSLAB_EXIT_DONE, NSLAB_EXIT_FAILED, NSLAB_EXIT_NOISY,
				     NSLAB_EXIT_SKIPPED};
	const char *word;

	if (t->is_noisy) {
		t->verdict = NSLAB_SELFTEST_NOISY;
		snprintf(t->why, sizeof(t->why),
			 "the host disturbed more blocks than may run again");
	}
	word = nslab_selftest_word(t->verdict);
	if (!t->is_json) {
		printf("\n%s: %s: %s\n", name, word, t->why);
		if (t->folder[0])
			fprintf(stderr, "results: %s\n", t->folder);
		return status[t->verdict];
	}
	json_object_set_new(t->json, "selftest", json_string(name));
	json_object_set_new(t->json, "verdict", json_string(word));
	json_object_set_new(t->json, "why", json_string(t->why));
	if (t->folder[0])
		json_object_set_new(t->json, "run", json_string(t->folder));
	json_dumpf(t->json, stdout, JSON_INDENT(1));
	putchar('\n');
	return status[t->verdict];
}

static int selftest_operands(struct selftest *t, int nr, char **argv, size_t *which)
{
	const char *names[NR_SELFTESTS];
	const char *guess;

	for (size_t i = 0; i < NR_SELFTESTS; i++)
		names[i] = selftests[i].name;
	for (int i = 2; i <= nr; i++) {
		if (!strchr(argv[i], '=') || t->nr_overrides == SELFTEST_OVERRIDES)
			return nslab_fail(&t->err, -EINVAL,
					  "unexpected '%s'; overrides look like "
					  "key=value",
					  argv[i]);
		t->overrides[t->nr_overrides++] = argv[i];
	}
	for (size_t i = 0; nr && i < NR_SELFTESTS; i++) {
		*which = i;
		if (!strcmp(argv[1], names[i]))
			return 0;
	}
	guess = nr ? nslab_nearest(argv[1], names, NR_SELFTESTS) : NULL;
	return nslab_fail(&t->err, -EINVAL, "%s%s%s%s%s%s; there are %s",
			  nr ? "no self-test '" : "", nr ? argv[1] : "which self-test",
			  nr ? "'" : "", guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "", "aa, inject, timer, overhead and placement");
}

static int selftest_command(int argc, char **argv)
{
	struct selftest t = {.nr_contrasts = 200, .pct = 3};
	const struct nslab_option rows[] = {
		{"contrasts", 0, NSLAB_OPTION_INT, &t.nr_contrasts, "N", "of aa (200)"},
		{"blocks", 0, NSLAB_OPTION_INT, &t.nr_blocks, "N",
		 "of a contrast: aa 10, inject 20, overhead 40"},
		{"pct", 0, NSLAB_OPTION_INT, &t.pct, "N", "inject: operations more, per cent (3)"},
		{"hog", 0, NSLAB_OPTION_FLAG, &t.has_hog, NULL,
		 "aa, inject: a competitor on the measured PU"},
		{"from", 0, NSLAB_OPTION_TEXT, &t.from, "RUN", "aa, inject: judge this run again"},
		{"output", 'o', NSLAB_OPTION_TEXT, &t.output, "DIR", "folder of the run's files"},
		{"ignore", 0, NSLAB_OPTION_LIST, t.ignore, "RULE",
		 "do not refuse, or warn, for this rule (see env check)"},
		{"sysroot", 0, NSLAB_OPTION_TEXT, &t.gate.sysroot, "DIR",
		 "read the host's settings below DIR"},
		{"json", 0, NSLAB_OPTION_FLAG, &t.is_json, NULL, "print JSON"},
		{"quiet", 'q', NSLAB_OPTION_FLAG, &t.is_quiet, NULL, "no progress"},
		{.name = NULL},
	};
	size_t which = 0;
	int nr, rc;

	rc = nslab_options_parse(&nslab_command_selftest, rows, argc, argv, &nr);
	if (rc >= 0)
		return rc;
	rc = selftest_operands(&t, nr, argv, &which);
	if (!rc)
		rc = selftests[which].run(&t);
	if (!rc && !t.json)
		rc = -ENOMEM;
	rc = rc ? nslab_complain(&t.err, rc) : selftest_tell(&t, selftests[which].name);
	json_decref(t.json);
	nslab_session_close(&t.session);
	return rc;
}
