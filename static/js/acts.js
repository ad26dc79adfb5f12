// Acts on mails: they show at once, and are taken back when the server refuses.
import { all, el, isOurs, one, parse } from "./dom.js";
import { ask } from "./dialog.js";
import { renewLetters, withOpen } from "./letters.js";
import { busy, call, isMailPath, morph, page, problem, show, visit } from "./net.js";
import { boxOf, chosen, current, elsewhere, focusRow, forgetPicks, markCurrent, notEveryone, pick, picked, pickedWords, rows } from "./rows.js";
import { adopt, lastUndo, toast } from "./toast.js";
import { say } from "./words.js";

const leaving = new Set(["archive", "trash", "delete", "junk", "notjunk", "move"]);
const stillFound = new Set(["archive", "notjunk", "move"]); // a search over all folders finds them where they are then
const flags = { read: ["data-unread", false], unread: ["data-unread", true], flag: ["data-flagged", true], unflag: ["data-flagged", false] };

let flying = 0, overtaken = false, acted = 0, onward = "";
let line = Promise.resolve();

/** inTurn does one thing after the other: what a page tells of an act is not that of the next, and Undo means the last. */
function inTurn(act) {
	const mine = line.then(act);
	line = mine.catch(() => {});
	return mine;
}

/** restless says that an act of our own has just changed the list. */
export const restless = () => flying > 0 || Date.now() - acted < 1500;

/** send posts an act of a form with its button, about rows and mails on other pages, and shows what came of it. */
export async function send(form, button, list = [], more = []) {
	const article = one("[data-message]");
	if (form.matches("[data-list]") ? list.length && list.every((r) => r.hasAttribute("data-leaving")) : article?.hasAttribute("data-leaving")) return false; // pressed twice
	const sure = button.dataset.confirm;
	if (sure && !await ask(list.length + more.length > 1 ? pickedWords(list.length + more.length) + ". " + sure : sure, button.textContent.trim())) return false;
	const data = new FormData(form, button);
	for (const uid of more) data.append("uid", uid);
	const moves = leaving.has(button.value), gone = leaves(button.value);
	const goes = moves && article && (form.matches(".message-bar") || list.some((r) => r.dataset.uid === article.dataset.message));
	if (form.matches("[data-list]") && article && !goes) data.set("back", location.pathname + location.search);
	if (moves && form.matches(".message-bar") && matchMedia("(width < 43.75rem)").matches) data.set("back", one(".message-bar .back").getAttribute("href"));
	if (form.matches(".message-bar") && one("[data-letter-open]", article)) data.set("stay", withOpen(data.get("stay")));
	const next = gone ? rows()[rows().indexOf(list.at(-1)) + 1] ?? rows()[rows().indexOf(list[0]) - 1] : null;
	const held = list.contains?.(document.activeElement) || list.some((r) => r.contains(document.activeElement));
	const undo = before(list, button.value), remember = form.matches("[data-list]") ? forgetPicks() : null, at = page();
	if (goes) article.setAttribute("data-leaving", "");
	if (gone && held && next) focusRow(next);
	flying++;
	if (flying > 1) overtaken = true;
	try {
		await inTurn(async () => {
			const response = await call(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(data), headers: { "X-Restante-Act": "1" } });
			const text = await response.text();
			const doc = isOurs(response) ? parse(response, text) : null;
			if (!response.ok || !doc) throw new Error(doc ? problem(doc) : say("refused"));
			if (goes && isMailPath(new URL(response.url).pathname)) onward = response.url;
			if (flying > 1 || busy() || !one(".frame > .panes, .frame > main", doc) || !isMailPath(new URL(response.url).pathname)) adopt(doc);
			else if (page() === at && overtaken && onward) {
				adopt(doc);
				history.replaceState({ restante: true }, "", onward);
				await visit(onward, { push: false });
			} else if (overtaken || page() !== at) { adopt(doc); again(); } else { // who has gone on meanwhile is not called back
				const there = new URL(response.url);
				const stays = there.pathname === location.pathname; // the same list, with what stays in it
				if (stays || moves && form.matches(".message-bar")) history.replaceState({ restante: true }, "", there.pathname + there.search); // nobody goes back to a mail that is gone
				await show(response, text, doc, true);
				if (article && !one("[data-message]")) focusRow(one(`.row[data-uid="${CSS.escape(article.dataset.message)}"]`)); // it is back in its list
			}
		});
	} catch (error) {
		undo();
		remember?.();
		article?.removeAttribute("data-leaving");
		if (page() !== at) again();
		toast(navigator.onLine ? error.message || say("refused") : say("offline"), { failed: true });
	} finally {
		flying--;
		acted = Date.now();
		if (!flying) { overtaken = false; onward = ""; }
	}
}

/** again fetches the list again; when that fails, the next news try. */
const again = () => refresh().catch(() => {});

/** leaves says whether an act takes mails out of the list that is shown. */
const leaves = (action) => leaving.has(action) && !(stillFound.has(action) && one('form[data-list][action^="/search/actions"]'));

/** before changes the rows as the act will, and gives what takes that back. */
function before(list, action) {
	const was = [], folder = () => one("form[data-list]")?.getAttribute("action"), here = folder();
	for (const row of list) {
		boxOf(row).checked = false;
		if (leaves(action)) {
			const parent = row.parentNode, after = row.nextSibling;
			row.setAttribute("data-leaving", "");
			setTimeout(() => row.hasAttribute("data-leaving") && row.remove(), 140);
			was.push(() => { row.removeAttribute("data-leaving"); row.setAttribute("data-failed", ""); if (!row.isConnected && folder() === here) parent.insertBefore(row, after?.parentNode === parent ? after : null); });
		} else if (flags[action]) {
			const [name, yes] = flags[action], had = row.hasAttribute(name);
			row.toggleAttribute(name, yes);
			was.push(() => row.toggleAttribute(name, had));
		}
	}
	return () => was.forEach((f) => f());
}

/** lettersOf is how many letters a list tells of the open conversation; undefined where another one is the newest. */
function lettersOf(open, doc) {
	const row = one(`[data-rows] > .row[data-uid="${CSS.escape(open.dataset.message)}"]`, doc);
	return row ? one(".pill", row)?.textContent ?? "1" : undefined;
}

/** refresh fetches the list again and shows what changed; the open message stays. */
export async function refresh({ pill = false } = {}) {
	const form = one("form[data-list]"), open = one("[data-message]");
	const url = open ? one(".message-bar .back")?.href : location.href;
	if (!url || !one("#list") || one("#trouble")) return;
	const at = page(), response = await call(url, { headers: open ? { "X-Restante-Open": "1" } : {} });
	const text = await response.text();
	if (page() !== at) return refresh({ pill }); // another list stands there by now
	if (!response.ok || !isOurs(response)) return;
	const doc = parse(response, text);
	const list = one("#list"), known = new Set(rows().map((r) => r.id));
	const fresh = all("[data-rows] > .row", doc).filter((r) => !known.has(r.id));
	const parts = ["nav.folders", ".strips", ".account .account-list"], others = open && form && one('[name="threads"]', form) && (one(".draft-mark", open) || lettersOf(open, document) !== lettersOf(open, doc));
	if (pill && form && fresh.length && (list.scrollTop > 10 || chosen())) newPill(list);
	else parts.push("#list");
	await morph(text, doc, parts);
	adopt(doc);
	if (others) await renewLetters();
	if (open && parts.includes("#list")) markCurrent(open.dataset.message);
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
	if (!chosen() && bar && !document.activeElement?.closest?.("#list")) {
		const b = button(bar);
		if (b) return send(bar, b, rows().filter((r) => r.dataset.uid === one("[data-message]").dataset.message));
	}
	if (form && chosen() && button(form)) return send(form, button(form), list, elsewhere());
	const target = [current()].filter(Boolean);
	if (form && target.length && button(form)) return sendRows(form, button(form), target);
}

/** sendRows does what a button of the list says to these rows, and to mails on other pages. */
export async function sendRows(form, button, list, more = []) {
	const before = picked();
	for (const r of rows()) boxOf(r).checked = list.includes(r);
	notEveryone();
	if (await send(form, button, list, more) === false) pick(rows(), false), pick(before, true);
}

/** takeBack undoes the newest act. A mail that is called back comes as a page to write on. */
export const takeBack = (address) => inTurn(async () => {
	address ??= lastUndo();
	if (!address) return;
	if (!address.startsWith("/undo/")) {
		const form = el("form", { method: "post", action: address, hidden: true });
		document.body.append(form);
		form.submit();
		return;
	}
	const at = page(), response = await call(address, { method: "POST", body: new URLSearchParams({ back: location.pathname + location.search }) });
	const text = await response.text();
	if (!isOurs(response)) return toast(say("refused"), { failed: true });
	if (new URL(response.url).pathname.startsWith("/compose/")) return location.assign(response.url); // a draft that is back
	const doc = parse(response, text);
	if (busy()) return adopt(doc);
	if (page() !== at) { adopt(doc); return again(); }
	if (one(".frame > .panes", doc) || doc.body.className === document.body.className && !one("form[data-compose]")) await show(response, text, doc, false);
	else adopt(doc);
});
