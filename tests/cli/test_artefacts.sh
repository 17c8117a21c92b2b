#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_artefacts.sh FOLDER WRITE NUMASLAB: WRITE (write_artefacts) writes an advice; tuned's own loader reads the
# profile as it was meant, and `numaslab plan` takes the plan. tuned's package is fetched into FOLDER and
# unpacked, never installed: it would start a service that changes this system.
set -u
folder=$1 write=$2 numaslab=$3
loader=$folder/usr/lib/python3/dist-packages
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	printf 'FAILED: %s\n' "$*"
	exit 1
}

"$write" "$scratch" || fail "no artefacts"
"$numaslab" plan "$scratch/plan.ini" >"$scratch/plan" || fail "numaslab plan refuses the plan"
for words in 'slub order=2' 'slub order=3' 'size=1128 live_objects=117000'; do
	grep -q "$words" "$scratch/plan" || fail "the plan has no '$words': $(cat "$scratch/plan")"
done

if [ ! -d "$loader" ]; then
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && command -v python3 >/dev/null ||
		{ echo "skip: no apt, dpkg-deb or python3 for tuned's loader"; exit 77; }
	mkdir -p "$folder" && cd "$folder" || exit 1
	apt-get download -q tuned >apt.log 2>&1 ||
		{ echo "skip: tuned: $(grep -v '^W:' apt.log | tail -n 1)"; exit 77; }
	dpkg-deb -x tuned_*.deb . && rm tuned_*.deb || exit 1
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$loader python3 - "$scratch/tuned" >"$scratch/read" 2>"$scratch/errors" <<'PYTHON'
import sys
import tuned.profiles as profiles

loader = profiles.loader.Loader(
    profiles.locator.Locator([sys.argv[1]]),
    profiles.factory.Factory(), profiles.merger.Merger(), None, profiles.variables.Variables())
profile = loader.load("numaslab")
print("main", profile.options["summary"])
for name, unit in profile.units.items():
    for option, value in unit.options.items():
        print(name, unit.type, option, value)
PYTHON
[ $? = 0 ] || fail "tuned's loader: $(cat "$scratch/errors")"
diff - "$scratch/read" <<'WANTED' || fail "tuned reads something else"
main Slab settings that numaslab advised
bootloader bootloader cmdline_numaslab slab_max_order=4
sysfs sysfs /sys/kernel/slab/:a-0000192/cpu_partial 240
sysfs sysfs /sys/kernel/slab/:a-0000192/min_partial 10
WANTED
echo "read by tuned's loader"
