// The list under mouse and finger: picking, quick tools, opening.
import { coarse, el, icon, on, one, plainClick } from "./dom.js";
import { refresh, send, sendRows, takeBack } from "./acts.js";
import { busy, call, isMailPath, preload, visit } from "./net.js";
import { boxOf, chosen, count, elsewhere, focusRow, markCurrent, picked, range, rows, settle, startRange } from "./rows.js";
import { forgetUndo } from "./toast.js";

let long = 0, held = false, down = [0, 0]; // a long press and what it did

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
	on("change", ".all input", count);
	on("change", ".pick input", (e, box) => { startRange(box.closest(".row")); count(); });
	on("click", ".pick input", (e, box) => { if (e.shiftKey) range(box.closest(".row")); });
	on("click", "[data-message-link]", (e, link) => {
		const row = link.closest(".row");
		if (held) { held = false; e.preventDefault(); return; }
		if (e.shiftKey && e.button === 0) { e.preventDefault(); range(row); return; }
		if ((e.ctrlKey || e.metaKey) && e.button === 0) { e.preventDefault(); boxOf(row).checked = !boxOf(row).checked; startRange(row); count(); return; }
		if (coarse() && chosen()) { e.preventDefault(); boxOf(row).checked = !boxOf(row).checked; count(); }
	}, { capture: true });
	on("submit", "form[data-list], form.message-bar, form.label-form", (e, form) => {
		if (e.submitter?.value === "forward") { // leads to another page
			form.append(...elsewhere().map((uid) => el("input", { type: "hidden", name: "uid", value: uid })));
			return;
		}
		const b = e.submitter;
		if (!b?.value || b.name !== "action") return;
		e.preventDefault();
		if (b.value === "open") { // Enter in a check
			const row = document.activeElement?.closest(".row");
			if (row) one("[data-message-link]", row).click();
			return;
		}
		const open = one("[data-message]")?.dataset.message;
		if (form.matches("[data-list]")) send(form, b, picked(), elsewhere());
		else send(form, b, rows().filter((r) => r.dataset.uid === open && !["label", "copy"].includes(b.value)));
	});
	on("submit", ".toast form", (e, form) => {
		const address = form.getAttribute("action");
		forgetUndo(address);
		if (address.startsWith("/work/")) {
			e.preventDefault();
			call(address, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then(() => refresh());
			return;
		}
		if (!address.startsWith("/undo/")) return;
		e.preventDefault();
		form.closest(".toast").remove();
		takeBack(address);
	});
	on("pointerover", ".row", (e, row) => { if (!one(".row-tools", row)) tools(row); });
	on("pointerover", "#list .pages a[rel]", (e, link) => preload(link.href));
	on("pointerout", "#list", (e, list) => { if (!list.contains(e.relatedTarget)) one(".row-tools")?.remove(); });
	on("click", ".panes a[href], nav.folders a[data-mailbox]", (e, link) => {
		if (!plainClick(e) || link.target || link.hasAttribute("download") || !isMailPath(link.pathname) || link.origin !== location.origin || !one(".frame > .panes")) return;
		e.preventDefault();
		const from = link.closest(".row"), unread = from?.hasAttribute("data-unread");
		if (from) { markCurrent(from.dataset.uid); from.removeAttribute("data-unread"); }
		visit(link.href).then((there) => {
			if (there) return arrive(from);
			if (!from || busy()) return;
			from.toggleAttribute("data-unread", unread); // it did not open
			markCurrent(one("[data-message]")?.dataset.message);
		});
	});
	on("submit", "form.search, form.jump", (e, form) => {
		if (!one(".frame > .panes")) return;
		e.preventDefault();
		const to = new URL(form.getAttribute("action"), location.href);
		to.search = new URLSearchParams(new FormData(form));
		document.activeElement?.blur();
		const day = to.searchParams.get("on"), oldest = to.searchParams.get("order") === "asc";
		const dayOf = (row) => one("time", row).dateTime.slice(0, 10);
		visit(to.href).then((there) => {
			const meant = there && day && rows().find((r) => oldest ? dayOf(r) >= day : dayOf(r) <= day);
			if (there) focusRow(meant || rows()[0]);
			if (meant) meant.scrollIntoView({ block: "center" });
		});
	});
	on("pointerdown", ".row", (e, row) => { down = [e.clientX, e.clientY]; if (e.pointerType === "touch") long = setTimeout(() => { held = true; boxOf(row).checked = !boxOf(row).checked; navigator.vibrate?.(10); count(); }, 400); });
	for (const type of ["pointerup", "pointercancel", "pointermove", "scroll"]) document.addEventListener(type, (e) => { if (type !== "pointermove" || Math.hypot(e.clientX - down[0], e.clientY - down[1]) > 10) clearTimeout(long); }, { capture: true, passive: true });
	document.addEventListener("restante:page", settle);
	settle();
	one(".row[data-current]")?.scrollIntoView({ block: "center" });
}

/** arrive puts the focus where reading starts. */
function arrive(from) {
	const subject = one("#subject, #trouble");
	if (subject) {
		const reader = one(".reader");
		if (reader) reader.scrollTop = 0;
		subject.focus({ preventScroll: true });
	} else if (from) focusRow(document.getElementById(from.id));
	else one("#list-title")?.scrollIntoView({ block: "nearest" });
}
