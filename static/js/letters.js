// The letters of a conversation: a folded one opens in its place, and keys go from one to the next.
import { all, el, isOurs, on, one, parse, plainClick } from "./dom.js";
import { call } from "./net.js";

const closed = "a[data-letter]:not([data-compose-link])";
const others = ".letter-open :is([data-allow-remote], [data-show-links])"; // what is allowed one letter

/** bring gets a letter by a link and puts it where it stood otherwise, folded or not. */
async function bring(link, old) {
	if (link.hasAttribute("aria-busy")) return;
	link.setAttribute("aria-busy", "true");
	const headers = { "X-Restante-Beside": "1", "X-Restante-Letter": "1" };
	try {
		const response = await call(link.href, { headers });
		const text = await response.text(), doc = response.ok && isOurs(response) && parse(response, text);
		const letter = doc && one(`[data-letter-open="${CSS.escape(old.dataset.letter ?? old.dataset.letterOpen)}"]`, doc);
		if (!letter) throw new Error("no letter");
		if (!old.isConnected) return;
		const shown = document.importNode(letter, true), held = old.contains(document.activeElement);
		old.replaceWith(shown);
		document.dispatchEvent(new CustomEvent("restante:page"));
		if (held) focusOn(shown);
		const later = Number(shown.dataset.readAfter); // it is read once it has been shown for its time
		if (later) setTimeout(() => { if (shown.isConnected) call(link.href, { headers: { ...headers, "X-Restante-Read": "1" } }).catch(() => {}); }, later);
	} catch {
		location.assign(link.href);
	}
}

/** withOpen is the address of the open conversation with all letters that stand open in it. */
export function withOpen(path) {
	const to = new URL(path, location.href);
	to.searchParams.delete("open");
	for (const letter of all("[data-letter-open]")) to.searchParams.append("open", letter.dataset.letterOpen);
	return to.pathname + to.search;
}

const keyOf = (letter) => letter.dataset.letter ?? letter.dataset.letterOpen;

/** threadOf is where the letters before or after the main one stand, below whose answers the later ones are. */
function threadOf(article, before) {
	const main = one(before ? ":scope > .letter" : ":scope > .answer", article), there = before ? main.previousElementSibling : main.nextElementSibling;
	if (there?.matches(".thread")) return there;
	const thread = el("div", { class: "thread" });
	if (before) main.before(thread); else main.after(thread);
	return thread;
}

/** renewLetters adds to the open conversation the letters that came to it, and takes out folded ones that have gone; all else stays. */
export async function renewLetters() {
	const open = one("[data-message]"), response = await call(location.href, { headers: { "X-Restante-Beside": "1", "X-Restante-News": "1" } });
	const text = await response.text(), doc = response.ok && isOurs(response) && parse(response, text), now = doc && one("[data-message]", doc);
	if (!now || !open.isConnected) return;
	const letters = "[data-letter], [data-letter-open]", main = one(":scope > .letter", now);
	const had = new Set(all(letters, open).map(keyOf)), has = new Set(all(letters, now).map(keyOf));
	for (const line of all("[data-letter]", open)) if (!has.has(keyOf(line))) line.remove();
	for (const letter of all(letters, now)) {
		if (!had.has(keyOf(letter))) threadOf(open, letter.compareDocumentPosition(main) & Node.DOCUMENT_POSITION_FOLLOWING).append(document.importNode(letter, true));
	}
	one(".thread-count", open)?.remove();
	const count = one(".thread-count", now), together = one('.message-bar [name="threads"]', now);
	if (count) one("#subject", open).after(document.importNode(count, true));
	if (together && !one('.message-bar [name="threads"]', open)) one(".message-bar", open).append(document.importNode(together, true));
	open.dataset.message = now.dataset.message;
}

function focusOn(letter) {
	if (letter.matches("a")) { letter.focus(); return; }
	letter.tabIndex = -1;
	letter.focus({ preventScroll: true });
	letter.scrollIntoView({ block: "nearest" });
}

/** stepLetter goes to the next letter of a conversation, or the one before; false where there is none. */
export function stepLetter(by) {
	const letters = all(".reader .thread a[data-letter], .reader .letter-open, .reader .message > .letter").filter((l) => l.checkVisibility());
	if (letters.length < 2) return false;
	const at = letters.findIndex((l) => l.contains(document.activeElement));
	const next = letters[at < 0 ? (by > 0 ? 0 : letters.length - 1) : at + by];
	if (next) focusOn(next);
	return Boolean(next);
}

export function startLetters() {
	on("click", closed + ", " + others, (e, link) => {
		if (!plainClick(e)) return;
		e.preventDefault();
		e.stopPropagation();
		bring(link, link.closest(".letter-open") ?? link);
	}, { capture: true });
}
