#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""run_page.py [--slow] [--print] ROOT NUMASLAB PAGE: does what a page of docs/ says and compares.

Every line that begins with `$ ` in a ```console block is run, block after block, in one empty
folder; what the page shows below it must have the shape of what the command printed on standard
output. Shape: numbers, times, units, verdicts, plural forms and the width of columns do not count,
words and lines do. A line `...` stands for any lines, `...` within a line for any text. A command
below which nothing is shown need only end with the right status.

A comment above a block says what is special about it, entries separated by `;`:

    <!-- test: slow -->            with --slow only, for what takes minutes or boots guests
    <!-- test: instead=COMMAND --> without --slow, a short stand-in of a block's first command
    <!-- test: root -->            not run (and told) where this kernel's slab caches cannot be read
    <!-- test: tracefs -->         the same where no kernel events can be recorded
    <!-- test: status=1,0 -->      exit statuses of the last command; 0 unless told
    <!-- test: stderr -->          the page shows standard error as well
    <!-- test: file=NAME -->       of any block: it is written to the file NAME
    <!-- test: never=REASON -->    not run, and the reason is told

With --print every command's output is printed, to be pasted into the page. Exit status 77 when
nothing could be run.
"""
import functools
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

UNITS = r"(?:[KMGT]iB|[kKMG]?B|[num]s|s|min|h|pages?)"
VERDICTS = r"faster|slower|same|unclear|changed|equivalent|inconclusive"
TIMEOUT = {False: 120, True: 1200}


def shape(line):
    line = re.sub(r"[+-]?(\d+([.,:]\d+)*|\.\d+)(e[+-]?\d+)?", "#", line)
    line = re.sub(r"(?<!\S)(-|%s)(?!\S)" % VERDICTS, "#", line)
    line = re.sub(r"\[#, #\]|#\.\.#", "#", line).replace("#%", "#")
    line = re.sub(r"# ?%s\b" % UNITS, "# unit", line)
    line = re.sub(r"\b([A-Za-z]{2,})s\b", r"\1", line)
    return " ".join(line.split())


def line_matches(shown, printed):
    parts = [re.escape(part.strip()) for part in shown.split("...")]
    return re.fullmatch(r"\s*.*?\s*".join(parts), printed) is not None


def matches(shown, printed):
    """Whether lines of a page are lines of an output, both as shapes."""

    @functools.lru_cache(None)
    def at(i, k):
        if i == len(shown):
            return k == len(printed)
        if shown[i] == "...":
            return any(at(i + 1, rest) for rest in range(k, len(printed) + 1))
        return k < len(printed) and line_matches(shown[i], printed[k]) and at(i + 1, k + 1)

    sys.setrecursionlimit(20000)
    return at(0, 0)


class Block:
    """A fenced block: language, lines with the number of the first, and what its comment asks."""

    def __init__(self, language, number, marks):
        self.language, self.number, self.marks, self.lines = language, number, marks, []

    def commands(self):
        """(line number, command, lines shown) of a console block."""
        found = []
        for offset, line in enumerate(self.lines):
            if line.startswith("$ "):
                found.append((self.number + offset, line[2:], []))
            elif found and found[-1][1].endswith("\\") and not found[-1][2]:
                number, command, shown = found[-1]
                found[-1] = (number, command + "\n" + line.removeprefix("> "), shown)
            elif found:
                found[-1][2].append(line)
            else:
                raise SystemExit("line %d: output before any command" % (self.number + offset))
        return found


def marks_of(text):
    marks = {}
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        key, _, value = entry.partition("=")
        if key not in ("slow", "instead", "root", "tracefs", "status", "stderr", "file", "never"):
            raise SystemExit("'%s' is no mark of a test" % key)
        marks[key] = value
    return marks


def blocks_of(text):
    blocks, marks, block = [], {}, None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.fullmatch(r"<!-- test: (.*) -->", line)
        fence = re.fullmatch(r"```(\w*)", line)
        if block and fence:
            block = None
        elif block:
            block.lines.append(line)
        elif mark:
            marks = marks_of(mark[1])
        elif fence:
            block = Block(fence[1], number + 1, marks)
            blocks.append(block)
            marks = {}
    return blocks


def can_read_slabs():
    """As root, on a kernel whose rules are known (docs/snapshot.md)."""
    major, minor = (int(word) for word in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())
    if not (6, 1) <= (major, minor) <= (7, 0):
        return False
    try:
        return bool(open(next(pathlib.Path("/sys/kernel/slab").glob("*/order"))).read())
    except (OSError, StopIteration):
        return False


class Page:
    def __init__(self, root, numaslab, path, is_slow, is_printing):
        self.root, self.path = pathlib.Path(root).resolve(), path
        self.is_slow, self.is_printing = is_slow, is_printing
        self.nr_run = self.nr_failed = 0
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("NUMASLAB_") or k == "NUMASLAB_IGNORE"}
        self.env.update(PATH="%s:%s" % (pathlib.Path(numaslab).resolve().parent, os.environ["PATH"]),
                        LC_ALL="C.UTF-8", NO_COLOR="1")

    def tell(self, number, text):
        print("%s:%d: %s" % (self.path, number, text), flush=True)

    def fail(self, number, text):
        self.nr_failed += 1
        self.tell(number, text)

    def why_not(self, marks):
        if "never" in marks:
            return marks["never"] or "no reason is given, which is a fault of the page"
        if "root" in marks and not can_read_slabs():
            return "/sys/kernel/slab cannot be read here, or not with rules that are known"
        if "tracefs" in marks and not os.access("/sys/kernel/tracing/instances", os.W_OK):
            return "no kernel events can be recorded here"
        if "slow" in marks and not self.is_slow and "instead" not in marks:
            return "slow"
        return None

    def execute(self, command, folder, has_stderr):
        process = subprocess.Popen(["bash", "-c", command], cwd=folder, env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT if has_stderr else subprocess.PIPE,
                                   start_new_session=True)
        try:
            out, err = process.communicate(timeout=TIMEOUT[self.is_slow])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
        return process.returncode, out, err or ""

    def command(self, number, command, shown, marks, statuses, folder):
        status, out, err = self.execute(command, folder, "stderr" in marks)
        self.nr_run += 1
        if self.is_printing:
            print("$ %s\n%s" % (command, out), end="")
        if str(status) not in statuses:
            self.fail(number, "`%s` ended with %d, not %s\n%s%s" %
                      (command, status, " or ".join(statuses), out, err))
            return
        want = [shape(line) for line in "\n".join(shown).strip("\n").split("\n")]
        got = [shape(line) for line in out.strip("\n").split("\n")]
        if shown and not matches(tuple(want), tuple(got)):
            self.fail(number, "`%s` prints something of another shape\n--- the page\n%s\n"
                      "--- the program\n%s" % (command, "\n".join(want), "\n".join(got)))

    def block(self, block, folder):
        if "file" in block.marks:
            target = pathlib.Path(folder, block.marks["file"])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n".join(block.lines) + "\n")
        if block.language != "console":
            return
        reason = self.why_not(block.marks)
        if reason:
            self.tell(block.number, "not run: " + reason)
            return
        commands = block.commands()
        for i, (number, command, shown) in enumerate(commands):
            is_last = i == len(commands) - 1
            statuses = block.marks.get("status", "0").split(",") if is_last else ["0"]
            if i == 0 and not self.is_slow:
                command = block.marks.get("instead", command)
            self.command(number, command, shown, block.marks, statuses, folder)

    def run(self):
        blocks = blocks_of(pathlib.Path(self.path).read_text())
        with tempfile.TemporaryDirectory() as folder:
            for name in ("quickstart", "examples", "include", "tests"):
                os.symlink(self.root / name, pathlib.Path(folder, name))
            for block in blocks:
                self.block(block, folder)
        print("%d commands run, %d failed" % (self.nr_run, self.nr_failed))
        return 1 if self.nr_failed else 0 if self.nr_run else 77


def main(arguments):
    options = [word for word in arguments if word.startswith("--")]
    operands = [word for word in arguments if not word.startswith("--")]
    if len(operands) != 3 or not set(options) <= {"--slow", "--print"}:
        raise SystemExit(__doc__)
    return Page(*operands, "--slow" in options, "--print" in options).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
