// Colour and size of what is written: two menus of the tools. A colour is kept
// as it looks by day, and shown here so that it reads by night too.
import { all, el, icon, one } from "./dom.js";
import { say } from "./words.js";

// What each colour is by day and by night: the first is what the letter says.
const inks = { red: ["#a01f1e", "#f69088"], brown: ["#8a4b08", "#eeb64f"], green: ["#095b41", "#77d3ad"], blue: ["#1b549b", "#8fc3f5"], violet: ["#6b3fa0", "#c9a8f0"], grey: ["#5e646d", "#a19e96"] };
const sizes = { small: "13px", large: "20px", huge: "28px" };

const written = (property, value) => { const probe = document.createElement("i"); probe.style.setProperty(property, value); return probe.style.getPropertyValue(property); };
const days = Object.values(inks).map(([day, night]) => [written("color", day), written("color", `light-dark(${day}, ${night})`)]);

/** inked makes the colours and sizes under an element those of this editor: seen by day and night, and found by its tools. */
export function inked(root) {
	for (const e of all("span[style]", root)) {
		const known = days.find(([day]) => e.style.color === day);
		if (known) e.style.color = known[1];
		if (!e.className) e.className = e.style.color ? "color" : e.style.fontSize ? "size" : "";
	}
	return root;
}

/** plainInk is markup of the editor with the colours as a letter says them. */
export const plainInk = (html) => days.reduce((s, [day, both]) => s.replaceAll(both, day), html).replace(/<span class="(?:color|size)"/g, "<span");

/** put gives what is marked, or written next, a style: class and property are those that the editor knows it by; "" for none. */
function put(editor, name, property, value) {
	const attributes = { class: name };
	editor.changeFormat(value ? { tag: "SPAN", attributes: { ...attributes, "data-style": `${property}:${value}` } } : null, { tag: "SPAN", attributes });
	for (const e of all("[data-style]", editor.getRoot())) {
		e.style.setProperty(property, value);
		e.removeAttribute("data-style");
	}
	inked(editor.getRoot());
	editor.fireEvent("input");
}

/** menu hangs a menu on a button of the tools: choices are [words, value], the first for none; now() gives the value that holds. */
export function menu(editor, button, choices, now, choose) {
	const sheet = el("div", { class: "menu-sheet ink-menu", role: "menu", popover: "auto", "aria-label": button.ariaLabel });
	let range = null;
	const items = choices.map(([words, value]) => el("button", { type: "button", role: "menuitemradio", tabindex: "-1", "data-value": value, onclick: () => {
		sheet.hidePopover();
		editor.focus();
		if (range) editor.setSelection(range);
		choose(value);
	} }, words));
	sheet.append(...items);
	sheet.addEventListener("mousedown", (e) => e.preventDefault());
	sheet.addEventListener("keydown", (e) => {
		const at = items.indexOf(e.target), to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
		if (to !== undefined) items.at(to % items.length).focus();
		else if (e.key === "Escape" || e.key === "Tab") { sheet.hidePopover(); button.focus(); }
		else return;
		e.stopPropagation();
		if (e.key !== "Tab") e.preventDefault();
	});
	sheet.addEventListener("beforetoggle", (e) => { if (e.newState === "open") range = editor.getSelection(); });
	sheet.addEventListener("toggle", (e) => {
		const open = e.newState === "open";
		button.setAttribute("aria-expanded", String(open));
		if (!open) return;
		const held = now();
		for (const i of items) i.ariaChecked = String(i.dataset.value === held);
		stand(sheet, button);
		(items.find((i) => i.ariaChecked === "true") ?? items[0]).focus();
	});
	button.setAttribute("aria-haspopup", "menu");
	button.setAttribute("aria-expanded", "false");
	button.popoverTargetElement = sheet;
	button.after(sheet);
}

/** stand puts a sheet beside its button, where there is room. */
export function stand(sheet, button) {
	const at = button.getBoundingClientRect(), { offsetWidth: w, offsetHeight: h } = sheet;
	sheet.style.left = Math.max(8, Math.min(at.left, innerWidth - w - 8)) + "px";
	sheet.style.top = Math.max(8, at.top > h + 8 ? at.top - h - 4 : Math.min(at.bottom + 4, innerHeight - h - 8)) + "px";
}

/** inkTools are the two buttons with their menus, to stand in the bar. */
export function inkTools(editor, bar) {
	const tool = (name, sign) => el("button", { type: "button", class: "plain", title: say(name), "aria-label": say(name), "data-tool": name, tabindex: "-1" }, icon(sign));
	const colour = tool("colour", "palette"), size = tool("size", "a-large-small");
	one('[data-tool="link"]', bar).after(colour, size);
	for (const b of [colour, size]) b.addEventListener("mousedown", (e) => e.preventDefault());
	const both = ([day, night]) => written("color", `light-dark(${day}, ${night})`);
	menu(editor, colour, [[say("noink"), ""], ...Object.entries(inks).map(([name, ink]) => [swatch(name, ink), both(ink)])],
		() => editor.getFontInfo().color ?? "", (v) => put(editor, "color", "color", v));
	menu(editor, size, [[say("nosize"), ""], ...Object.entries(sizes).map(([name, v]) => [say("size." + name), v])],
		() => editor.getFontInfo().fontSize ?? "", (v) => put(editor, "size", "font-size", v));
}

function swatch(name, [day, night]) {
	const spot = el("span", { class: "ink" }), words = document.createDocumentFragment();
	spot.style.background = `light-dark(${day}, ${night})`;
	words.append(spot, say("ink." + name));
	return words;
}
