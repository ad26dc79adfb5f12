// Going from page to page without loading them whole: fetch, check, morph.
// Whatever fails falls back to plain navigation.
import { all, el, isOurs, one, parse } from "./dom.js";
import { offered, offerSignIn, signIn } from "./dialog.js";
import { markCurrent } from "./rows.js";
import { adopt, toast } from "./toast.js";
import { say } from "./words.js";

/**
 * call fetches from our own server; a session that is over is renewed in place and the call repeated once. Who writes a
 * letter is not interrupted for it, unless the call is what they have asked for.
 */
export async function call(url, { asked = false, ...init } = {}, again = true) {
	const response = await fetch(url, { credentials: "same-origin", mode: "same-origin", ...init, headers: { "X-Restante": "1", Accept: "text/html", ...init.headers } });
	const over = response.status === 401 || new URL(response.url).pathname === "/login";
	if (!over && response.ok) offered();
	if (!over || !again || !asked && offerSignIn()) return response;
	if (await signIn()) return call(url, init, false);
	return response;
}

/** problem is what an error page of ours says. */
export function problem(doc) {
	return one("[role=alert]", doc)?.textContent.trim().replace(/\s+/g, " ") || say("refused");
}

/** morph makes parts of the page those of the text. Parts that the text lacks stay. */
export async function morph(text, doc, selectors) {
	document.dispatchEvent(new CustomEvent("restante:swap", { detail: selectors })); // restante:page follows
	text = text.replace(/<title>.*?<\/title>/s, ""); // the title is set by who goes somewhere, not by news
	const focus = document.activeElement, reading = one(".reader")?.contains(focus);
	const folds = all(selectors.includes(".frame") ? "nav.folders details" : "nav.folders details, .list-menu").map((d) => [d, d.open]);
	const frame = one("iframe[data-message-body]"), letters = (root) => all("iframe[data-message-body]", root).map((f) => f.getAttribute("src")).join(" ");
	if (frame && selectors.some((s) => frame.closest(s)) && letters(document) !== letters(doc)) {
		frame.closest(".message").remove(); // a frame that is led elsewhere would leave a step in the history
	}
	const list = one("#list");
	const place = list && { top: list.scrollTop, folder: one("form[data-list]")?.getAttribute("action") };
	for (const selector of selectors) {
		const target = one(selector);
		if (!target || !one(selector, doc)) continue;
		if (globalThis.htmx) await htmx.swap({ text, target, select: selector, swap: "outerMorph", sourceElement: document.body });
		else target.replaceWith(document.importNode(one(selector, doc), true));
	}
	if (place && place.folder === one("form[data-list]")?.getAttribute("action")) {
		one("#list").scrollTop = place.top;
	}
	for (const [fold, open] of folds) fold.open = open; // news neither fold nor unfold
	if (focus.closest?.(".list-menu[open]")) focus.focus({ preventScroll: true });
	if (reading && document.activeElement === document.body) one("#subject, #trouble")?.focus({ preventScroll: true });
	document.dispatchEvent(new CustomEvent("restante:page"));
}

let shown = location.pathname + location.search; // whose page stands there: in a popstate the bar is ahead of it
let pages = 0;

/** page counts the pages that were shown: what was asked for beside another one comes too late. */
export const page = () => pages;

/**
 * beside says that an address is a mail of the list that stands on the page: the rest of the page need not come again.
 * Where a filter or a search would pass over what was opened, each opening changes the list: it comes too.
 */
function beside(url) {
	const to = new URL(url, location.href), list = (path) => path.replace(/\/\d+(?=\?|$)/, "");
	if (to.searchParams.has("filter") || to.searchParams.has("q") || list(to.pathname + to.search) !== list(shown)) return false;
	return Boolean(one(".frame > .panes:not(.only-list) form[data-list]")) && all("[data-message-link]").some((a) => a.pathname === to.pathname);
}

/** open puts a mail that came beside the list that stands there. */
async function open(text, doc) {
	const list = one("#list"), top = list.scrollTop, title = one("h1.list-title", list);
	const article = one("[data-message]", doc);
	document.dispatchEvent(new CustomEvent("restante:swap", { detail: [".reader"] }));
	if (title) {
		const quiet = el("h2", { class: title.className, id: title.id }, ...title.childNodes);
		title.replaceWith(quiet); // the subject is the page's heading now
		one(".list-main").replaceWith(list);
	}
	one(".panes").classList.add("has-message");
	one(".reader").replaceWith(document.importNode(article.closest(".reader"), true));
	markCurrent(article.dataset.message);
	list.scrollTop = top;
	await morph(text, doc, news(doc));
}

let reading = 0;

/** readLater marks a mail read that opened by itself, or is to be read first, once it has been shown for its time. */
function readLater() {
	clearTimeout(reading);
	const article = one("[data-message][data-read-after]");
	if (!article) return;
	reading = setTimeout(() => {
		if (article !== one("[data-message]")) return;
		if (document.hidden) document.addEventListener("visibilitychange", readLater, { once: true });
		else markRead(article).catch(() => { /* it stays unread, as the server has it */ });
	}, Number(article.dataset.readAfter));
}

async function markRead(article) {
	article.removeAttribute("data-read-after");
	const response = await call(location.href, { headers: { "X-Restante-Beside": "1", "X-Restante-Read": "1" } });
	const text = await response.text(), doc = response.ok && isOurs(response) && parse(response, text);
	if (doc && article.isConnected) await morph(text, doc, news(doc));
}
document.addEventListener("restante:page", readLater);

/** news are the parts of a page beside the list that have changed by its opening: the folders and its row. */
function news(doc) {
	const row = one("[data-rows] > .row[data-current]", doc);
	return ["nav.folders", ".strips", ...row ? ["#" + CSS.escape(row.id)] : []];
}

let ahead = null; // a page that was fetched before it was asked for: its address, when, and a promise of answer and text
document.addEventListener("restante:swap", () => { ahead = null; }); // it may be otherwise now

/** preload fetches a page of a list that will be asked for next. */
export function preload(url) {
	if (ahead?.url === url || !isMailPath(new URL(url).pathname)) return;
	const got = call(url, { priority: "low" }, false).then(async (response) => response.ok && { response, text: await response.text() }).catch(() => false);
	ahead = { url, at: Date.now(), got };
}

/** preloaded gives what was fetched before, while it is fresh. */
async function preloaded(url) {
	const { got } = ahead?.url === url && Date.now() - ahead.at < 20_000 ? ahead : {};
	ahead = null;
	return await got;
}

let going = null;

/** busy says that a page is on its way. */
export const busy = () => going !== null;

/** visit goes to a page of the mail screens. */
export async function visit(url, { push = true } = {}) {
	going?.abort();
	const mine = going = new AbortController();
	const pane = one(".reader") ?? one("#list");
	pane?.setAttribute("aria-busy", "true");
	try {
		const near = beside(url);
		const kept = await preloaded(new URL(url, location.href).href);
		const response = kept ? kept.response : await call(url, { signal: mine.signal, headers: near ? { "X-Restante-Beside": "1" } : {} });
		const text = kept ? kept.text : await response.text();
		if (going !== mine) return false;
		if (!isOurs(response)) throw new TypeError("not a page");
		const doc = parse(response, text);
		if (!response.ok && !one(".trouble", doc) || !one(".frame > .panes, .frame > main", doc) || doc.body.classList[0] !== document.body.classList[0]) {
			location.assign(url);
			return false;
		}
		await show(response, text, doc, push, near && response.url === new URL(url, location.href).href && Boolean(one("[data-message]", doc)));
		return true;
	} catch (error) {
		if (error.name === "AbortError") return false;
		if (!navigator.onLine) toast(say("offline"), { failed: true });
		else location.assign(url);
		return false;
	} finally {
		pane?.removeAttribute("aria-busy");
		if (going === mine) going = null;
	}
}

/** show puts a page that came on the screen and its address in the bar. */
export async function show(response, text, doc, push, near = false) {
	const here = new URL(response.url);
	const path = here.pathname + here.search;
	if (push && path !== location.pathname + location.search) history.pushState({ restante: true }, "", path);
	shown = path;
	pages++;
	document.title = doc.title;
	document.body.className = doc.body.className;
	if (near) await open(text, doc); else await morph(text, doc, [".frame"]);
	adopt(doc);
}

export const isMailPath = (path) => /^\/mail\/[^/]+\/(?!mailboxes$)[^/]+(\/\d+)?$/.test(path) || path === "/search";

addEventListener("popstate", () => {
	if (location.pathname + location.search === shown) return; // another place on this page
	if (one(".frame > .panes, .frame > .only-list") && isMailPath(location.pathname)) {
		const from = one("[data-message]")?.dataset.message;
		visit(location.href, { push: false }).then((there) => {
			const row = there && from && !one("[data-message]") && one(`.row[data-uid="${CSS.escape(from)}"] [data-message-link]`);
			if (row) row.focus();
		});
	}
	else location.reload();
});
