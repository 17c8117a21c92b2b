"use strict";
// Tables are whole without this; it adds a filter, sorting by a click on a heading, and pages.
const PAGE_ROWS = 100;

function element(name, parent, text) {
	const made = document.createElement(name);

	if (text)
		made.textContent = text;
	parent.append(made);
	return made;
}

// A cell of numbers begins with one; what has none ("-") comes last in both directions.
function number(text) {
	const found = text.replace(/^\[/, "").match(/^[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);

	return found ? Number(found[0]) : NaN;
}

class Table {
	constructor(table) {
		this.body = table.tBodies[0];
		this.all = Array.from(this.body.rows);
		this.found = this.all;
		this.page = 0;
		this.headings = Array.from(table.tHead.rows[0].cells);
		this.headings.forEach((heading, column) => this.addButton(heading, column));
		this.addTools(table);
		this.show();
	}

	addButton(heading, column) {
		const text = heading.textContent;

		heading.textContent = "";
		const button = element("button", heading, text);
		button.type = "button";
		button.addEventListener("click", () => this.sort(column));
	}

	addTools(table) {
		const tools = document.createElement("div");
		const label = element("label", tools, "Show rows with ");

		tools.className = "tools";
		this.filter = element("input", label);
		this.filter.type = "search";
		this.filter.addEventListener("input", () => this.search());
		this.back = this.addTurn(tools, "Previous", -1);
		this.forth = this.addTurn(tools, "Next", 1);
		this.status = element("span", tools);
		this.status.setAttribute("role", "status");
		table.parentElement.before(tools);
	}

	addTurn(tools, text, step) {
		const button = element("button", tools, text);

		button.type = "button";
		button.hidden = this.all.length <= PAGE_ROWS;
		button.addEventListener("click", () => {
			this.page += step;
			this.show();
		});
		return button;
	}

	// Every word must be somewhere in the row.
	search() {
		const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);

		this.found = this.all.filter((row) => {
			row.sought ??= Array.from(row.cells, (cell) => cell.textContent).join(" ").toLowerCase();
			return words.every((word) => row.sought.includes(word));
		});
		this.page = 0;
		this.show();
	}

	sort(column) {
		const heading = this.headings[column];
		const isNumber = heading.classList.contains("n");
		const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
		const keys = new Map(this.all.map((row) => {
			const text = row.cells[column].textContent;

			return [row, isNumber ? number(text) : text];
		}));
		const compare = isNumber
			? (a, b) => isNaN(a) - isNaN(b) || sign * (a - b) || 0
			: (a, b) => sign * a.localeCompare(b, "en", {numeric: true});

		this.headings.forEach((other) => other.removeAttribute("aria-sort"));
		heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
		this.all.sort((a, b) => compare(keys.get(a), keys.get(b)));
		this.search();
	}

	show(isWhole) {
		const nrPages = Math.max(1, Math.ceil(this.found.length / PAGE_ROWS));
		const from = isWhole ? 0 : this.page * PAGE_ROWS;
		const to = isWhole ? this.found.length : from + PAGE_ROWS;

		this.body.replaceChildren(...this.found.slice(from, to));
		this.back.disabled = this.page <= 0;
		this.forth.disabled = this.page >= nrPages - 1;
		this.status.textContent = `${this.found.length} of ${this.all.length} rows` +
			(nrPages > 1 ? `, page ${this.page + 1} of ${nrPages}` : "");
	}
}

const tables = Array.from(document.querySelectorAll("table.data"), (table) => new Table(table));
// On paper there is nothing to click.
addEventListener("beforeprint", () => tables.forEach((table) => table.show(true)));
addEventListener("afterprint", () => tables.forEach((table) => table.show(false)));
