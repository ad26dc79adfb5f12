// Letters that are written on wide screens without leaving the page: an answer
// under the message it answers, new mail docked at the bottom. The forms are
// those of the full page; ⤢ leads there.
import { all, el, icon, isOurs, one, parse } from "./dom.js";
import { startCompose } from "./compose.js";
import { call, problem } from "./net.js";
import { adopt, toast } from "./toast.js";
import { say } from "./words.js";

const open = []; // newest last: {form, writing, source, inline, message, from, title}
let made = 0, coming = null; // the form that is being fetched

const message = () => (one(".reader [data-message]") ? location.pathname : null);
const written = (w) => Boolean(w.writing && (w.writing.draft.dirty || w.writing.draft.id));

/** takeOut removes a form from the page; its own remove is hidden by the buttons of that name. */
const takeOut = (form) => form.parentNode?.removeChild(form);

/** unique gives the ids within a node an ending of their own, and all that refers to them. */
function unique(node, end) {
	for (const e of [node, ...all("*", node)]) {
		for (const name of ["id", "for", "list", "aria-labelledby", "aria-describedby", "aria-controls"]) {
			if (e.hasAttribute(name)) e.setAttribute(name, e.getAttribute(name).split(" ").map((id) => id + end).join(" "));
		}
		if (e.getAttribute("href")?.startsWith("#") && e.nodeName === "A") e.setAttribute("href", e.getAttribute("href") + end);
	}
	return node;
}

/** write opens the form that a link leads to: under the open message when it answers that, else docked. */
export async function write(link) {
	const source = link.pathname + link.search, answers = Boolean(link.closest(".reader .message"));
	const same = open.find((w) => w.source === source && (answers || !written(w)));
	if (same) return show(same);
	if (coming === source) return;
	coming = source;
	try {
		await bring(link, source, answers);
	} finally {
		coming = null;
	}
}

async function bring(link, source, answers) {
	const under = answers ? message() : null;
	const response = await call(source);
	const doc = isOurs(response) ? parse(response, await response.text()) : null;
	const fresh = doc && one("form[data-compose]", doc);
	if (!response.ok || !fresh) return location.assign(link.href);
	const stays = answers && under === message(); // the reader may have gone on meanwhile
	const inline = stays && open.find((w) => w.inline);
	if (inline) putAway(inline);
	const end = "-w" + ++made, form = unique(document.importNode(fresh, true), end);
	const w = { form, source, inline: stays, message: under, from: document.activeElement };
	open.push(w);
	furnish(w);
	place(w);
	w.writing = await startCompose(form, { source, unique: (node) => unique(node, end), leave: () => remove(w) });
	form.addEventListener("restante:draft", () => { one("[data-full]", form).href = "/compose/" + w.writing.draft.id; });
	show(w);
}

/** furnish makes the head of a form one of a part of the page: a title that folds it, ⤢ and ✕. */
function furnish(w) {
	const { form } = w, h1 = one("h1", form), close = one("[data-close]", form);
	for (const e of all("[autofocus]", form)) e.removeAttribute("autofocus");
	w.title = el("button", { type: "button", class: "plain", "aria-expanded": "true", onclick: () => { if (!w.inline) fold(w, !w.form.hasAttribute("data-folded")); } }, h1.textContent);
	h1.replaceWith(el("h2", { id: h1.id }, w.inline ? h1.textContent : w.title));
	const back = (w.source.includes("?") ? "&" : "?") + new URLSearchParams({ back: location.pathname + location.search });
	const full = el("a", { class: "icon-button", href: w.source + back, "data-full": true, "aria-label": say("fullpage"), title: say("fullpage"), onclick: (e) => toPage(e, w) }, icon("maximize-2"));
	one(".compose-head", form).append(full, el("button", { type: "button", class: "icon-button", "data-close": true, "aria-label": close.title, title: close.title, onclick: () => shut(w) }, icon("x")));
	close.remove();
	form.addEventListener("keydown", (e) => { if (!e.ctrlKey && !e.metaKey && e.key !== "F6") e.stopPropagation(); }); // the page's keys rest
	form.elements.subject.addEventListener("input", (e) => { w.title.textContent = e.target.value || h1.textContent; });
}

/** place puts a form where it belongs. */
function place(w) {
	w.form.toggleAttribute("data-docked", !w.inline);
	w.form.toggleAttribute("data-inline", w.inline);
	if (w.inline) return one(".reader").append(w.form);
	let docks = one(".docks");
	if (!docks) document.body.append(docks = el("section", { class: "docks", "aria-label": say("writing") }));
	docks.prepend(w.form);
	tidy();
}

/** tidy folds the oldest docked forms when there is no room for all. */
function tidy(keep) {
	const docked = open.filter((w) => !w.inline && !w.form.hasAttribute("data-folded") && w !== keep).reverse();
	const room = Math.max(1, Math.min(3, Math.floor((innerWidth - 400) / 576))) - (keep ? 1 : 0);
	for (const w of docked.slice(room)) fold(w, true);
}

function fold(w, yes) {
	w.form.toggleAttribute("data-folded", yes);
	w.title.setAttribute("aria-expanded", String(!yes));
	if (yes) return w.writing?.draft.save();
	tidy(w);
	w.writing?.focus();
}

/** show brings an open form before the eyes, with the caret in it. */
function show(w) {
	if (w.form.hasAttribute("data-folded")) return fold(w, false);
	w.writing?.focus();
	const reader = w.inline && w.form.closest(".reader");
	if (reader) reader.scrollTop += w.form.getBoundingClientRect().bottom - reader.getBoundingClientRect().bottom;
}

/** remove takes a form off the page. */
function remove(w) {
	open.splice(open.indexOf(w), 1);
	const held = w.form.contains(document.activeElement);
	w.writing?.draft.close();
	takeOut(w.form);
	if (!open.some((o) => !o.inline)) one(".docks")?.remove();
	if (held || document.activeElement === document.body) (w.from?.isConnected && w.from !== document.body ? w.from : one("#subject") ?? one(".row[tabindex='0'], [data-message-link][tabindex='0']"))?.focus({ preventScroll: true });
}

/** keep saves a form. It gives whether nothing of it would be lost with the page. */
async function keep(w) {
	const { draft, people } = w.writing;
	for (const p of people) p.take();
	if (!draft.dirty && !draft.waitsForFolder || await draft.settle()) return true;
	await draft.keepHere();
	toast(say("notkept"), { failed: true });
	return false;
}

/** shut closes a form; what was written is kept. */
async function shut(w) {
	if (!await keep(w)) return;
	const { id } = w.writing.draft;
	remove(w);
	if (id) toast(say("keptdraft"), { action: { words: say("throwaway"), run: () => discard(id) } });
}

async function discard(id) {
	const back = location.pathname + location.search;
	const response = await call("/compose/" + id, { method: "POST", body: new URLSearchParams({ action: "discard", back }) }).catch(() => null);
	const doc = response && isOurs(response) ? parse(response, await response.text()) : null;
	if (response?.ok && doc) adopt(doc);
	else toast(doc ? problem(doc) : say("refused"), { failed: true });
}

async function toPage(e, w) {
	if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
	e.preventDefault();
	if (await keep(w)) location.assign(one("[data-full]", w.form).href);
}

/** putAway docks an answer whose message goes out of sight; one in which nothing was written goes. */
function putAway(w) {
	if (!written(w)) return remove(w);
	w.inline = false;
	one("h2", w.form).replaceChildren(w.title);
	w.title.textContent = w.form.elements.subject.value || w.title.textContent;
	place(w);
	w.writing.draft.save();
}

let held = null; // an answer that is out of the page while its surroundings change

document.addEventListener("restante:swap", (e) => {
	const w = open.find((o) => o.inline && e.detail.some((s) => o.form.closest(s)));
	if (!w) return;
	const selection = getSelection(), inside = w.form.contains(document.activeElement);
	held = { w, top: w.form.closest(".reader").scrollTop, focus: inside ? document.activeElement : null, caret: inside && selection.rangeCount ? selection.getRangeAt(0).cloneRange() : null };
	if (held.caret) held.at = [held.caret.startContainer, held.caret.startOffset, held.caret.endContainer, held.caret.endOffset];
	takeOut(w.form);
});

document.addEventListener("restante:page", () => {
	if (!held) return;
	const { w, top, focus, at } = held;
	held = null;
	if (w.message !== message()) return putAway(w);
	place(w);
	one(".reader").scrollTop = top;
	if (!focus) return;
	focus.focus({ preventScroll: true });
	if (at) getSelection().setBaseAndExtent(...at);
});

addEventListener("resize", () => tidy());
