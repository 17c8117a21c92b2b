#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# make.sh NUMASLAB FOLDER: the reference results of this machine, with all that is needed to make
# them again. Takes four minutes; wants root (for the snapshot) and a machine that does nothing else.
set -euo pipefail
[ $# = 2 ] || { sed -n '3,4s/^# //p' "$0"; exit 2; }
numaslab=$(readlink -f "$1")
mkdir -p "$2" && cd "$2"

"$numaslab" --version >version.txt
"$numaslab" topo --export topology.xml
# a busy host is told (status 1) and measured all the same: its A' rows show it
"$numaslab" env check >env-check.txt || [ $? = 1 ]
rm -rf quick advice
"$numaslab" run quick sampler=off --no-plots -o quick >/dev/null
"$numaslab" compare quick >compare.txt || [ $? = 1 ]
# what the owner of a machine need not tell everybody: boot parameters, and who built the kernel
python3 - quick/run.db <<'PYTHON'
import json
import sqlite3
import sys

store = sqlite3.connect(sys.argv[1])
env = json.loads(store.execute("SELECT env_json FROM run").fetchone()[0])
for probes in (env["before"]["probes"], env["after"]["probes"]):
    for name in ("kernel_cmdline", "kernel"):
        if "value" in probes.get(name, {}):
            probes[name]["value"] = "(left out)"
store.execute("UPDATE run SET env_json = ?", (json.dumps(env),))
store.commit()
store.execute("VACUUM")
PYTHON
"$numaslab" verify quick
# inside run.db, and a tenth of its size in it
rm quick/windows.csv
xz -9 quick/run.db
"$numaslab" snapshot -o snapshot.json
"$numaslab" tune --snapshot snapshot.json --budget 120s --no-plots -o advice >/dev/null
rm advice/snapshot.json
xz -9 advice/advice.json
