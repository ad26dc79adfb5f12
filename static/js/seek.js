// The search fields suggest people, folders and searches of before while
// somebody types. Enter searches for what stands there.
import { all, on, one } from "./dom.js";
import { isMailPath, visit } from "./net.js";
import { Suggestions } from "./suggest.js";
import { say } from "./words.js";

const fields = "form:is(.search, .search-form) > input[type=search]";
const under = new WeakMap(); // a field's suggestions

/** offers gives the suggestions of a field, whose page may have changed around it. */
function offers(field) {
	let s = under.get(field);
	if (s?.list.isConnected && field.role === "combobox") return s;
	s?.list.remove();
	s = new Suggestions(field, { id: field.id + "-offers", label: { "aria-label": say("offers") }, take: (option) => take(field, s, option) });
	field.after(s.list);
	under.set(field, s);
	return s;
}

function take(field, s, { dataset: { query, go } }) {
	s.close();
	if (query) {
		field.value = query;
		field.form.requestSubmit();
	} else if (one(".frame > .panes") && isMailPath(new URL(go, location.href).pathname)) {
		field.blur();
		visit(go);
	} else location.assign(go);
}

/** account names the one that is searched, where it is not the first. */
const account = (field) => { const of = field.form.elements.account?.value; return of ? { account: of } : {}; };

/** ask lets the list follow the field; one in which nothing stands has the searches of before. */
function ask(field) {
	offers(field).ask("/search/suggest?" + new URLSearchParams({ q: field.value, ...account(field) }), (doc) => all("[role=listbox] > li", doc).map((row) => document.importNode(row, true)));
}

function key(e, field) {
	const s = offers(field), { open, marked } = s;
	if (e.isComposing) return;
	if (e.key === "ArrowDown" || e.key === "ArrowUp") {
		if (open) s.step(e.key === "ArrowDown" ? 1 : -1); else ask(field);
	} else if (e.key === "Escape" && open) {
		s.close();
		e.stopPropagation();
	} else if (e.key === "Enter" && marked) take(field, s, marked);
	else {
		if (e.key === "Enter" || e.key === "Tab") s.close();
		return;
	}
	e.preventDefault();
}

/** startSeek listens, once for all pages. */
export function startSeek() {
	const ready = () => { for (const field of all(fields)) offers(field); };
	on("input", fields, (e, field) => ask(field));
	on("keydown", fields, key, { capture: true });
	on("click", fields, (e, field) => { if (!field.value && !offers(field).open) ask(field); });
	on("focusout", fields, (e, field) => offers(field).close());
	document.addEventListener("restante:page", ready);
	ready();
	const typed = document.activeElement;
	if (typed?.matches(fields) && typed.value !== typed.defaultValue) ask(typed); // faster than this came
}
