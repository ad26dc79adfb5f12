// The editor's tools: one toolbar with a single tab stop, moved along with arrows.
import { all, el, icon, one } from "./dom.js";
import { inkTools } from "./inks.js";
import { say } from "./words.js";

const tools = [
	["bold", "bold", (e) => e.hasFormat("B") ? e.removeBold() : e.bold(), "B", "Control+B"],
	["italic", "italic", (e) => e.hasFormat("I") ? e.removeItalic() : e.italic(), "I", "Control+I"],
	["underline", "underline", (e) => e.hasFormat("U") ? e.removeUnderline() : e.underline(), "U", "Control+U"],
	["strike", "strikethrough", (e) => e.hasFormat("S") ? e.removeStrikethrough() : e.strikethrough(), "S"],
	["bullets", "list", (e) => e.hasFormat("UL") ? e.removeList() : e.makeUnorderedList(), "UL"],
	["numbers", "list-ordered", (e) => e.hasFormat("OL") ? e.removeList() : e.makeOrderedList(), "OL"],
	["quote", "quote", (e) => e.increaseQuoteLevel(), "BLOCKQUOTE"],
	["unquote", "indent-decrease", (e) => e.decreaseQuoteLevel()],
	["removequote", "scissors", removeQuote],
	["link", "link", linkTool, "A"],
	["code", "code", (e) => e.toggleCode(), "CODE", "Control+D"],
	["clearformat", "remove-formatting", (e) => e.removeAllFormatting()],
	["undoedit", "undo-2", (e) => e.undo()],
	["redoedit", "redo-2", (e) => e.redo()],
];

/** removeQuote takes away the last quote with the line above it that says whose it is. */
function removeQuote(editor) {
	const quote = all("blockquote", editor.getRoot()).filter((q) => !q.parentElement.closest("blockquote")).at(-1);
	if (!quote) return;
	editor.saveUndoState();
	editor.modifyDocument(() => {
		const above = quote.previousElementSibling;
		if (/:\s*$/.test(above?.textContent ?? "")) above.remove();
		quote.remove();
		if (!editor.getRoot().firstChild) editor.getRoot().append(editor.createDefaultBlock());
	});
	editor.moveCursorToStart();
	editor.fireEvent("input");
}

function linkTool(editor, bar) {
	if (editor.hasFormat("A")) return editor.removeLink();
	const range = editor.getSelection();
	const field = el("input", { type: "url", "aria-label": say("linkurl"), placeholder: "https://" });
	const box = el("span", { class: "link-entry" }, field);
	const done = (use) => {
		box.remove();
		editor.focus();
		editor.setSelection(range);
		const url = field.value.trim();
		if (use && url) editor.makeLink(/^(https?|mailto|tel):/i.test(url) ? url : url.includes("@") ? "mailto:" + url : "https://" + url);
	};
	field.addEventListener("keydown", (e) => {
		if (e.key !== "Enter" && e.key !== "Escape") return;
		e.preventDefault();
		e.stopPropagation();
		done(e.key === "Enter");
	});
	field.addEventListener("input", (e) => e.stopPropagation());
	bar.append(box);
	field.focus();
}

/** toolbar makes the bar of an editor. */
export function toolbar(editor) {
	const bar = el("div", { class: "editor-tools", role: "toolbar", "aria-label": say("tools") });
	for (const [name, sign, run, tag, keys] of tools) {
		const b = el("button", { type: "button", class: "plain", title: say(name), "aria-label": say(name), "aria-pressed": tag ? "false" : null, "data-tag": tag, "data-tool": name, "aria-keyshortcuts": keys, tabindex: bar.children.length ? "-1" : "0" }, icon(sign));
		b.addEventListener("mousedown", (e) => e.preventDefault());
		b.addEventListener("click", () => { editor.focus(); run(editor, bar); });
		bar.append(b);
	}
	inkTools(editor, bar);
	bar.addEventListener("keydown", (e) => {
		const list = all(":scope > button:not([hidden])", bar), at = list.indexOf(e.target);
		if (at < 0 || e.key !== "ArrowRight" && e.key !== "ArrowLeft") return;
		const forth = (e.key === "ArrowRight") === (getComputedStyle(bar).direction === "ltr");
		const to = list.at((at + (forth ? 1 : -1)) % list.length);
		list.forEach((b) => { b.tabIndex = b === to ? 0 : -1; });
		to.focus();
		e.preventDefault();
	});
	const quoted = one('[data-tool="removequote"]', bar);
	const marks = () => {
		quoted.hidden = !one("blockquote", editor.getRoot());
		for (const b of all("[data-tag]", bar)) b.setAttribute("aria-pressed", String(editor.hasFormat(b.dataset.tag) || b.dataset.tag === "CODE" && editor.hasFormat("PRE")));
	};
	editor.addEventListener("pathChange", marks);
	editor.addEventListener("select", marks);
	editor.addEventListener("input", marks);
	marks();
	return bar;
}
