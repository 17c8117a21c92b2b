#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test_package.sh CMAKE SOURCE WORK: the Debian package: built, without an error of lintian, installed in
# a system that has nothing but what its own dependencies bring, and running its main job there.
set -u
cmake=$1 source=$2 work=$3
nr_failed=0

fail() {
	printf 'failed: %s\n' "$*"
	nr_failed=$((nr_failed + 1))
}

for tool in dpkg-shlibdeps lintian mmdebstrap; do
	command -v $tool >/dev/null || { echo "skip: no $tool here; quickstart test --all installs it"; exit 77; }
done
[ "$(id -u)" = 0 ] || unshare -Ur true 2>/dev/null || { echo "skip: neither root nor user namespaces"; exit 77; }
mkdir -p "$work" && rm -f "$work"/*.deb && cd "$work" || exit 1

{ (cd "$source" && "$cmake" --preset package -B "$work/build" >"$work/log" 2>&1) &&
	"$cmake" --build build --target package >>log 2>&1 && mv build/*.deb .; } || { tail -n 40 log; exit 1; }
deb=$(echo *.deb)
echo "$deb: $(stat -c %s "$deb") bytes"

# ---- what it says of itself, and what lintian says of it
version=$(dpkg-deb -f "$deb" Version)
dpkg --compare-versions "$version" gt 0~ || fail "'$version' is no version"
dpkg-deb -f "$deb" Depends | grep -q 'libhwloc15 (>= ' || fail "libraries were not found: $(dpkg-deb -f "$deb" Depends)"
dpkg-deb -c "$deb" >files
for file in bin/numaslab share/doc/numaslab/changelog.Debian.gz share/doc/numaslab/copyright \
	share/man/man1/numaslab.1.gz share/numaslab/plans/quick.ini; do
	grep -q " \./usr/$file\$" files || fail "no $file in the package"
done
lintian_options=()
[ "$(id -u)" = 0 ] && lintian_options=(--allow-root)
lintian "${lintian_options[@]}" "$deb" >lintian.txt 2>&1
cat lintian.txt
! grep -q '^E:' lintian.txt || fail "lintian finds errors"

# ---- a clean system, from where this machine's own packages come
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	[ ! -s "$file" ] || sources+=("$file")
done
apt-config dump --no-empty --format '%F "%v";%n' Acquire >apt.conf
cat >job.sh <<'TEXT'
set -eux
cd /tmp
! command -v gcc
numaslab --version
numaslab topo
numaslab run -o /tmp/job
numaslab compare /tmp/job >/dev/null
numaslab verify /tmp/job
ls -l /tmp/job/throughput.png
numaslab report /tmp/job -o /tmp/report
grep -q '<svg' /tmp/report/report.html
numaslab help generic
numaslab run replay --help
TEXT
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
if ! mmdebstrap --variant=minbase --include=gnuplot-nox,fonts-dejavu-core --aptopt="$PWD/apt.conf" \
	--customize-hook="copy-in $PWD/$deb $PWD/job.sh /tmp" \
	--customize-hook="chroot \"\$1\" apt-get install -qy --no-install-recommends /tmp/$deb" \
	--customize-hook='chroot "$1" sh /tmp/job.sh >&2' \
	--customize-hook="copy-out /tmp/report $PWD" \
	--customize-hook='chroot "$1" dpkg --purge numaslab && ! test -e "$1/usr/share/numaslab"' \
	"$suite" /dev/null "${sources[@]}" >chroot.txt 2>&1; then
	tail -n 60 chroot.txt
	fail "the package does not work in a clean system"
fi
# what the page says once its script ran
if command -v chromium >/dev/null; then
	chromium --headless --no-sandbox --user-data-dir="$PWD/profile" --dump-dom "file://$PWD/report/report.html" \
		>dom.html 2>chromium.txt
	grep -q 'The answer' dom.html && grep -q 'of [0-9]* rows' dom.html || fail "the report does not open in chromium"
else
	echo "the report was not opened: chromium is not installed"
fi
grep -E '^(slub|nodelocal|numaslab 0)|verify|differences' chroot.txt
[ $nr_failed = 0 ]
