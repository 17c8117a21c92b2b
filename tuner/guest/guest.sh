#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs a command in a Linux guest with NUMA nodes, in QEMU without hardware help: what is right or
# wrong about placement and topology shows there, how fast it is does not.
#
# The guest's user space is an initramfs of busybox and the given programs with their libraries. It has
# three serial ports: the kernel's messages, the command's output, and one tar archive made at the end,
# which holds what the command left in /out and, as its last member, the command's exit status. An
# archive without that member means that the guest died on the way. An arm64 guest differs in the names
# of its ports, and in that its programs are static: no loader of this host knows their libraries.
set -u -o pipefail

usage() {
	cat <<'TEXT'
usage: guest.sh [option...] COMMAND
  --kernel FILE          kernel image with serial ports and NUMA built in (kernel.sh fetches one)
  --arch NAME            x86_64 (unless told) or aarch64
  --busybox FILE         static one of that architecture; this host's unless told
  --node cpus=N,mib=M    one more node; cpus=0 is a memory-only node (put it last: Linux numbers nodes
                         with CPUs first), mib=0 one without memory
  --distance I,J,D       distance between nodes I and J, both ways; 20 unless told
  --program FILE         host program, put in the guest's PATH along with its libraries
  --file FILE            put into /in
  --out DIR              what COMMAND leaves in /out comes back here
  --append TEXT          more kernel command line
  --cpu NAME             CPU model, max unless told
  --qemu WORD            one more word for QEMU
  --limit SECONDS        120 unless told
  --verbose              print the kernel's messages and the time taken on stderr
COMMAND is a line for busybox sh. Exit status: the command's; 124 the limit passed, 125 the guest died,
126 bad usage or something is missing on this host.
TEXT
}

die() {
	printf 'guest: %s\n' "$2" >&2
	exit "$1"
}

kernel= arch=x86_64 busybox= out= append= model=max limit=120 verbose=
cpus=() mib=() programs=() files=() distances=() words=()
while [ $# -gt 1 ]; do
	case $1 in
	--kernel) kernel=$2 ;;
	--arch) arch=$2 ;;
	--busybox) busybox=$2 ;;
	--node)
		[[ $2 =~ ^cpus=([0-9]+),mib=([0-9]+)$ ]] || die 126 "--node takes cpus=N,mib=M, not '$2'"
		cpus+=("${BASH_REMATCH[1]}")
		mib+=("${BASH_REMATCH[2]}")
		;;
	--distance)
		[[ $2 =~ ^[0-9]+,[0-9]+,[0-9]+$ ]] || die 126 "--distance takes I,J,D, not '$2'"
		distances+=("$2")
		;;
	--program) programs+=("$2") ;;
	--file) files+=("$2") ;;
	--out) out=$2 ;;
	--append) append=$2 ;;
	--cpu) model=$2 ;;
	--qemu) words+=("$2") ;;
	--limit) limit=$2 ;;
	--verbose)
		verbose=1
		shift
		continue
		;;
	*) die 126 "unknown option '$1'" ;;
	esac
	shift 2
done
[ $# = 1 ] && [[ $1 != --* ]] || { usage >&2; exit 126; }
command=$1
[ ${#cpus[@]} -gt 0 ] || die 126 "no --node given"
[ -r "$kernel" ] || die 126 "cannot read the kernel '$kernel'"
[ -n "$busybox" ] || busybox=$(command -v busybox) ||
	die 126 "busybox is not installed (package busybox-static)"
! ldd "$busybox" >/dev/null 2>&1 || die 126 "$busybox is not static (package busybox-static)"
case $arch in
x86_64)
	machine=(-machine "pc,usb=off")
	ports=(ttyS0 ttyS1 ttyS2)
	;;
aarch64)
	machine=(-machine "virt,gic-version=3")
	ports=(ttyAMA0 ttyS0 ttyS1)
	;;
*) die 126 "--arch takes x86_64 or aarch64, not '$arch'" ;;
esac
for tool in qemu-system-$arch cpio timeout; do
	command -v $tool >/dev/null || die 126 "$tool is not installed"
done

scratch=$(mktemp -d) || exit 126
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The initramfs: programs in /bin, their libraries where the loader of this host finds them.
pack() {
	local image=$scratch/image program library

	mkdir -p "$image"/{bin,dev,proc,sys,tmp,in,out,etc} || return
	cp "$busybox" "$image/bin/busybox" || return
	for program in ${programs[@]+"${programs[@]}"}; do
		cp -L "$program" "$image/bin/" || return
		for library in $(ldd "$program" 2>/dev/null | grep -oE '/[^ ]+'); do
			mkdir -p "$image${library%/*}" && cp -L "$library" "$image$library" || return
		done
	done
	for program in ${files[@]+"${files[@]}"}; do
		cp -RL "$program" "$image/in/" || return
	done
	printf '%s\n' "$command" >"$image/etc/command"
	echo 'root:x:0:0::/tmp:/bin/sh' >"$image/etc/passwd"
	printf '%s\n' "${ports[@]}" >"$image/etc/ports"
	cat >"$image/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /dev/shm
for at in /tmp /out /dev/shm; do mount -t tmpfs none $at; done
mount -t cgroup2 none /sys/fs/cgroup
{ read messages; read output; read archive; } </etc/ports
for port in $output $archive; do stty -F /dev/$port raw -echo; done
ip link set lo up
cd /tmp
sh /etc/command </dev/null >/dev/$output 2>&1
echo $? >/status
cd / && tar -cf /dev/$archive out status
poweroff -f
INIT
	chmod 755 "$image/init"
	(cd "$image" && find . | cpio -o -H newc --quiet) >"$scratch/initramfs"
}

# QEMU's words for the nodes, added to the array `machine`.
describe_nodes() {
	local i j first=0 memory=0 node

	for i in "${!cpus[@]}"; do
		node=node,nodeid=$i
		if [ "${mib[i]}" -gt 0 ]; then
			machine+=(-object "memory-backend-ram,id=ram$i,size=${mib[i]}M")
			node+=,memdev=ram$i
			memory=$((memory + mib[i]))
		fi
		[ "${cpus[i]}" -eq 0 ] || node+=,cpus=$first-$((first + cpus[i] - 1))
		first=$((first + cpus[i]))
		machine+=(-numa "$node")
	done
	for i in "${!cpus[@]}"; do
		for j in "${!cpus[@]}"; do
			[ "$i" = "$j" ] || machine+=(-numa "dist,src=$i,dst=$j,val=$(distance "$i" "$j")")
		done
	done
	machine+=(-smp "$first,sockets=$first,cores=1,threads=1" -m "${memory}M")
}

distance() {
	local entry found=20

	for entry in ${distances[@]+"${distances[@]}"}; do
		case $entry in
		"$1,$2,"* | "$2,$1,"*) found=${entry##*,} ;;
		esac
	done
	echo "$found"
}

# Serial ports into `machine`, in the order of `ports`.
describe_ports() {
	local file

	for file in messages output archive; do
		if [ "$arch" = x86_64 ] || [ $file = messages ]; then
			machine+=(-serial "file:$scratch/$file")
		else
			machine+=(-chardev "file,id=$file,path=$scratch/$file" -device "pci-serial,chardev=$file")
		fi
	done
}

pack || die 126 "cannot pack the initramfs"
describe_nodes
describe_ports
begin=$EPOCHREALTIME
# One host thread for all CPUs: with one for each, a busy host loses timer interrupts of a guest CPU now
# and then, and the guest stalls for good.
timeout -k 5 "$limit" "qemu-system-$arch" -accel tcg,thread=single -cpu "$model" \
	-nodefaults -display none -no-reboot "${machine[@]}" ${words[@]+"${words[@]}"} \
	-kernel "$kernel" -initrd "$scratch/initramfs" \
	-append "console=${ports[0]} quiet panic=-1 mitigations=off numa_balancing=disable $append" \
	</dev/null 2>"$scratch/errors" &
qemu=$!
wait $qemu
ended=$?
qemu=

cat "$scratch/output" 2>/dev/null
if [ -n "$verbose" ]; then
	cat "$scratch/messages" "$scratch/errors" >&2
	awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN {printf "guest: %.1f s\n", b - a}' >&2
fi
status=$(tar -xOf "$scratch/archive" status 2>/dev/null)
if [ -n "$status" ]; then
	[ -z "$out" ] || { mkdir -p "$out" && tar -xf "$scratch/archive" -C "$out" --strip-components=1 out; } ||
		die 126 "cannot unpack what came back into '$out'"
	exit "$status"
fi
[ $ended != 124 ] || die 124 "the limit of $limit s passed"
tail -n 20 "$scratch/messages" "$scratch/errors" >&2
die 125 "the guest died before it told an exit status (QEMU's: $ended)"
