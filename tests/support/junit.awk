# SPDX-License-Identifier: GPL-2.0-only
# junit.awk -v run=NAME: CTest's JUnit file as rows: run, test, passed|failed|skipped|part, seconds, reason.
# A `part` is a cmocka test skipped inside a program that passed. The reason of a skip is the line of
# the output that says "skip", else its last line.

function attribute(name,    text)
{
	if (!match($0, " " name "=\"[^\"]*\""))
		return ""
	text = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
	return unescape(text)
}

function unescape(text)
{
	gsub(/&lt;/, "<", text)
	gsub(/&gt;/, ">", text)
	gsub(/&quot;/, "\"", text)
	gsub(/&apos;/, "'", text)
	gsub(/&amp;/, "\\&", text)
	gsub(/\t/, " ", text)
	return text
}

function row(status, why)
{
	printf "%s\t%s\t%s\t%s\t%s\n", run, test, status, seconds, why
}

/<testcase / {
	test = attribute("name")
	seconds = attribute("time")
	status = attribute("status") == "run" ? "passed" : "failed"
	reason = last = ""
	in_output = 0
	split("", parts)
}

/<failure / { reason = attribute("message") }

# CTest also says "skipped" of a test that it could not start: only status 77 is a skip.
/<skipped / {
	reason = attribute("message")
	if (reason ~ /^SKIP_/) {
		status = "skipped"
		reason = ""
	}
}

/<system-out>/ { in_output = 1 }

in_output {
	line = unescape($0)
	sub(/^.*<system-out>/, "", line)
	sub(/<\/system-out>.*$/, "", line)
	if (line ~ /^\[  SKIPPED \] /)
		parts[substr(line, 14)]
	else if (status == "skipped" && line ~ /[Ss]kip/)
		reason = line
	if (line ~ /[^ ]/)
		last = line
}

/<\/system-out>/ { in_output = 0 }

/<\/testcase>/ {
	if (status == "skipped" && reason == "")
		reason = last == "" ? "it gives no reason" : last
	row(status, reason)
	for (part in parts)
		if (status == "passed" && part !~ /test\(s\)/)
			row("part", part)
}
