# SPDX-License-Identifier: GPL-2.0-only
# layering.awk -v table=FILE: `file:line:#include ...` lines against the table of layering.txt.

function starts(text, prefix)
{
	return substr(text, 1, length(prefix)) == prefix
}

# Does text start with one of the words from the one after `first`?
function allowed(text, words, first,    list, nr, i)
{
	nr = split(words, list, " ")
	for (i = first; i <= nr; i++)
		if (starts(text, list[i]))
			return 1
	return 0
}

function complain(why)
{
	printf "%s:%s: %s\n", file, line, why
}

function check_ours(path,    folder, best)
{
	for (folder in may)
		if (starts(file, folder) && length(folder) > length(best))
			best = folder
	if (best == "")
		complain("its folder is not in the layering table")
	else if (!starts(path, best) && !allowed(path, may[best], 1) &&
		 !(best == "include/" && starts(path, "numaslab/")))
		complain(best " may not include " path)
}

function check_foreign(path,    header, i, word)
{
	for (header in only)
		if (starts(path, header) && !allowed(file, "tests/ " only[header], 1))
			complain(path " is for " (only[header] == "" ? "nobody" : only[header]) " only")
	for (i = 1; i <= nr_never; i++) {
		split(never[i], word, " ")
		if (starts(file, word[1]) && allowed(path, never[i], 2))
			complain(word[1] " may not include " path)
	}
}

BEGIN {
	ours["numaslab/"]
	while ((getline row < table) > 0) {
		nr = split(row, field, " ")
		rest = row
		sub(/^[a-z]+ +[^ ]+ */, "", rest)
		if (field[1] == "folder") {
			may[field[2]] = rest
			ours[field[2]]
		} else if (field[1] == "only") {
			only[field[2]] = rest
		} else if (field[1] == "never") {
			never[++nr_never] = field[2] " " rest
		}
	}
}

{
	split($0, part, ":")
	file = part[1]
	line = part[2]
	text = substr($0, length(file) + length(line) + 3)
	quote = text ~ /include[[:space:]]*"/
	match(text, /[<"][^>"]+/)
	path = substr(text, RSTART + 1, RLENGTH - 1)
	is_ours = 0
	for (folder in ours)
		is_ours = is_ours || starts(path, folder)
	if (is_ours)
		check_ours(path)
	else if (quote && path ~ /\//)
		complain("no folder of the project holds \"" path "\"")
	else if (!quote)
		check_foreign(path)
}
