#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""selftest.py: what run_page.py lets pass and what it must find, on pages made here."""
import contextlib
import io
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run_page

# (what, page, exit status, words in what is told)
CASES = [
    ("numbers, units, verdicts and columns differ",
     "```console\n$ printf 'a  12.5 ms  [0.9, 1.1] faster 3 nodes\\n'\na 3 ns - unclear 1 node\n```", 0, ""),
    ("any lines, any text",
     "```console\n$ seq 3; echo one two\n1\n...\none ...\n```", 0, ""),
    ("a word differs", "```console\n$ echo order 3\nsize 3\n```", 1, "another shape"),
    ("a line is missing", "```console\n$ echo a\na\nb\n```", 1, "another shape"),
    ("a line is too much", "```console\n$ printf 'a\\nb\\n'\na\n```", 1, "another shape"),
    ("a column is missing", "```console\n$ echo a 1\na 1 2\n```", 1, "another shape"),
    ("it fails", "```console\n$ false\n```", 1, "ended with 1, not 0"),
    ("it should fail", "<!-- test: status=1 -->\n```console\n$ true\n```", 1, "ended with 0, not 1"),
    ("it fails as told", "<!-- test: status=0,1 -->\n```console\n$ false\n```", 0, ""),
    ("the first of two fails", "<!-- test: status=1 -->\n```console\n$ false\n$ false\n```", 1, "not 0"),
    ("standard error is not shown", "```console\n$ echo a; echo b >&2\na\n```", 0, ""),
    ("standard error is shown",
     "<!-- test: stderr -->\n```console\n$ echo a; echo b >&2\na\nb\n```", 0, ""),
    ("a file of the page",
     "<!-- test: file=x.ini -->\n```ini\nsize = 1\n```\n```console\n$ cat x.ini\nsize = 1\n```", 0, ""),
    ("lines that go on", "```console\n$ echo a \\\n>   b\na b\n```", 0, ""),
    ("slow and nothing else", "<!-- test: slow -->\n```console\n$ false\n```", 77, "not run: slow"),
    ("slow with a stand-in",
     "<!-- test: slow; instead=echo a -->\n```console\n$ sleep 900\na\n```", 0, ""),
    ("never", "<!-- test: never=it breaks things -->\n```console\n$ false\n```", 77, "breaks things"),
]


def status_of(text, folder):
    page = pathlib.Path(folder, "page.md")
    page.write_text(text + "\n")
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = run_page.main([folder, "/bin/true", str(page)])
    return status, told.getvalue()


def main():
    nr_failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for what, text, wanted, words in CASES:
            status, told = status_of(text, folder)
            if status != wanted or words not in told:
                nr_failed += 1
                print("%s: status %d, not %d, told: %s" % (what, status, wanted, told))
        try:
            status_of("<!-- test: slwo -->\n```console\n$ true\n```", folder)
            print("a wrong mark passes")
            nr_failed += 1
        except SystemExit:
            pass
    return 1 if nr_failed else 0


if __name__ == "__main__":
    sys.exit(main())
