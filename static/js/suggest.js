// The list under a field that suggests what may be meant (APG combobox): asked
// for while somebody types, marked with arrows, taken with Enter or a press.
import { all, el, isOurs, parse } from "./dom.js";
import { announce } from "./toast.js";
import { say } from "./words.js";

const pause = 120; // after a key, before the server is asked

const fold = (s) => s.toLowerCase().normalize("NFKD").replace(/\p{Mn}/gu, "");

/** marked gives a text with what begins as the words of q do in <mark>. */
export function marked(text, q) {
	const words = fold(q).split(/\s+/).filter(Boolean), out = [];
	let from = 0;
	for (const { index } of text.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)) {
		if (index < from) continue;
		const word = words.find((w) => fold(text.slice(index)).startsWith(w));
		if (!word) continue;
		let end = index + 1;
		while (end < text.length && (fold(text.slice(index, end)) !== word || /^\p{Mn}/u.test(text.slice(end)))) end++;
		out.push(text.slice(from, index), el("mark", {}, text.slice(index, end)));
		from = end;
	}
	return [...out, text.slice(from)];
}

/** Suggestions hang under a field. take(option) is called with what was chosen; label is the name of the list; with first, Enter takes the first one. */
export class Suggestions {
	constructor(field, { id, label, take, first = false }) {
		this.field = field;
		this.take = take;
		this.first = first;
		this.list = el("ul", { class: "listbox", id, role: "listbox", hidden: true, ...label });
		for (const [k, v] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) field.setAttribute(k, v);
		this.list.addEventListener("pointerdown", (e) => e.preventDefault()); // the focus stays in the field
		this.list.addEventListener("click", (e) => { const option = e.target.closest("[role=option]"); if (option) this.take(option); });
	}

	get options() { return all("[role=option]", this.list); }
	get open() { return !this.list.hidden; }
	get marked() { return this.open ? this.options.find((o) => o.ariaSelected === "true") : undefined; }

	/** ask gets a list for the field as it is, once nobody types; whatever was asked before is let go. rows(list) gives the rows to show. */
	ask(url, rows) {
		this.stop();
		const typed = this.field.value;
		this.timer = setTimeout(async () => {
			const asked = this.asked = new AbortController();
			try {
				const response = await fetch(url, { headers: { "X-Restante": "1" }, signal: asked.signal });
				if (!response.ok || !isOurs(response)) return;
				const list = rows(parse(response, await response.text()));
				if (!asked.signal.aborted && this.field.value === typed) this.show(list);
			} catch { /* typed by hand then */ }
		}, pause);
	}

	show(rows) {
		this.list.replaceChildren(...rows);
		this.options.forEach((o, i) => { o.id = this.list.id + "-" + i; });
		this.list.hidden = !rows.length;
		this.field.setAttribute("aria-expanded", String(this.open));
		this.mark(this.first ? 0 : -1);
		if (this.open) announce(say("suggestions", { N: this.options.length }));
	}

	/** mark says which is taken by Enter; -1 for none. */
	mark(at) {
		this.options.forEach((o, i) => o.setAttribute("aria-selected", String(i === at)));
		const option = this.options[at];
		if (option) this.field.setAttribute("aria-activedescendant", option.id);
		else this.field.removeAttribute("aria-activedescendant");
		option?.scrollIntoView({ block: "nearest" });
	}

	/** step marks the next or, with -1, the one before; around the ends. */
	step(n) {
		const { options } = this, at = options.findIndex((o) => o.ariaSelected === "true");
		this.mark(at < 0 && n < 0 ? options.length - 1 : (at + n + options.length) % options.length);
	}

	stop() {
		clearTimeout(this.timer);
		this.asked?.abort();
	}

	close() {
		this.stop();
		this.list.hidden = true;
		this.field.setAttribute("aria-expanded", "false");
		this.field.removeAttribute("aria-activedescendant");
	}
}
