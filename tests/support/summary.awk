# SPDX-License-Identifier: GPL-2.0-only
# summary.awk -v required=FILE: rows of junit.awk as a summary; the last line holds the counts. Status 1
# when a test failed, or when one that FILE requires was skipped or is not there.

# "guest.*" as an anchored regular expression.
function glob(pattern)
{
	gsub(/[.]/, "[.]", pattern)
	gsub(/[*]/, ".*", pattern)
	return "^" pattern "$"
}

function list(title, text)
{
	if (text != "")
		printf "%s:\n%s", title, text
}

BEGIN {
	FS = "\t"
	while ((getline line < required) > 0) {
		if (line ~ /^(#|$)/)
			continue
		nr = split(line, word, " ")
		if (nr == 3 && word[2] == "if" && system("test -e " word[3]))
			continue
		patterns[glob(word[1])] = word[1]
	}
	slowest = "LC_ALL=C sort -rn | head -n 10"
}

{
	name = sprintf("  %-10s %s", $1, $2)
	if ($3 != "part")
		count[$3]++
	if ($2 ~ /^build[.]/)
		builds = builds sprintf("  %6d s  %s\n", $4, $1)
	else if ($3 != "part") {
		times = times sprintf("%9.2f s  %-10s %s\n", $4, $1, $2)
		total[$1] += $4
	}
	if ($3 == "failed")
		failed = failed name ($5 == "" ? "" : ": " $5) "\n"
	if ($3 == "skipped")
		skipped = skipped name ": " $5 "\n"
	if ($3 == "part")
		skipped = skipped name ": in part: " $5 "\n"
	for (p in patterns) {
		if ($2 !~ p)
			continue
		seen[p] = 1
		if ($3 == "skipped" || $3 == "part")
			lacking = lacking name ": required, but skipped\n"
	}
}

END {
	for (p in patterns)
		if (!seen[p])
			lacking = lacking "  " patterns[p] ": required, but no such test ran\n"
	list("builds", builds)
	print "ten slowest tests:"
	fflush()
	printf "%s", times | slowest
	close(slowest)
	list("skipped", skipped)
	list("failed", failed)
	list("required", lacking)
	printf "%d passed, %d failed, %d skipped\n", count["passed"], count["failed"],
		count["skipped"]
	exit count["failed"] || !count["passed"] || lacking != ""
}
