// The letters of a conversation: a folded one opens in its place, and keys go from one to the next.
import { all, isOurs, on, one, parse, plainClick } from "./dom.js";
import { call } from "./net.js";

const closed = "a[data-letter]:not([data-compose-link])";

/** unfold gets a letter and puts it where its line stands. */
async function unfold(line) {
	if (line.hasAttribute("aria-busy")) return;
	line.setAttribute("aria-busy", "true");
	try {
		const response = await call(line.href, { headers: { "X-Restante-Beside": "1" } });
		const text = await response.text(), doc = response.ok && isOurs(response) && parse(response, text);
		const letter = doc && one(`[data-letter-open="${CSS.escape(line.dataset.letter)}"]`, doc);
		if (!letter) throw new Error("no letter");
		if (!line.isConnected) return;
		const shown = document.importNode(letter, true), held = line === document.activeElement;
		line.replaceWith(shown);
		document.dispatchEvent(new CustomEvent("restante:page"));
		if (held) focusOn(shown);
	} catch {
		location.assign(line.href);
	}
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
	on("click", closed, (e, line) => {
		if (!plainClick(e)) return;
		e.preventDefault();
		e.stopPropagation();
		unfold(line);
	}, { capture: true });
}
