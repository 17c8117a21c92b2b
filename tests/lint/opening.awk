# SPDX-License-Identifier: GPL-2.0-only
# opening.awk FILE...: every file opens with its licence; every .c goes on with its design in at least
# three sentences before the first include. Licences: MIT for what others include or copy, else GPL.

function end_file()
{
	if (file ~ /[.]c$/ && sentences < 3)
		printf "%s:1: opens with %d sentences on its design, at least 3\n", file, sentences
}

FNR == 1 {
	end_file()
	file = FILENAME
	sentences = 0
	is_opening = 1
	licence = file ~ /^(include|examples)\// ? "(MIT|GPL-2[.]0-only)" : "GPL-2[.]0-only"
	if ($0 !~ "SPDX-License-Identifier: " licence)
		printf "%s:1: does not open with its SPDX licence\n", file
	next
}

/^#/ || /^[a-z]/ { is_opening = 0 }

is_opening { sentences += gsub(/[.!?][)"']?( |$)/, "") }

END { end_file() }
