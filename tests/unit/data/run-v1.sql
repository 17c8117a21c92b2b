-- A result file of schema 1, as numaslab wrote it before workloads told figures of their own: tables
-- and views from that version's results/schema.c, one run of two cells and two blocks.
PRAGMA application_id=1853058146;
PRAGMA user_version=1;
CREATE TABLE host(id INTEGER PRIMARY KEY, name TEXT, cpu_model TEXT, nr_packages INTEGER, nr_nodes
INTEGER, nr_pus INTEGER, memory_bytes INTEGER);
CREATE TABLE topology(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host(id), json
TEXT, hwloc_xml TEXT);
CREATE TABLE run(id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, name TEXT, label TEXT, host INTEGER NOT
NULL REFERENCES host(id), topology INTEGER NOT NULL REFERENCES topology(id), kernel TEXT,
is_simulated INTEGER NOT NULL, placement_unavailable TEXT, plan_json TEXT, plan_text TEXT, argv
TEXT, tool_version TEXT, build_json TEXT, env_json TEXT, statistic TEXT, seed TEXT,
nr_trials_planned INTEGER, started TEXT, ended TEXT, status TEXT NOT NULL, harness_ns REAL);
CREATE TABLE cell(id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id), key TEXT NOT
NULL, family TEXT NOT NULL, arm TEXT NOT NULL, workload TEXT, allocator TEXT, version TEXT, entry
TEXT, placement TEXT, pus TEXT, memory TEXT, threads INTEGER, size_bytes INTEGER, params_json
TEXT, is_baseline INTEGER NOT NULL, is_twin INTEGER NOT NULL, skipped TEXT, UNIQUE(run, key));
CREATE TABLE trial(id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell(id), block
INTEGER NOT NULL, position INTEGER, attempt INTEGER, seed TEXT, wall_ns INTEGER, cpu_ns INTEGER,
run_delay_ns INTEGER, nr_involuntary_switches INTEGER, nr_migrations INTEGER, is_valid INTEGER NOT
NULL, taint TEXT, exit_status INTEGER, ns_per_op REAL, page_hit_rate REAL, nr_pages_sampled
INTEGER, rss_bytes INTEGER, held_bytes INTEGER);
CREATE INDEX trial_of_cell ON trial(cell, block, attempt);
CREATE TABLE trial_window(trial INTEGER NOT NULL REFERENCES trial(id), worker INTEGER, idx
INTEGER, ops INTEGER, ns INTEGER, cpu_ns INTEGER, is_counted INTEGER, PRIMARY KEY(trial, worker,
idx)) WITHOUT ROWID;
CREATE TABLE counter(trial INTEGER NOT NULL REFERENCES trial(id), worker INTEGER, name TEXT, value
REAL, enabled_ns INTEGER, running_ns INTEGER, source TEXT, reason TEXT, PRIMARY KEY(trial, worker,
name)) WITHOUT ROWID;
CREATE TABLE cachestat(trial INTEGER NOT NULL REFERENCES trial(id), cache TEXT, nr_objects
INTEGER, nr_slabs INTEGER, nr_pages INTEGER, nr_partial INTEGER, nr_cpu_free INTEGER, stat_json
TEXT, PRIMARY KEY(trial, cache)) WITHOUT ROWID;
CREATE VIEW trial_summary AS SELECT t.id AS trial, c.key, c.family, c.arm, t.block, t.position,
t.attempt, t.is_valid, t.taint, t.ns_per_op, count(w.idx) AS nr_windows, sum(w.ops) AS nr_ops FROM
trial t JOIN cell c ON c.id = t.cell LEFT JOIN trial_window w ON w.trial = t.id AND w.is_counted
GROUP BY t.id;
CREATE VIEW cell_summary AS WITH ranked AS (SELECT cell, ns_per_op, row_number() OVER (PARTITION
BY cell ORDER BY ns_per_op) AS rank, count(*) OVER (PARTITION BY cell) AS n FROM trial WHERE
is_valid AND ns_per_op IS NOT NULL) SELECT c.id AS cell, c.family, c.arm, c.is_twin, count(r.rank)
AS n, avg(CASE WHEN 2 * r.rank BETWEEN r.n AND r.n + 2 THEN r.ns_per_op END) AS median_ns_per_op,
min(r.ns_per_op) AS min_ns_per_op, max(r.ns_per_op) AS max_ns_per_op, c.skipped FROM cell c LEFT
JOIN ranked r ON r.cell = c.id GROUP BY c.id;
CREATE VIEW cause AS SELECT key, NULL AS block, skipped AS cause FROM cell WHERE skipped IS NOT
NULL UNION ALL SELECT c.key, t.block, t.taint FROM trial t JOIN cell c ON c.id = t.cell WHERE NOT
t.is_valid;
INSERT INTO host VALUES(1, 'old', 'AMD EPYC', 1, 1, 2, 1073741824);
INSERT INTO topology VALUES(1, 1, '{"pus":2}', NULL);
INSERT INTO run(id, uuid, name, host, topology, kernel, is_simulated, plan_json, plan_text, statistic,
 seed, nr_trials_planned, started, status, harness_ns) VALUES(1, 'u', 'quick', 1, 1, 'Linux 6.1', 0,
 '{}', '', 'q25', '1', 4, '2025-01-02T03:04:05Z', 'done', 1.5);
INSERT INTO cell VALUES(1, 1, 'f allocator=slub', 'f', 'slub', 'pingpong', 'slub', NULL, 'cache',
 'compact', '0', 'local', 1, 64, '{"statistic":"q25"}', 1, 0, NULL);
INSERT INTO cell VALUES(2, 1, 'f allocator=slab', 'f', 'slab', 'pingpong', 'slab', NULL, 'cache',
 'compact', '0', 'local', 1, 64, '{"statistic":"q25"}', 0, 0, NULL);
INSERT INTO trial VALUES(1, 1, 0, 0, 0, '11', 90, 200, 0, 0, 0, 1, NULL, 0, 10.0, 1.0, 9, 4096, 4096);
INSERT INTO trial VALUES(2, 2, 0, 1, 0, '12', 90, 400, 0, 0, 0, 1, NULL, 0, 20.0, 1.0, 9, 4096, 4096);
INSERT INTO trial VALUES(3, 2, 1, 0, 0, '13', 90, 400, 0, 0, 0, 1, NULL, 0, 20.0, 1.0, 9, 4096, 4096);
INSERT INTO trial VALUES(4, 1, 1, 1, 0, '14', 90, 0, 0, 0, 0, 0, 'crash: SIGSEGV', 139, NULL, NULL, 0,
 NULL, NULL);
INSERT INTO trial_window VALUES(1, 0, 0, 10, 100, 100, 1), (1, 0, 1, 10, 100, 100, 1),
 (2, 0, 0, 10, 200, 200, 1), (2, 0, 1, 10, 200, 200, 1), (3, 0, 0, 10, 200, 200, 1),
 (3, 0, 1, 10, 200, 200, 1);
