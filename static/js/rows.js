// The rows of the list: which is current, which are picked.
import { all, el, one } from "./dom.js";
import { announce } from "./toast.js";
import { say } from "./words.js";

/** rows are the mails on the page, as they stand. */
export const rows = () => all("[data-rows] > .row");
/** boxOf is the check of a row. */
export const boxOf = (row) => one(".pick input", row);
export const picked = () => rows().filter((r) => boxOf(r).checked);

const kept = new Set(); // the picks on the other pages of the list
let keptIn = "", keptOf = ""; // their folder, and its list

/** elsewhere are the mails that are picked on other pages of the list. */
export const elsewhere = () => [...kept];
/** chosen is how many mails are picked, on this page and the others. */
export const chosen = () => picked().length + kept.size;

const every = () => one("form[data-list] .all input");

/** everyone says that all mails of the list are meant, on whatever page: only as long as all on this one are picked. */
function everyone() {
	if (every()?.checked && picked().length < rows().length) notEveryone();
	return Boolean(every()?.checked);
}

/** pickedWords say how many mails are meant, of n that are picked. */
export const pickedWords = (n) => everyone() ? every().closest(".all").textContent.trim() : say("selected", { N: n });

/** notEveryone means no mails but those that are picked. */
export function notEveryone() {
	if (every()) every().checked = false;
}

/** names tell a folder, and a list of it, from others, whichever page is shown. */
function names(form) {
	const here = new URL(one("[name=back]", form).value, location.href).searchParams;
	const folder = form.getAttribute("action") + " " + one("[name=validity]", form).value;
	return [folder, folder + ["q", "in", "filter", "sort", "order", "threads"].map((n) => " " + here.get(n)).join("")];
}

/** leavePicks takes along what is picked on a page of the list that goes. */
function leavePicks() {
	const form = one("form[data-list]");
	if (!form) return;
	[keptIn, keptOf] = names(form);
	for (const r of picked()) kept.add(boxOf(r).value);
}

/** bringPicks picks again what came back, and keeps the rest while the list is the same. */
function bringPicks() {
	const form = one("form[data-list]");
	if (!form) return;
	const [folder, list] = names(form);
	if (folder !== keptIn) kept.clear();
	for (const r of rows()) if (kept.delete(boxOf(r).value)) boxOf(r).checked = true;
	if (list !== keptOf) kept.clear();
	form.toggleAttribute("data-elsewhere", kept.size > 0);
}
document.addEventListener("restante:swap", leavePicks);

/** forgetPicks lets go of the picks on other pages, and gives what takes that back. */
export function forgetPicks() {
	notEveryone();
	const were = elsewhere(), set = (list) => {
		kept.clear();
		for (const uid of list) kept.add(uid);
		one("form[data-list]")?.toggleAttribute("data-elsewhere", kept.size > 0);
		count();
	};
	if (were.length) set([]);
	return () => were.length && set(were);
}

/** clear picks nothing, on no page. */
export function clear() {
	forgetPicks();
	pick(rows(), false);
}

/** current is the row of the keyboard: that with the focus, else that of the open message, else none. */
export const current = () => document.activeElement?.closest?.(".row") ?? one(".row[data-current]");

/** markCurrent makes the row of a mail the current one. */
export function markCurrent(mail) {
	for (const r of rows()) {
		const link = one("[data-message-link]", r), yes = r.dataset.uid === mail;
		r.toggleAttribute("data-current", yes);
		if (yes) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
	}
}

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

let anchor = null; // the start of a range

/** startRange makes a row the start of the next range. */
export const startRange = (row) => { anchor = row; };

/** range picks from the start to a row. */
export function range(to) {
	const list = rows(), a = list.indexOf(anchor?.isConnected ? anchor : current() ?? to), b = list.indexOf(to);
	pick(list.slice(Math.max(0, Math.min(a, b)), Math.max(a, b) + 1), true);
}

/** count tells how many are picked, in the bar and to screen readers. */
export function count() {
	const n = chosen(), bar = one(".action-bar");
	if (!bar) return;
	let tell = one(".action-count", bar);
	if (!tell) {
		tell = el("button", { type: "button", class: "action-count", title: say("clear"), onclick: clear });
		one(".moveto", bar)?.before(tell) ?? bar.append(tell);
		tell.after(el("button", { type: "button", class: "action-page", onclick: () => pick(rows(), true) }, say("page")));
	}
	const words = pickedWords(n);
	tell.textContent = "✕ " + words;
	const page = one(".action-page", bar);
	if (page) page.hidden = picked().length === rows().length;
	if (n) announce(words);
}

/** settle makes a fresh list ready: one tab stop, the counter. */
export function settle() {
	bringPicks();
	everyone();
	const list = rows();
	const stop = one(".row[data-current]") ?? list[0];
	for (const r of list) one("[data-message-link]", r).tabIndex = r === stop ? 0 : -1;
	if (chosen()) count();
}
