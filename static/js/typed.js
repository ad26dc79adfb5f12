// What is offered at the caret while a letter is written: emoji after a colon,
// templates after a semicolon.
import { all, el, icon, isOurs, one, parse } from "./dom.js";
import { menu } from "./inks.js";
import { announce } from "./toast.js";
import { say } from "./words.js";

const most = 6, begun = /(?:^|[\s(\u200b])([:;])([\p{L}\p{N}_+-]{1,40})(:?)$/u;

let known = null; // every emoji as [names, sign]

async function emoji() {
	known ??= (await import("asset:vendor/emoji.js")).default.split("\n").map((line) => { const words = line.split(" "); return [words.slice(0, -1), words.at(-1)]; });
	return known;
}

/** findEmoji gives what the name, or where it is not whole a beginning or a part of it, may mean. */
async function findEmoji(name, whole) {
	const rank = (names) => names.includes(name) ? 3 : names.some((n) => n.startsWith(name)) ? 2 : names.some((n) => n.includes(name)) ? 1 : 0;
	if (name.length < 2 && !whole) return [];
	return (await emoji()).map(([names, sign]) => ({ rank: rank(names), names, sign })).filter((e) => whole ? e.rank === 3 : e.rank)
		.sort((a, b) => b.rank - a.rank || a.names[0].length - b.names[0].length).slice(0, most)
		.map(({ names, sign }) => ({ words: sign + " " + names.find((n) => n.includes(name)), text: sign }));
}

/** templatesFor asks for a person's templates, filled in for the first recipient of a form. */
export async function templatesFor(form) {
	const q = new URLSearchParams({ to: form.elements.to.value.slice(0, 1000), from: form.elements.from.value });
	const response = await fetch("/compose/templates?" + q, { headers: { "X-Restante": "1" } });
	if (!response.ok || !isOurs(response)) return [];
	return all("[data-template]", parse(response, await response.text())).map((t) => ({ id: t.dataset.id, name: t.dataset.template, shortcut: t.dataset.shortcut, subject: t.dataset.subject, words: t.dataset.template, html: t.dataset.text }));
}

async function findTemplates(form, letters) {
	const wanted = letters.toLowerCase();
	return (await templatesFor(form)).filter((t) => t.shortcut.toLowerCase().startsWith(wanted) || t.name.toLowerCase().includes(wanted)).slice(0, most);
}

/** startTyped makes the offers of an editor; templates are for letters. */
export function startTyped(editor, form, { letter }) {
	const root = editor.getRoot(), list = el("ul", { class: "listbox typed", id: root.id + "-offers", role: "listbox", "aria-label": say("offers"), popover: "manual" });
	let at = null, offers = [], marked = 0, count = 0;
	root.after(list);
	list.addEventListener("pointerdown", (e) => e.preventDefault()); // the caret stays

	const close = () => {
		count++; // what is still being looked for comes too late
		offers = [];
		at = null;
		if (list.matches(":popover-open")) list.hidePopover();
		root.removeAttribute("aria-activedescendant");
	};
	const mark = (n) => {
		marked = (n + offers.length) % offers.length;
		all("[role=option]", list).forEach((o, i) => o.setAttribute("aria-selected", String(i === marked)));
		root.setAttribute("aria-activedescendant", list.id + "-" + marked);
	};
	const typed = () => {
		const range = document.createRange(), caret = editor.getSelection();
		range.setStart(at.node, at.from);
		range.setEnd(at.node, caret.endContainer === at.node ? Math.max(at.to, caret.endOffset) : Math.min(at.to, at.node.length)); // typed on meanwhile
		return range;
	};
	const take = (offer) => {
		const range = typed();
		close();
		insert(editor, form, offer, range);
	};
	const show = () => {
		list.replaceChildren(...offers.map((o, i) => el("li", { role: "option", id: list.id + "-" + i, onclick: () => take(o) }, o.words)));
		list.showPopover();
		const caret = typed().getBoundingClientRect(), { offsetWidth: w, offsetHeight: h } = list;
		list.style.left = Math.max(8, Math.min(caret.left, innerWidth - w - 8)) + "px";
		list.style.top = (caret.bottom + h + 8 > innerHeight ? caret.top - h - 4 : caret.bottom + 4) + "px";
		mark(0);
		announce(say("suggestions", { N: offers.length }));
	};
	const look = async () => {
		const range = editor.getSelection(), node = range.startContainer, mine = ++count;
		const found = range.collapsed && node.nodeType === Node.TEXT_NODE && !node.parentElement.closest("code, pre") && begun.exec(node.data.slice(0, range.startOffset));
		if (!found || found[1] === ";" && found[3]) return close();
		const [, sign, letters, end] = found, to = range.startOffset;
		const list = sign === ";" && !letter ? [] : sign === ":" ? await findEmoji(letters.toLowerCase(), Boolean(end)) : await findTemplates(form, letters);
		const whole = sign + letters + end, from = to - whole.length;
		if (end && list.length && node.isConnected && node.data.slice(from, to) === whole) { // though it was typed on meanwhile
			editor.saveUndoState();
			node.replaceData(from, whole.length, list[0].text);
			return close();
		}
		if (mine !== count) return;
		if (!list.length) return close();
		at = { node, from, to };
		offers = list;
		show();
	};
	root.addEventListener("input", () => { look().catch(close); }); // not that of the editor, which tells of its own changes too
	editor.addEventListener("blur", close);
	root.addEventListener("keydown", (e) => {
		if (!offers.length || e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
		if (e.key === "ArrowDown") mark(marked + 1);
		else if (e.key === "ArrowUp") mark(marked - 1);
		else if (e.key === "Enter" || e.key === "Tab") take(offers[marked]);
		else if (e.key === "Escape") close();
		else return;
		e.preventDefault();
		e.stopImmediatePropagation();
	}, true);
	return list;
}

/** cannedTool is the button with the menu of templates, to stand in the bar in the place of the form's own choice. */
export function cannedTool(editor, bar, form) {
	const choice = one("[name=canned]", form), button = el("button", { type: "button", class: "plain", title: say("templates"), "aria-label": say("templates"), "data-tool": "templates", tabindex: "-1" }, icon("bookmark"));
	button.addEventListener("mousedown", (e) => e.preventDefault());
	bar.append(button);
	menu(editor, button, [...choice.options].map((o) => [o.text, o.value]), () => "", async (id) => {
		const range = editor.getSelection(), chosen = (await templatesFor(form)).find((t) => t.id === id);
		if (chosen) insert(editor, form, chosen, range);
	});
}

/** insert puts an offer in the place of a range, and its subject where the letter has none. */
export function insert(editor, form, offer, range) {
	if (range) editor.setSelection(range);
	if (offer.html) {
		editor.insertHTML(offer.html);
		const { subject } = form.elements;
		if (offer.subject && !subject.value) subject.value = offer.subject;
	} else {
		const selection = editor.getSelection();
		editor.saveUndoState(selection);
		selection.deleteContents();
		const text = document.createTextNode(offer.text);
		selection.insertNode(text);
		selection.setStartAfter(text);
		selection.collapse(true);
		editor.setSelection(selection);
	}
	editor.focus();
	editor.fireEvent("input");
}
