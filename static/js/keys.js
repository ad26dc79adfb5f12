// Gmail's keys. Single keys never act in fields, with a modifier, during IME
// input or under a dialog; one switch in the settings turns them off.
import { all, el, on, one, parse } from "./dom.js";
import { dialog } from "./dialog.js";
import { act, takeBack } from "./acts.js";
import { stepLetter } from "./letters.js";
import { moveBy } from "./move.js";
import { call, preload, visit } from "./net.js";
import { chosen, clear, current, focusRow, pick, rows, step } from "./rows.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

let prefix = "", since = 0;

const press = (selector) => { const e = one(selector); e?.click(); return Boolean(e); };
const command = (name) => press(`[data-command="${name}"]`);
const goRole = (icon) => {
	const link = all("nav.folders a[data-mailbox]").find((a) => one("use", a)?.getAttribute("href").endsWith("#" + icon));
	if (link) link.click(); else toast(say("nofolder"));
};

function openRow() {
	const row = current();
	if (row && document.activeElement?.closest(".row") !== row) one("[data-message-link]", row)?.click();
	else if (document.activeElement?.matches("[data-message-link]")) document.activeElement.click();
	else if (row) one("[data-message-link]", row)?.click();
}

/** down goes to the next row; near the last the next page is fetched. */
function down() {
	const row = step(1), older = one("#list .pages a[rel=next]");
	if (row && older && rows().indexOf(row) >= rows().length - 6) preload(older.href);
}

/** answer opens the form for the open message, else for the row of the keyboard. */
async function answer(name) {
	if (command(name)) return;
	const link = current() && one("[data-message-link]", current());
	if (link && await visit(link.href)) command(name);
}

/** back peels one layer: menus, selection, search, the message. */
function back() {
	const menu = one("details.menu[open]");
	if (menu) { menu.open = false; one("summary", menu).focus(); return; }
	if (document.activeElement && inField(document.activeElement)) { document.activeElement.blur(); return; }
	if (chosen()) { clear(); return; }
	const uid = one("[data-message]")?.dataset.message;
	const link = one(".message-bar .back") ?? one(".chip[href]:not([aria-current])");
	if (uid && link) visit(link.href).then((there) => there && focusRow(one(`.row[data-uid="${CSS.escape(uid)}"]`)));
}

async function archiveAnd(rel) {
	const to = one(`.steps a[rel="${rel}"]`)?.href;
	await act("archive");
	if (to) visit(to);
}

const plain = {
	j: down, k: () => step(-1), ArrowDown: down, ArrowUp: () => step(-1), o: openRow,
	J: () => step(1, true), K: () => step(-1, true),
	Home: () => focusRow(rows()[0]), End: () => focusRow(rows().at(-1)), PageDown: () => step(8), PageUp: () => step(-8),
	u: back, c: () => command("write") || press(".write"), C: () => open("/compose", "_blank"),
	r: () => answer("reply"), a: () => answer("replyall"), f: () => answer("forward"),
	e: () => act("archive"), "#": () => act("trash"), Delete: () => act("trash"), "!": () => act("junk"),
	I: () => act("read"), U: () => act("unread"), z: () => takeBack(),
	s: () => act(one("[data-message] .subject .flag") && !document.activeElement?.closest(".row") || current()?.hasAttribute("data-flagged") ? "unflag" : "flag"),
	"[": () => archiveAnd("prev"), "]": () => archiveAnd("next"),
	p: () => stepLetter(-1) || press('.steps a[rel="prev"]'), n: () => stepLetter(1) || press('.steps a[rel="next"]'), ";": () => command("unfold"),
	x: () => { const row = current(); if (row) one(".pick input", row).click(); },
	v: move, l: () => { const menu = one(".message-bar .more"); if (menu) { menu.open = true; one("#label")?.focus(); } },
	".": () => { const menu = one(".message-bar .more") ?? one(".list-menu"); if (menu) { menu.open = true; one("a, button, input", one(".menu-sheet", menu))?.focus(); } },
	"/": () => { const q = one("#q"); if (q?.offsetParent) { q.focus(); q.select(); } else press(".search-button"); },
	"?": help,
};
const after = {
	g: { i: () => goRole("inbox"), f: () => press('.chip[href*="filter=flagged"]') || goRole("flag"), d: () => goRole("file-pen-line"), s: () => goRole("send"), t: () => goRole("trash-2"), a: () => goRole("archive"), l: () => one("nav.folders a[data-mailbox]")?.focus() },
	"*": {
		a: () => pick(rows(), true), n: clear, s: () => pick(rows().filter((r) => r.hasAttribute("data-flagged")), true),
		r: () => pick(rows().filter((r) => !r.hasAttribute("data-unread")), true), u: () => pick(rows().filter((r) => r.hasAttribute("data-unread")), true),
	},
};

function move() {
	const row = current();
	if (!chosen() && document.activeElement?.closest("#list") && row) pick([row], true);
	const choice = one(chosen() ? ".action-bar .moveto" : ".message-bar .moveto");
	if (choice) moveBy(choice);
}

/** help shows the keys of the help page. */
async function help() {
	const response = await call("/help");
	const keys = one("dl.keys", parse(response, await response.text()));
	if (!keys) return location.assign("/help");
	dialog(say("keys"), (close) => [document.importNode(keys, true), el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => close(null), autofocus: true }, say("close")))], { broad: true });
}

const inField = (e) => e.isContentEditable || e.matches?.('textarea, select, input:not([type="checkbox"], [type="radio"])');

function onKey(e) {
	if (e.isComposing || e.defaultPrevented || one("dialog[open]")) return;
	const focus = document.activeElement;
	if (e.key === "Escape") { if (!inField(focus) || focus.id === "q" || focus.closest("details.menu[open]") || focus.matches("select")) back(); return; }
	if (e.key === "F6") { pane(e.shiftKey ? -1 : 1); e.preventDefault(); return; }
	if ((e.ctrlKey || e.metaKey) && e.key === "a" && focus?.closest(".row")) { pick(rows(), true); e.preventDefault(); return; }
	if (inField(focus) || e.ctrlKey || e.metaKey || e.altKey || document.body.hasAttribute("data-no-shortcuts")) return;
	const onList = focus === document.body || focus?.closest("#list, .reader") || !focus;
	if (e.key.length > 1 && !onList) return;
	if (["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"].includes(e.key) && !focus?.closest(".row")) {
		if (focus?.closest(".reader") || !rows().length || one("[data-message]")) return; // the letter scrolls
	}
	if (Date.now() - since > 1500) prefix = "";
	const run = prefix ? after[prefix]?.[e.key] : plain[e.key];
	if (!prefix && after[e.key]) { prefix = e.key; since = Date.now(); e.preventDefault(); return; }
	prefix = "";
	if (!run) return;
	e.preventDefault();
	run();
}

/** pane moves the focus to the next part of the frame. */
function pane(n) {
	const parts = [one("nav.folders"), one("#list"), one(".reader"), one(".docks")].filter((p) => p?.offsetParent);
	const at = parts.findIndex((p) => p.contains(document.activeElement));
	const to = parts.at((at + n + parts.length) % parts.length);
	if (!to) return;
	if (to.id === "list") focusRow(current() ?? rows()[0]);
	else {
		const stop = one("[aria-current], #subject, a", to) ?? to;
		if (stop === to) to.tabIndex = -1;
		stop.focus();
	}
}

/** startKeys listens, once for all pages. */
export function startKeys() {
	document.addEventListener("keydown", onKey);
	on("focusin", "[data-message-link]", (e, link) => { for (const r of rows()) one("[data-message-link]", r).tabIndex = r.contains(link) ? 0 : -1; });
}
