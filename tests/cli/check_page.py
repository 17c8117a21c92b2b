#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_page.py FILE...: reads HTML reports strictly.

Every element is closed in order, identifiers are unique, every reference inside the page finds its
target, nothing comes from elsewhere, rows have as many cells as their table has headings, pictures
have a text, and no element or attribute but the page's own could run a program.
"""
import base64
import hashlib
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}
LINKS = {"run.db", "cells.csv", "windows.csv", "plan.ini"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.errors, self.ids, self.references = [], [], [], []
        self.headings = self.cells = 0
        self.script = self.policy = ""
        self.is_script = False

    def error(self, text):
        self.errors.append("line %d: %s" % (self.getpos()[0], text))

    def attribute(self, tag, name, value):
        if name == "id":
            self.ids.append(value)
        elif name in ("aria-labelledby", "aria-describedby"):
            self.references += value.split()
        elif name.startswith("on"):
            self.error("<%s> has %s" % (tag, name))
        elif name in ("href", "src", "xlink:href", "srcset") and value not in LINKS:
            if value.startswith("#"):
                self.references.append(value[1:])
            elif not value.startswith("data:"):
                self.error("<%s> refers to %s" % (tag, value))

    def element(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(set(names)) != len(names):
            self.error("<%s> has an attribute twice" % tag)
        for name, value in attributes:
            self.attribute(tag, name, value or "")
        values = dict(attributes)
        if tag == "svg" and (values.get("role") != "img" or not values.get("aria-label")):
            self.error("a picture without a text")
        if tag in ("iframe", "object", "embed", "base", "form", "foreignobject", "a:script"):
            self.error("a <%s>" % tag)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]

    def handle_startendtag(self, tag, attributes):
        self.element(tag, attributes)
        if "svg" not in self.open and tag not in VOID:
            self.error("<%s/> outside a picture" % tag)

    def handle_starttag(self, tag, attributes):
        self.element(tag, attributes)
        if tag in VOID:
            return
        self.open.append(tag)
        self.is_script = tag == "script"
        if tag == "script" and self.script:
            self.error("a second script")
        elif tag == "table":
            self.headings = 0
        elif tag == "tr":
            self.cells = 0
        elif tag == "th":
            self.headings += 1
        elif tag == "td":
            self.cells += 1

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.error("</%s> closes %s" % (tag, self.open[-1:]))
            return
        self.open.pop()
        self.is_script = False
        if tag == "tr" and self.cells not in (0, self.headings):
            self.error("%d cells below %d headings" % (self.cells, self.headings))

    def handle_data(self, data):
        if self.is_script:
            self.script += data

    def finish(self):
        if self.open:
            self.error("never closed: %s" % self.open)
        for name in {name for name in self.ids if self.ids.count(name) > 1}:
            self.error("id '%s' stands twice" % name)
        for name in set(self.references) - set(self.ids):
            self.error("nothing has the id '%s'" % name)
        digest = base64.b64encode(hashlib.sha256(self.script.encode()).digest()).decode()
        if "'sha256-%s'" % digest not in self.policy or "default-src 'none'" not in self.policy:
            self.error("the policy does not name the script: %s" % self.policy)
        return self.errors


def main():
    nr_errors = 0
    for path in sys.argv[1:]:
        text = open(path, encoding="utf-8", errors="strict").read()
        page = Page()
        page.feed(text)
        page.close()
        errors = page.finish()
        if re.search(r"(https?:)?//[a-z]", text):
            errors.append("an address: %s" % re.search(r".{0,20}//[a-z].{0,30}", text).group(0))
        for error in errors[:20]:
            print("%s: %s" % (path, error))
        nr_errors += len(errors)
    return nr_errors != 0


sys.exit(main())
