// The list: picking rows, the current row, and acts that show at once.
import { all, coarse, el, icon, isOurs, on, one, parse, plainClick } from "./dom.js";
import { ask } from "./dialog.js";
import { call, isMailPath, morph, problem, show, visit } from "./net.js";
import { adopt, announce, forgetUndo, lastUndo, toast } from "./toast.js";
import { say } from "./words.js";

const leaving = new Set(["archive", "trash", "delete", "junk", "notjunk", "move"]);
const flags = { read: ["data-unread", false], unread: ["data-unread", true], flag: ["data-flagged", true], unflag: ["data-flagged", false] };

export const rows = () => all("[data-rows] > .row");
const boxOf = (row) => one(".pick input", row);
export const picked = () => rows().filter((r) => boxOf(r).checked);

/** current is the row of the keyboard: that with the focus, else that of the open message, else none. */
export const current = () => document.activeElement?.closest?.(".row") ?? one(".row[data-current]");

/** focusRow moves the keyboard to a row. */
export function focusRow(row) {
	if (!row) return;
	for (const r of rows()) one("[data-message-link]", r).tabIndex = r === row ? 0 : -1;
	one("[data-message-link]", row).focus({ preventScroll: true });
	row.scrollIntoView({ block: "nearest" });
}

/** step goes to the row so many further. */
export function step(n, extend = false) {
	const list = rows(), at = list.indexOf(current());
	const next = list[at < 0 ? (n > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, at + n))];
	if (extend && next) {
		if (at >= 0) boxOf(list[at]).checked = true;
		boxOf(next).checked = true;
		count();
	}
	focusRow(next);
	return next;
}

/** pick sets the check of rows. */
export function pick(list, yes) {
	for (const r of list) boxOf(r).checked = yes;
	count();
}

let anchor = null, long = 0, held = false; // the start of a range; a long press and what it did

function range(to) {
	const list = rows(), a = list.indexOf(anchor?.isConnected ? anchor : current() ?? to), b = list.indexOf(to);
	pick(list.slice(Math.max(0, Math.min(a, b)), Math.max(a, b) + 1), true);
}

/** count tells how many are picked, in the bar and to screen readers. */
export function count() {
	const n = picked().length, bar = one(".action-bar");
	if (!bar) return;
	let clear = one(".action-count", bar);
	if (!clear) {
		clear = el("button", { type: "button", class: "action-count", "aria-label": say("clear"), onclick: () => pick(rows(), false) });
		one(".moveto", bar)?.before(clear) ?? bar.append(clear);
	}
	clear.textContent = "✕ " + say("selected", { N: n });
	clear.setAttribute("aria-label", say("clear"));
	if (n) announce(say("selected", { N: n }));
}

/** settle makes a fresh list ready: one tab stop, the counter. */
export function settle() {
	const list = rows();
	const stop = one(".row[data-current]") ?? list[0];
	for (const r of list) one("[data-message-link]", r).tabIndex = r === stop ? 0 : -1;
	if (picked().length) count();
}

let flying = 0;
let overtaken = false;

/** send posts an act of a form with its button and shows what came of it. */
export async function send(form, button, list = []) {
	const sure = button.dataset.confirm;
	if (sure && !await ask(sure, button.textContent.trim())) return;
	const data = new FormData(form, button);
	const open = one("[data-message]")?.dataset.message;
	const gone = leaving.has(button.value);
	if (form.matches("[data-list]") && open && !(gone && list.some((r) => r.dataset.uid === open))) data.set("back", location.pathname + location.search);
	const next = gone ? rows()[rows().indexOf(list.at(-1)) + 1] ?? rows()[rows().indexOf(list[0]) - 1] : null;
	const held = list.contains?.(document.activeElement) || list.some((r) => r.contains(document.activeElement));
	const undo = before(list, button.value);
	if (gone && held && next) focusRow(next);
	flying++;
	if (flying > 1) overtaken = true;
	try {
		const response = await call(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(data) });
		const text = await response.text();
		const doc = isOurs(response) ? parse(response, text) : null;
		if (!response.ok || !doc) throw new Error(doc ? problem(doc) : say("refused"));
		if (flying > 1 || !one(".frame > .panes, .frame > main", doc) || !isMailPath(new URL(response.url).pathname)) adopt(doc);
		else if (overtaken) { adopt(doc); await refresh(); } else await show(response, text, doc, true);
	} catch (error) {
		undo();
		toast(navigator.onLine ? error.message || say("refused") : say("offline"), { failed: true });
	} finally {
		flying--;
		if (!flying) overtaken = false;
	}
}

/** before changes the rows as the act will, and gives what takes that back. */
function before(list, action) {
	const was = [];
	for (const row of list) {
		boxOf(row).checked = false;
		if (leaving.has(action)) {
			const parent = row.parentNode, after = row.nextSibling;
			row.setAttribute("data-leaving", "");
			setTimeout(() => row.hasAttribute("data-leaving") && row.remove(), 140);
			was.push(() => { row.removeAttribute("data-leaving"); row.setAttribute("data-failed", ""); if (!row.isConnected) parent.insertBefore(row, after?.parentNode === parent ? after : null); });
		} else if (flags[action]) {
			const [name, yes] = flags[action], had = row.hasAttribute(name);
			row.toggleAttribute(name, yes);
			was.push(() => row.toggleAttribute(name, had));
		}
	}
	return () => was.forEach((f) => f());
}

/** refresh fetches the list again and shows what changed; the open message stays. */
export async function refresh({ pill = false } = {}) {
	const form = one("form[data-list]"), open = one("[data-message]");
	const url = open ? one(".message-bar .back")?.href : location.href;
	if (!url || !one("#list")) return;
	const response = await call(url);
	const text = await response.text();
	if (!response.ok || !isOurs(response)) return;
	const doc = parse(response, text);
	if (open) one(`.row[data-uid="${CSS.escape(open.dataset.message)}"]`, doc)?.setAttribute("data-current", "");
	const list = one("#list"), known = new Set(rows().map((r) => r.id));
	const fresh = all("[data-rows] > .row", doc).filter((r) => !known.has(r.id));
	const parts = ["nav.folders"];
	if (pill && form && fresh.length && (list.scrollTop > 10 || picked().length)) newPill(list);
	else parts.push("#list");
	await morph(text, doc, parts);
	if (open && parts.includes("#list")) one(`.row[data-uid="${CSS.escape(open.dataset.message)}"]`)?.setAttribute("data-current", "");
	if (!open) document.title = doc.title;
	return fresh.length;
}

function newPill(list) {
	if (one(".new-pill", list)) return;
	one(".list-head", list).after(el("div", { class: "new-pill" }, el("button", { type: "button", onclick: () => { list.scrollTop = 0; refresh(); } }, say("new") + " · " + say("show"))));
}

/** act does something to the picked rows, else to the row of the keyboard or the open message. */
export function act(name) {
	const list = picked(), form = one("form[data-list]"), bar = one(".message-bar");
	const button = (root) => one(`button[name="action"][value="${name}"]`, root) ?? (name === "trash" ? one('button[value="delete"]', root) : null);
	if (!list.length && bar && !document.activeElement?.closest?.("#list")) {
		const b = button(bar);
		if (b) return send(bar, b, rows().filter((r) => r.dataset.uid === one("[data-message]").dataset.message));
	}
	const target = list.length ? list : [current()].filter(Boolean);
	if (form && target.length && button(form)) return sendRows(form, button(form), target);
}

function sendRows(form, button, list) {
	for (const r of rows()) boxOf(r).checked = list.includes(r);
	return send(form, button, list);
}

/** takeBack undoes the newest act. */
export async function takeBack(address = lastUndo()) {
	if (!address) return;
	const response = await call(address, { method: "POST", body: new URLSearchParams({ back: location.pathname + location.search }) });
	const text = await response.text();
	if (!isOurs(response)) return toast(say("refused"), { failed: true });
	const doc = parse(response, text);
	if (one(".frame > .panes", doc)) await show(response, text, doc, false);
	else adopt(doc);
}

/** tools are the quick buttons on the row under the pointer, named like those of the action bar. */
function tools(row) {
	one(".row-tools")?.remove();
	const form = one("form[data-list]");
	if (!form || coarse() || row.closest("form") !== form) return;
	const names = ["archive", one('button[value="trash"]', form) ? "trash" : "delete", row.hasAttribute("data-unread") ? "read" : "unread", row.hasAttribute("data-flagged") ? "unflag" : "flag"];
	const buttons = names.map((n) => one(`.action-bar button[value="${n}"]`, form)).filter(Boolean).map((b) => {
		const words = b.textContent.trim();
		const tool = el("button", { type: "button", class: "icon-button", title: words, "aria-label": words, tabindex: "-1", onclick: (e) => { e.stopPropagation(); sendRows(form, b, [row]); } });
		tool.append(one("svg", b)?.cloneNode(true) ?? icon("ellipsis"));
		return tool;
	});
	if (buttons.length) row.append(el("div", { class: "row-tools" }, ...buttons));
}

/** startList listens for the list, once for all pages. */
export function startList() {
	on("change", ".pick input", (e, box) => { anchor = box.closest(".row"); count(); });
	on("click", ".pick input", (e, box) => { if (e.shiftKey && anchor) range(box.closest(".row")); });
	on("click", "[data-message-link]", (e, link) => {
		const row = link.closest(".row");
		if (held) { held = false; e.preventDefault(); return; }
		if (e.shiftKey && e.button === 0) { e.preventDefault(); range(row); return; }
		if ((e.ctrlKey || e.metaKey) && e.button === 0) { e.preventDefault(); boxOf(row).checked = !boxOf(row).checked; anchor = row; count(); return; }
		if (coarse() && picked().length) { e.preventDefault(); boxOf(row).checked = !boxOf(row).checked; count(); }
	}, { capture: true });
	on("submit", "form[data-list], form.message-bar", (e, form) => {
		const b = e.submitter;
		if (!b?.value || b.name !== "action") return;
		e.preventDefault();
		const open = one("[data-message]")?.dataset.message;
		send(form, b, form.matches("[data-list]") ? picked() : rows().filter((r) => r.dataset.uid === open && !["label", "copy"].includes(b.value)));
	});
	on("submit", ".toast form", (e, form) => { e.preventDefault(); forgetUndo(form.getAttribute("action")); form.closest(".toast").remove(); takeBack(form.getAttribute("action")); });
	on("pointerover", ".row", (e, row) => { if (!one(".row-tools", row)) tools(row); });
	on("pointerout", "#list", (e, list) => { if (!list.contains(e.relatedTarget)) one(".row-tools")?.remove(); });
	on("click", ".panes a[href], nav.folders a[data-mailbox]", (e, link) => {
		if (!plainClick(e) || link.target || link.hasAttribute("download") || !isMailPath(link.pathname) || link.origin !== location.origin || !one(".frame > .panes")) return;
		e.preventDefault();
		const from = link.closest(".row");
		if (from) { for (const r of rows()) r.toggleAttribute("data-current", r === from); from.removeAttribute("data-unread"); }
		visit(link.href).then((there) => there && arrive(from));
	});
	on("submit", "form.search", (e, form) => {
		if (!one(".frame > .panes")) return;
		e.preventDefault();
		const to = new URL(form.getAttribute("action"), location.href);
		to.search = new URLSearchParams(new FormData(form));
		visit(to.href);
	});
	on("pointerdown", ".row", (e, row) => { if (e.pointerType === "touch") long = setTimeout(() => { held = true; boxOf(row).checked = !boxOf(row).checked; navigator.vibrate?.(10); count(); }, 400); });
	for (const type of ["pointerup", "pointercancel", "pointermove", "scroll"]) document.addEventListener(type, (e) => { if (type !== "pointermove" || Math.hypot(e.movementX, e.movementY) > 10) clearTimeout(long); }, { capture: true, passive: true });
	document.addEventListener("restante:page", settle);
	settle();
}

/** arrive puts the focus where reading starts. */
function arrive(from) {
	const subject = one("#subject");
	if (subject) {
		const reader = one(".reader");
		if (reader) reader.scrollTop = 0;
		subject.focus({ preventScroll: true });
	} else if (from) focusRow(document.getElementById(from.id));
	else one("#list-title")?.scrollIntoView({ block: "nearest" });
}
