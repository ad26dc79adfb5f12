// Where to: a dialog with a filter field over the folders, those used last on
// top. It fills the select that stands in the form, and presses its button.
import { all, el, on, one } from "./dom.js";
import { dialog } from "./dialog.js";
import { say } from "./words.js";

const option = (o, id) => el("li", { role: "option", id, "data-folder": o.value, "aria-selected": "false" }, el("bdi", {}, o.text));

/** fill lists the folders whose names hold the words; without words, those used last stand first under their heading. */
function fill(list, select, words) {
	const fits = (o) => o.value && o.text.toLocaleLowerCase().includes(words);
	const groups = all("optgroup", select), rows = [];
	const add = (o) => rows.push(option(o, `folder-${rows.length}`));
	if (words || !groups.length) (groups.length ? all("option", groups[1]) : [...select.options]).filter(fits).forEach(add);
	else for (const g of groups) {
		rows.push(el("li", { role: "presentation", class: "menu-head" }, g.label));
		all("option", g).forEach(add);
	}
	list.replaceChildren(...rows);
	return all("[role=option]", list);
}

/** askFolder gives {folder, copy} or null. */
function askFolder(select) {
	let rows = [], at = 0;
	return dialog(say("moveto"), (close) => {
		const list = el("ul", { role: "listbox", id: "move-folders", "aria-label": say("moveto"), class: "listbox" });
		const copy = el("input", { type: "checkbox" });
		const none = el("p", { class: "hint", role: "status" });
		const field = el("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list", "aria-label": say("folder"), placeholder: say("folder"), autocomplete: "off", autofocus: true });
		const mark = (n) => {
			at = Math.max(0, Math.min(rows.length - 1, n));
			for (const r of rows) r.setAttribute("aria-selected", String(r === rows[at]));
			if (rows[at]) field.setAttribute("aria-activedescendant", rows[at].id); else field.removeAttribute("aria-activedescendant");
			rows[at]?.scrollIntoView({ block: "nearest" });
		};
		const show = () => { rows = fill(list, select, field.value.trim().toLocaleLowerCase()); none.textContent = rows.length ? "" : say("nofolders"); mark(0); };
		const take = (row) => { if (row) close({ folder: row.dataset.folder, copy: copy.checked }); };
		field.addEventListener("input", show);
		field.addEventListener("keydown", (e) => {
			if (e.isComposing) return;
			const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[e.key];
			if (to !== undefined) { mark(to); e.preventDefault(); }
			if (e.key === "Enter") { take(rows[at]); e.preventDefault(); }
		});
		list.addEventListener("click", (e) => take(e.target.closest("[role=option]")));
		show();
		return [field, list, none, el("p", { class: "check" }, el("label", {}, copy, " ", say("copyinstead"))), el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => close(null) }, say("cancel")))];
	});
}

/** moveBy asks where to, and sends the form in which a choice of folders stands. */
export async function moveBy(choice) {
	const select = one("select", choice), form = select?.form;
	const picked = form && await askFolder(select);
	if (!picked || !form.isConnected) return;
	select.value = picked.folder;
	form.requestSubmit(one(`button[value="${picked.copy ? "copy" : "move"}"]`, choice));
	select.value = "";
}

/** startMove listens, once for all pages. The select goes where this stands. */
export function startMove() {
	document.documentElement.setAttribute("data-moves", "");
	on("click", ".moveto > button", (e, button) => {
		if (one("select", button.parentElement).value) return;
		e.preventDefault();
		moveBy(button.parentElement);
	});
	on("click", ".message-bar details:has(.moveto) > summary", (e, summary) => { e.preventDefault(); moveBy(one(".moveto", summary.parentElement)); });
}
