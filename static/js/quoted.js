// An answer quotes what is selected of the letter, where something is.
import { all } from "./dom.js";

const getDocument = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentDocument").get;
const getSelection = Document.prototype.getSelection;
const most = 6000; // octets: it travels in an address, and what stands before a server may take 8 kB

/** selected is what is marked in a letter, "" for nothing. */
function selected(letter) {
	for (const frame of all("[data-message-body]", letter)) {
		const text = String(getSelection.call(getDocument.call(frame)) ?? "").trim();
		if (text) return text;
	}
	const here = getSelection.call(document), text = String(here).trim();
	return text && all("[data-message-text]", letter).some((t) => t.contains(here.anchorNode) && t.contains(here.focusNode)) ? text : "";
}

export function startQuoted() {
	document.addEventListener("click", (e) => {
		const link = e.target.closest?.("a[data-compose-link]"), letter = link?.closest("[data-letter-open]") ?? link?.closest(".reader")?.querySelector("[data-message]");
		const url = link && new URL(link.href);
		if (!letter || !url.searchParams.has("reply") && !url.searchParams.has("replyall")) return;
		const text = selected(letter);
		if (text && encodeURIComponent(text).length <= most) url.searchParams.set("quote", text); else url.searchParams.delete("quote");
		link.href = url.pathname + url.search;
	}, { capture: true });
}
