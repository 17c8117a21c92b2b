# SPDX-License-Identifier: GPL-2.0-only
# budgets.awk FILE...: files, functions and lines that are too long. A function is what stands between
# braces in the first column, both counted, which the formatter guarantees. Nine functions of ten must
# be short: that is asked of all files together, and only where there are enough to tell.

BEGIN {
	MAX_C = 800
	MAX_H = 250
	MAX_FUNCTION = 80
	SHORT_FUNCTION = 50
	MAX_COLUMNS = 100
	MANY_FUNCTIONS = 20
}

function complain(where, what, measured, accepted)
{
	printf "%s: %s: %d, at most %d\n", where, what, measured, accepted
}

function end_file()
{
	if (file ~ /[.]c$/ && nr_lines > MAX_C)
		complain(file ":" nr_lines, "lines of a .c", nr_lines, MAX_C)
	if (file ~ /[.]h$/ && nr_lines > MAX_H)
		complain(file ":" nr_lines, "lines of a .h", nr_lines, MAX_H)
}

function columns(text,    width, i)
{
	for (i = 1; i <= length(text); i++)
		width = substr(text, i, 1) == "\t" ? width - width % 8 + 8 : width + 1
	return width
}

FNR == 1 {
	end_file()
	file = FILENAME
	start = 0
}

{ nr_lines = FNR }

length($0) > MAX_COLUMNS / 8 && columns($0) > MAX_COLUMNS {
	complain(file ":" FNR, "columns", columns($0), MAX_COLUMNS)
}

/^[{]$/ { start = FNR }

/^[}]$/ && start {
	nr_functions++
	nr_long += FNR - start + 1 > SHORT_FUNCTION
	if (FNR - start + 1 > MAX_FUNCTION)
		complain(file ":" start, "lines of a function", FNR - start + 1, MAX_FUNCTION)
	start = 0
}

END {
	end_file()
	if (nr_functions >= MANY_FUNCTIONS && nr_long * 10 > nr_functions)
		complain("all files", "functions over " SHORT_FUNCTION " lines", nr_long,
			 nr_functions / 10)
}
