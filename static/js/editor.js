// Rich text with Squire over the plain textarea, which stays what is sent as text.
import "asset:vendor/purify.js";
import Squire from "asset:vendor/squire.js";
import { all, el, icon, one } from "./dom.js";
import { ask } from "./dialog.js";
import { say } from "./words.js";

// What may stand in a letter that we write: the marks of the tools, quotes, links and pictures of our own.
const clean = {
	ALLOWED_TAGS: ["a", "b", "strong", "i", "em", "u", "s", "strike", "del", "code", "pre", "br", "p", "div", "span", "blockquote", "ul", "ol", "li", "img", "h1", "h2", "h3", "hr", "table", "thead", "tbody", "tr", "td", "th", "font", "sub", "sup"],
	ALLOWED_ATTR: ["href", "src", "alt", "width", "height", "dir", "style", "color", "face", "size", "colspan", "rowspan", "type", "cite"],
	ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|cid):|^\/(?:compose|mail)\//i,
	FORBID_ATTR: ["class", "id"],
};
const purify = globalThis.DOMPurify;
purify?.addHook("afterSanitizeAttributes", (node) => { // pictures of elsewhere would call home, links to nowhere mislead
	if (node.nodeName === "IMG" && !/^(?:cid:|\/(?:compose|mail)\/)/.test(node.getAttribute("src") ?? "")) node.remove();
	else if (node.nodeName === "A" && !node.hasAttribute("href")) node.replaceWith(...node.childNodes);
});
const fragment = (html) => document.importNode(purify.sanitize(html, { ...clean, RETURN_DOM_FRAGMENT: true }), true);

/** Editor repairs undo under Trusted Types: see LIBRARIES. */
class Editor extends Squire {
	_setRawHTML(html) {
		return super._setRawHTML(purify.sanitize(html, { ...clean, ADD_ATTR: ["id"], FORBID_ATTR: ["class"], RETURN_TRUSTED_TYPE: true }));
	}
}

const tools = [
	["bold", "bold", (e) => e.hasFormat("B") ? e.removeBold() : e.bold(), "B", "Control+B"],
	["italic", "italic", (e) => e.hasFormat("I") ? e.removeItalic() : e.italic(), "I", "Control+I"],
	["strike", "strikethrough", (e) => e.hasFormat("S") ? e.removeStrikethrough() : e.strikethrough(), "S"],
	["bullets", "list", (e) => e.hasFormat("UL") ? e.removeList() : e.makeUnorderedList(), "UL"],
	["numbers", "list-ordered", (e) => e.hasFormat("OL") ? e.removeList() : e.makeOrderedList(), "OL"],
	["quote", "quote", (e) => e.increaseQuoteLevel(), "BLOCKQUOTE"],
	["unquote", "indent-decrease", (e) => e.decreaseQuoteLevel()],
	["link", "link", linkTool, "A"],
	["clearformat", "remove-formatting", (e) => e.removeAllFormatting()],
	["undoedit", "undo-2", (e) => e.undo()],
	["redoedit", "redo-2", (e) => e.redo()],
];

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

/** plainText is what a letter says without its formatting. */
function plainText(root) {
	let out = "";
	const line = () => { if (out && !out.endsWith("\n")) out += "\n"; };
	const walk = (node, item) => {
		for (const n of node.childNodes) {
			if (n.nodeType === Node.TEXT_NODE) out += n.data.replace(/[\u200b\ufeff]/g, "").replace(/\u00a0/g, " ");
			else if (n.nodeName === "BR") { if (n.nextSibling || n.parentNode === root) out += "\n"; }
			else if (n.nodeName === "BLOCKQUOTE") {
				line();
				out += plainText(n).replace(/\n$/, "").replace(/^/gm, "> ").replace(/^> >/gm, ">>") + "\n";
			} else if (n.nodeName === "LI") {
				line();
				out += n.parentNode.nodeName === "OL" ? [...n.parentNode.children].indexOf(n) + 1 + ". " : "- ";
				walk(n, true);
				line();
			} else if (/^(DIV|P|H[1-6]|PRE|UL|OL|TABLE|TR|HR)$/.test(n.nodeName)) {
				if (!item) line();
				const at = out.length;
				walk(n);
				if (out.length === at) out += "\n"; else line();
			} else {
				walk(n);
				if (n.nodeName === "A" && /^https?:/.test(n.getAttribute("href") ?? "") && !n.textContent.includes(n.getAttribute("href").replace(/\/$/, ""))) out += " <" + n.getAttribute("href") + ">";
				if (n.nodeName === "TD") out += "\t";
			}
		}
	};
	walk(root);
	return out;
}

/** startEditor lays the editor over the textarea. It gives focus(), or null when it cannot stand. */
export function startEditor(form, draft) {
	const text = one("#body", form), html = one("[data-html]", form);
	if (!text || !html || !purify?.isSupported) return null;
	const hadFocus = document.activeElement === text;
	const label = one('label[for="body"]', form);
	label.id ||= "body-label";
	const root = el("div", { class: "editor", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-labelledby": label.id, dir: "auto", spellcheck: "true", "data-keep": true });
	const bar = el("div", { class: "editor-tools", role: "toolbar", "aria-label": say("tools"), "aria-controls": "body" });
	text.before(bar, root);
	text.hidden = true;
	html.disabled = false;
	const editor = new Editor(root, { blockTag: "DIV", sanitizeToDOMFragment: fragment, tagAttributes: {} });
	const asHTML = (s) => { const box = document.createElement("div"); for (const l of s.split("\n")) { const d = document.createElement("div"); d.append(l || document.createElement("br")); box.append(d); } return box.innerHTML; };
	const fill = () => {
		editor.setHTML(html.value.trim() && (!text.value.trim() || text.hasAttribute("data-rich")) ? html.value : asHTML(text.value));
		if (root.firstElementChild?.nodeName === "BLOCKQUOTE") root.prepend(editor.createDefaultBlock()); // room above the quote
	};
	fill();
	text.setAttribute("data-rich", "");
	editor.saveUndoState();
	editor.setKeyHandler("Tab", () => {}); // moves on, as in every form
	editor.setKeyHandler("Shift-Tab", () => {});
	let quiet = false;
	const write = () => {
		if (html.disabled) return;
		html.value = editor.getHTML();
		text.value = plainText(root);
	};
	editor.addEventListener("input", () => { if (!quiet) draft.touch(); });
	draft.before.push(write);
	form.addEventListener("restante:filled", () => { if (!html.disabled) { quiet = true; fill(); quiet = false; } });

	for (const [name, sign, run, tag, keys] of tools) {
		const b = el("button", { type: "button", class: "plain", title: say(name), "aria-label": say(name), "aria-pressed": tag ? "false" : null, "data-tag": tag, "aria-keyshortcuts": keys, tabindex: bar.children.length ? "-1" : "0" }, icon(sign));
		b.addEventListener("mousedown", (e) => e.preventDefault());
		b.addEventListener("click", () => { editor.focus(); run(editor, bar); });
		bar.append(b);
	}
	const plain = el("button", { type: "button", class: "plain", title: say("plain"), "aria-label": say("plain"), tabindex: "-1", onclick: async () => {
		write();
		if (/<(b|i|s|u|ul|ol|a|img|span|font)\b/i.test(html.value) && !await ask(say("plainlose"), say("plain"))) return;
		html.disabled = true;
		html.value = "";
		text.hidden = false;
		text.removeAttribute("data-rich");
		bar.remove();
		root.remove();
		draft.before = draft.before.filter((f) => f !== write);
		text.focus();
		draft.touch();
		form.dispatchEvent(new CustomEvent("restante:plain"));
	} }, icon("type"));
	bar.append(plain);
	bar.addEventListener("keydown", (e) => {
		const list = all("button", bar), at = list.indexOf(e.target);
		if (at < 0 || e.key !== "ArrowRight" && e.key !== "ArrowLeft") return;
		const forth = (e.key === "ArrowRight") === (getComputedStyle(bar).direction === "ltr");
		const to = list.at((at + (forth ? 1 : -1)) % list.length);
		list.forEach((b) => { b.tabIndex = b === to ? 0 : -1; });
		to.focus();
		e.preventDefault();
	});
	const marks = () => { for (const b of all("[data-tag]", bar)) b.setAttribute("aria-pressed", String(editor.hasFormat(b.dataset.tag))); };
	editor.addEventListener("pathChange", marks);
	editor.addEventListener("select", marks);
	const focus = () => { editor.focus(); editor.moveCursorToStart(); };
	if (hadFocus) focus();
	return { focus };
}
