// Toasts: what was done, with Undo for ten seconds; `z` reaches further back.
import { el, one, on } from "./dom.js";

const lasting = 10_000;
const undos = []; // addresses, newest last
let timer = 0;

const holder = () => one("[data-status]");

/** toast shows words; action is {words, run} or null. Failures are said at once. */
export function toast(words, { failed = false, action = null } = {}) {
	const box = el("div", { class: failed ? "toast failed" : "toast" }, el("span", {}, words));
	if (action) box.append(el("button", { type: "button", class: "stub", onclick: () => { box.remove(); action.run(); } }, action.words));
	(failed ? one("[data-alert]") ?? holder() : holder())?.replaceChildren(box);
	watch();
	return box;
}

/** adopt shows the toast that a page of ours brought. */
export function adopt(doc) {
	const brought = one("[data-status] .toast, [data-alert] .toast", doc);
	if (!brought) return;
	const work = brought.dataset.work && one(`[data-work="${brought.dataset.work}"]`);
	if (work) one("span", work).replaceChildren(...document.importNode(one("span", brought), true).childNodes); // Stop keeps the focus
	else (brought.closest("[data-alert]") ? one("[data-alert]") : holder())?.replaceChildren(document.importNode(brought, true));
	watch();
}

/** watch starts the clock of the toast on the screen and remembers its undo. */
export function watch() {
	const form = one("[data-status] form:has([data-undo])");
	if (form && !undos.includes(form.getAttribute("action"))) {
		undos.push(form.getAttribute("action"));
		if (undos.length > 20) undos.shift();
	}
	clearTimeout(timer);
	timer = setTimeout(fade, lasting);
}

function fade() {
	const box = one(".toasts");
	if (!box || one("[data-work]", box)) return;
	if (box.matches(":hover") || box.contains(document.activeElement) || document.hidden) {
		timer = setTimeout(fade, 2000);
		return;
	}
	for (const t of box.querySelectorAll(".toast")) t.remove();
}

/** lastUndo takes the newest act that can be undone. */
export const lastUndo = () => undos.pop();

/** forgetUndo drops one that was used by its button. */
export function forgetUndo(address) {
	const at = undos.indexOf(address);
	if (at >= 0) undos.splice(at, 1);
}

let lastSaid = 0;
/** announce says something to screen readers only, at most every two seconds. */
export function announce(words) {
	if (Date.now() - lastSaid < 2000) return;
	lastSaid = Date.now();
	const box = el("span", { class: "hidden-words" }, words);
	holder()?.append(box);
	setTimeout(() => box.remove(), 4000);
}

on("click", ".toast [data-dismiss]", (e, hit) => hit.closest(".toast").remove());
