#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_text.py links ROOT | commands ROOT NUMASLAB: what all *.md files must hold.

links     Every relative link leads to a file, and to a heading of it where it names one; every page
          below docs/ is in docs/README.md.
commands  Every `numaslab COMMAND` that stands in a code block or between backquotes is a command,
          and each of its options is one that the command has; every plot has its heading in
          docs/howto/read-plots.md.
"""
import pathlib
import re
import subprocess
import sys


def pages_of(root):
    found = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("tests/data/*.md")]
    return sorted(found)


def outside_of_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors_of(page):
    found = set()
    for heading in re.findall(r"^#+ +(.*)$", outside_of_code(page.read_text()), flags=re.M):
        found.add(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"))
    return found


def broken_links(root):
    for page in pages_of(root):
        text = re.sub(r"`[^`\n]*`", "", outside_of_code(page.read_text()))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = (page.parent / path).resolve() if path else page
            if not goal.exists():
                yield "%s: nothing is at '%s'" % (page.relative_to(root), target)
            elif anchor and anchor not in anchors_of(goal):
                yield "%s: no heading of that name: '%s'" % (page.relative_to(root), target)


def unlisted_pages(root):
    index = (root / "docs/README.md").read_text()
    for page in root.glob("docs/**/*.md"):
        name = str(page.relative_to(root / "docs"))
        if name != "README.md" and "(%s)" % name not in index:
            yield "docs/README.md: does not lead to %s" % name


def code_of(text):
    """Lines of code in a page: in blocks, indented, between backquotes."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.M | re.S):
        if language == "console":
            yield from block.replace("\\\n", " ").splitlines()
    rest = outside_of_code(text)
    yield from re.findall(r"^    (.*)$", rest, flags=re.M)
    yield from re.findall(r"`([^`]+)`", rest)


def options_of(numaslab, command):
    text = subprocess.run([numaslab, command, "--help"], capture_output=True, text=True).stdout
    return set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", text)) if text else None


def wrong_commands(root, numaslab):
    known = {}
    pattern = r"^(?:\$ )?(?:\S*/)?numaslab ([a-z]+)((?: [^|;&#>]*)?)"
    for page in pages_of(root):
        for line in code_of(page.read_text()):
            match = re.match(pattern, " ".join(line.split()))
            if not match:
                continue
            command, rest = match.groups()
            where = "%s: `%s`" % (page.relative_to(root), line.strip())
            if command not in known:
                known[command] = options_of(numaslab, command)
            if known[command] is None:
                yield "%s: there is no command %s" % (where, command)
                continue
            for option in re.findall(r"(?<![\w\"'=-])--?[a-z][a-z-]*", rest.split(" -- ")[0]):
                if option not in known[command] | {"--help", "-h"}:
                    yield "%s: %s has no %s" % (where, command, option)


def unread_plots(root, numaslab):
    listed = subprocess.run([numaslab, "plot", "--list"], capture_output=True, text=True).stdout
    known = anchors_of(root / "docs/howto/read-plots.md")
    for line in listed.splitlines():
        if line.split()[0] not in known:
            yield "docs/howto/read-plots.md: no heading %s" % line.split()[0]


def main(what, root, *rest):
    root = pathlib.Path(root).resolve()
    if what == "links":
        found = [*broken_links(root), *unlisted_pages(root)]
    else:
        found = [*wrong_commands(root, *rest), *unread_plots(root, *rest)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
