// Rich text with Squire over the plain textarea, which stays what is sent as text.
import "asset:vendor/purify.js";
import Squire from "asset:vendor/squire.js";
import { all, el, icon, one } from "./dom.js";
import { ask } from "./dialog.js";
import { aside, dress } from "./dress.js";
import { inked, plainInk } from "./inks.js";
import { startPictures } from "./pictures.js";
import { plainText } from "./plain.js";
import { toolbar } from "./tools.js";
import { cannedTool, startTyped } from "./typed.js";
import { say } from "./words.js";

// What may stand in a letter that we write: the marks of the tools, quotes, links and pictures of our own.
const clean = {
	ALLOWED_TAGS: ["a", "b", "strong", "i", "em", "u", "s", "strike", "del", "code", "pre", "br", "p", "div", "span", "blockquote", "ul", "ol", "li", "img", "h1", "h2", "h3", "hr", "table", "thead", "tbody", "tr", "td", "th", "font", "sub", "sup"],
	ALLOWED_ATTR: ["href", "src", "alt", "width", "height", "dir", "data-style", "color", "face", "size", "colspan", "rowspan", "type", "cite"],
	ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|cid|blob):|^\/(?:compose|mail)\//i,
	ALLOW_DATA_ATTR: false, ADD_URI_SAFE_ATTR: ["data-style", "width", "height", "dir", "color", "face", "size", "colspan", "rowspan", "type"], // no addresses, though the pattern above is for all
	FORBID_ATTR: ["class", "id"],
};
const purify = globalThis.DOMPurify;
purify?.addHook("afterSanitizeAttributes", (node) => { // pictures of elsewhere would call home, links to nowhere mislead
	if (node.nodeName === "IMG" && !/^(?:cid:|blob:|\/(?:compose|mail)\/)/.test(node.getAttribute("src") ?? "")) node.remove();
	else if (node.nodeName === "A" && !node.hasAttribute("href")) node.replaceWith(...node.childNodes);
});
const fragment = (html) => inked(dress(document.importNode(purify.sanitize(aside(html), { ...clean, RETURN_DOM_FRAGMENT: true }), true)));

/** markup is HTML as it may stand in a letter, styles and colours as the editor has them. */
export const markup = (html) => fragment(html);

/** Editor repairs undo, which knows nothing of Trusted Types, of styles that wait, nor of what became of a picture. */
class Editor extends Squire {
	arrived = new Map(); // addresses of pictures while they went up, to those at the server, "" for none

	_setRawHTML(html) {
		for (const [waiting, address] of this.arrived) html = html.replaceAll(waiting, address.replaceAll("&", "&amp;"));
		super._setRawHTML(purify.sanitize(aside(html), { ...clean, ADD_ATTR: ["id"], FORBID_ATTR: ["class"], RETURN_TRUSTED_TYPE: true }));
		inked(dress(this._root));
		return this;
	}
}

/** startEditor lays the editor over the textarea. It gives null when it cannot stand, else what may be done with it. */
export function startEditor(form, draft, { letter = true } = {}) {
	const text = form.elements.body, html = one("[data-html]", form);
	if (!text || !html || !purify?.isSupported) return null;
	const hadFocus = document.activeElement === text;
	const label = one(`label[for="${text.id}"]`, form);
	label.id ||= text.id + "-label";
	const root = el("div", { class: "editor", id: text.id + "-editor", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-labelledby": label.id, dir: "auto", spellcheck: "true", "data-keep": true });
	text.before(root);
	text.hidden = true;
	html.disabled = false;
	const editor = new Editor(root, { blockTag: "DIV", sanitizeToDOMFragment: fragment, tagAttributes: {} });
	const asHTML = (s) => { const box = document.createElement("div"); for (const l of s.split("\n")) { const d = document.createElement("div"); d.append(l || document.createElement("br")); box.append(d); } return box.innerHTML; };
	editor._imageResizer?.destroy(); // its handles are styled in a way that the policy forbids
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
		html.value = plainInk(editor.getHTML()).replace(/<img\b[^>]*\ssrc="blob:[^>]*>/g, ""); // still on its way
		text.value = plainText(root);
	};
	editor.addEventListener("input", () => { if (!quiet) draft.touch(); });
	draft.before.push(write);
	form.addEventListener("restante:filled", () => { if (!html.disabled) { quiet = true; fill(); quiet = false; } });
	const bar = toolbar(editor);
	bar.setAttribute("aria-controls", root.id);
	const beside = [startPictures(editor, bar), startTyped(editor, form, { letter })];
	if (letter && one("[name=canned]", form)) cannedTool(editor, bar, form);
	const plain = el("button", { type: "button", class: "plain", title: say("plain"), "aria-label": say("plain"), tabindex: "-1", onclick: async () => {
		write();
		if (/<(b|strong|i|em|s|u|ul|ol|a|img|span|font|code|pre|table|h[1-3])\b/i.test(html.value) && !await ask(say("plainlose"), say("plain"))) return;
		html.disabled = true;
		html.value = "";
		text.hidden = false;
		text.removeAttribute("data-rich");
		for (const e of [bar, root, ...beside]) e.remove();
		draft.before = draft.before.filter((f) => f !== write);
		text.focus();
		draft.touch();
		form.dispatchEvent(new CustomEvent("restante:plain"));
	} }, icon("type"));
	bar.append(plain);
	one("[data-tools]", form).prepend(bar);
	const focus = () => {
		editor.focus();
		editor.moveCursorToStart();
		const quote = form.hasAttribute("data-below") && all(":scope > blockquote", root).at(-1), after = quote?.nextElementSibling;
		if (!after) return;
		const caret = document.createRange();
		caret.setStart(after, 0);
		editor.setSelection(caret);
		after.scrollIntoView({ block: "nearest" });
	};
	if (hadFocus) focus();
	return { focus, root, picture: (file, at) => placePicture(editor, file, at) };
}

/** placePicture shows a picture in the text while it goes up: show(address) once the server has it, drop() if it never will. */
function placePicture(editor, file, at) {
	if (at && editor.getRoot().contains(at.startContainer)) editor.setSelection(at);
	const waiting = URL.createObjectURL(file);
	const img = editor.insertImage(waiting, { alt: file.name });
	const swap = (address, change) => {
		editor.arrived.set(waiting, address);
		for (const i of all("img", editor.getRoot())) if (i.getAttribute("src") === waiting) change(i);
		URL.revokeObjectURL(waiting);
		editor.fireEvent("input");
	};
	img.addEventListener("load", () => img.scrollIntoView({ block: "nearest" }), { once: true });
	return { show: (address) => swap(address, (i) => i.setAttribute("src", address)), drop: () => swap("", (i) => i.remove()) };
}
