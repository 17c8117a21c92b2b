#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""browser.report: test_report.py NUMASLAB MAKE_RUN FOLDER: HTML reports in a real Chromium.

Renders, sorts, filters, turns pages, prints; by mouse, by keyboard, without a script, in light and in
dark; names with a meaning are shown; nothing is asked of a network and nothing stands on the console.
Screenshots and the PDF stay in FOLDER. Exit status 77 without Chromium.
"""
import base64
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zlib

from chromium import Browser

# Text of every sort against the background that it stands on (WCAG: 4.5 to 1).
CONTRAST = """
(() => {
	const light = (text) => {
		const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => {
			v /= 255;
			return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		});
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (element) => {
		for (; element; element = element.parentElement) {
			const colour = getComputedStyle(element).backgroundColor;
			if (!colour.endsWith(", 0)"))
				return colour;
		}
		return "rgb(255, 255, 255)";
	};
	const poor = [];
	for (const element of document.querySelectorAll(
			"h1, h2, p, li, td, th, a, caption, summary, code, label, input, button, figcaption")) {
		const a = light(getComputedStyle(element).color), b = light(behind(element));
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (contrast < 4.5 && !element.disabled)
			poor.push(`${element.tagName} ${contrast.toFixed(2)}`);
	}
	return [...new Set(poor)];
})()
"""
COLUMN = """
((name) => {
	const table = document.getElementById("t-results");
	const headings = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent);
	const column = headings.indexOf(name);
	return Array.from(table.tBodies[0].rows, (row) => row.cells[column].textContent);
})(%r)
"""
HEADING = """
Array.from(document.querySelectorAll("#t-results th button"))
	.find((button) => button.textContent === %r)
"""
TOOLS = "document.getElementById('t-results').parentElement.previousElementSibling"
failures = []


def check(condition, text):
    if not condition:
        failures.append(text)
        print("FAILED: " + text)


def make(numaslab, make_run, folder, name, *words, plots=True):
    run = folder / (name + ".db")
    run.unlink(missing_ok=True)
    subprocess.run([make_run, run, *words], check=True)
    env = dict(os.environ) if plots else dict(os.environ, NUMASLAB_GNUPLOT="/no/such/program")
    subprocess.run([numaslab, "report", run, "-o", folder / name], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    return str((folder / name / "report.html").resolve())


def numbers(texts):
    return [float(text) for text in texts if text != "-"]


def check_rendering(browser):
    check(browser.run("document.title").startswith("numaslab: quick: <script>document.title="),
          "the title is not the run's: " + browser.run("document.title"))
    check(browser.run("document.querySelectorAll('script').length") == 1, "not one script")
    check(browser.run("document.body.innerText.includes("
                      "\"<script>document.title='taken'</script> | \\\"q\\\" 'a' &amp; `b` \u00fc\")"),
          "a name with a meaning is not shown as it is")
    check(browser.run("document.documentElement.scrollWidth <= innerWidth"),
          "the page is wider than its window")
    boxes = browser.run("Array.from(document.querySelectorAll('figure svg'), (svg) =>"
                        " Math.min(svg.clientWidth, svg.clientHeight))")
    check(boxes and min(boxes) > 100, "plots have no size: %s" % boxes)


def check_sorting(browser):
    def click(name):
        browser.run("(%s).click()" % (HEADING % name))
        return browser.run(COLUMN % name)

    values = click("ns/op")
    check(numbers(values) == sorted(numbers(values)), "not ascending: %s" % values[:9])
    check(browser.run("(%s).parentElement.getAttribute('aria-sort')" % (HEADING % "ns/op"))
          == "ascending", "the direction is not told")
    values = click("ns/op")
    check(numbers(values) == sorted(numbers(values), reverse=True), "not descending")
    check(len(values) == 100 and "-" not in values[:90], "what has no value is not last")
    arms = click("arm")
    check(arms[0] == arms[9] and arms[0].startswith("<script>"), "arms: %s" % arms[:9])
    # a keyboard does it too
    browser.run("(%s).focus()" % (HEADING % "ratio"))
    browser.press("Enter", 13)
    values = browser.run(COLUMN % "ratio")
    check(numbers(values) and numbers(values) == sorted(numbers(values)), "no sorting by Enter")
    check(browser.run("document.activeElement === (%s)" % (HEADING % "ratio")), "the focus is lost")


def check_filter(browser):
    def status():
        return browser.run(TOOLS + ".querySelector('[role=status]').textContent")

    check(status() == "203 of 203 rows, page 1 of 3", "pages: " + status())
    browser.run("Array.from(%s.querySelectorAll('button')).at(-1).click()" % TOOLS)
    check(status() == "203 of 203 rows, page 2 of 3", "next: " + status())
    browser.run(TOOLS + ".querySelector('input').focus()")
    browser.call("Input.insertText", text="JEMALLOC pingpong")
    arms = browser.run(COLUMN % "arm")
    check(arms == ["jemalloc"] * 15, "the filter leaves %s" % arms)
    check(status() == "15 of 203 rows", "after the filter: " + status())
    browser.run(TOOLS + ".querySelector('input').select()")
    browser.press("Backspace", 8)
    check(status() == "203 of 203 rows, page 1 of 3", "without the filter: " + status())


def check_access(browser):
    check(browser.run("Array.from(document.querySelectorAll('input'))"
                      ".every((input) => input.labels.length === 1)"), "an input without a label")
    check(browser.run("Array.from(document.querySelectorAll('#t-results th'))"
                      ".every((th) => th.firstElementChild.tagName === 'BUTTON')"),
          "a heading is no button")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {}
    for node in nodes:
        if not node.get("ignored"):
            roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value"))
    for role in ("main", "heading", "table", "columnheader", "searchbox", "link", "list"):
        check(role in roles, "a screen reader finds no %s" % role)
    images = roles.get("image", []) + roles.get("img", [])
    check(images and all(images), "pictures without a name: %s" % images)
    check(all(roles.get("button", [])), "a button without a name")
    check("The answer" in roles["heading"], "headings: %s" % roles["heading"])


def is_many_coloured(png):
    """More than one colour in a PNG: its compressed lines are not the same all over."""
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        if png[at + 4:at + 8] == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(data))) > 50


def check_themes(browser, folder):
    papers = {}
    for scheme in ("light", "dark"):
        browser.media(scheme)
        papers[scheme] = browser.run("[getComputedStyle(document.body).backgroundColor,"
                                     " getComputedStyle(document.querySelector('figure svg rect')).fill]")
        poor = browser.run(CONTRAST)
        check(not poor, "%s: contrast below 4.5: %s" % (scheme, poor))
        picture = base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"])
        (folder / (scheme + ".png")).write_bytes(picture)
        check(is_many_coloured(picture), "%s: an empty screenshot" % scheme)
    check(papers == {"light": ["rgb(255, 255, 255)"] * 2, "dark": ["rgb(20, 23, 28)"] * 2},
          "papers of page and plots: %s" % papers)


def check_print(browser, folder):
    browser.media("dark", "print")
    check(browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)",
          "paper is dark in print")
    check(browser.run("getComputedStyle(%s).display" % TOOLS) == "none", "tools are printed")
    browser.media("light")
    browser.run("var most = 0; addEventListener('beforeprint', () =>"
                " most = document.querySelectorAll('#t-results tbody tr').length)")
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=False)["data"])
    (folder / "report.pdf").write_bytes(pdf)
    nr_pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    check(pdf.startswith(b"%PDF") and nr_pages > 5, "a PDF of %d pages" % nr_pages)
    check(browser.run("most") == 203, "rows in print: %s" % browser.run("most"))
    check(len(browser.run(COLUMN % "arm")) == 100, "no pages after printing")


def check_without_script(browser, path):
    def count(selector):
        root = browser.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        return len(browser.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(path)
    check(count("#t-results tbody tr") == 203, "without a script: not every row")
    check(count(".tools, th button") == 0, "without a script: tools that do nothing")
    check(count("figure svg") > 0, "without a script: no plots")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def check_large(browser, path):
    browser.open(path)
    browser.run("(%s).click()" % (HEADING % "ns/op"))
    status = browser.run(TOOLS + ".querySelector('[role=status]').textContent")
    check(status == "10010 of 10010 rows, page 1 of 101", "10,010 cells: " + status)
    check(browser.run("document.querySelectorAll('#t-results tbody tr').length") == 100,
          "10,010 cells: not 100 rows a page")


def main():
    numaslab, make_run, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program or not shutil.which("gnuplot"):
        print("skipped: no chromium, or no gnuplot")
        return 77
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = make(numaslab, make_run, folder, "odd", "odd", "families=29", "blocks=6")
    large = make(numaslab, make_run, folder, "large", "families=1430", "blocks=1", "bare",
                 plots=False)
    browser = Browser(program)
    try:
        browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=1600,
                     deviceScaleFactor=1, mobile=False)
        browser.media("light")
        browser.open(path)
        check_rendering(browser)
        check_themes(browser, folder)
        check_filter(browser)
        check_sorting(browser)
        check_access(browser)
        check_print(browser, folder)
        check_without_script(browser, path)
        check_large(browser, large)
        check(not browser.messages, "on the console: %s" % browser.messages[:5])
        elsewhere = [url for url in browser.requests
                     if url not in ("file://" + path, "file://" + large) and url != "data:,"]
        check(not elsewhere, "asked for: %s" % elsewhere[:5])
    finally:
        browser.close()
    return len(failures) != 0


sys.exit(main())
