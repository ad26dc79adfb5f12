// Rows dragged to a folder move there, with Ctrl they are copied. The select in the bar does the same.
import { all, el, on, one } from "./dom.js";
import { sendRows } from "./acts.js";
import { elsewhere, picked } from "./rows.js";
import { say } from "./words.js";

let dragged = null, others = []; // rows, and picks on other pages

function drop(form, link, copy) {
	const to = one("select[name=to]", form), button = one(`button[value="${copy ? "copy" : "move"}"]`, form);
	if (!to || !button || ![...to.options].some((o) => o.value === link.dataset.mailbox)) return;
	to.value = link.dataset.mailbox;
	sendRows(form, button, dragged, others);
	to.value = "";
}

/** startDrag listens, once for all pages. */
export function startDrag() {
	on("dragstart", "form[data-list] .row", (e, row) => {
		const list = picked();
		dragged = list.includes(row) ? list : [row];
		others = list.includes(row) ? elsewhere() : [];
		const n = dragged.length + others.length;
		const ghost = el("div", { class: "drag-ghost" }, n > 1 ? say("selected", { N: n }) : one(".row-subject", row).textContent.trim());
		document.body.append(ghost);
		e.dataTransfer.setDragImage(ghost, -12, -12);
		e.dataTransfer.effectAllowed = "copyMove";
		setTimeout(() => ghost.remove());
	});
	on("dragover", "nav.folders a[data-mailbox]", (e, link) => {
		if (!dragged) return;
		e.preventDefault();
		e.dataTransfer.dropEffect = e.ctrlKey ? "copy" : "move";
		for (const a of all("[data-drop]")) if (a !== link) a.removeAttribute("data-drop");
		link.setAttribute("data-drop", "");
	});
	on("dragleave", "nav.folders a[data-mailbox]", (e, link) => link.removeAttribute("data-drop"));
	on("drop", "nav.folders a[data-mailbox]", (e, link) => {
		const form = one("form[data-list]");
		if (!dragged || !form) return;
		e.preventDefault();
		drop(form, link, e.ctrlKey);
	});
	document.addEventListener("dragend", () => { dragged = null; for (const a of all("[data-drop]")) a.removeAttribute("data-drop"); });
}
