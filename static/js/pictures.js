// Pictures in a letter that is being written: pressed, or by the tool that is there
// once one is marked, a bar beside one says how wide it goes out.
import { all, el, icon } from "./dom.js";
import { stand } from "./inks.js";
import { say } from "./words.js";

const widths = { small: 240, medium: 480, original: 0 };

/** startPictures lets the pictures of an editor, whose tools are given, be made smaller, larger, or be taken out. */
export function startPictures(editor, tools) {
	const root = editor.getRoot();
	let img = null;
	const bar = el("div", { class: "picture-bar", role: "toolbar", popover: "auto", "aria-label": say("picture") });
	const change = (f) => {
		editor.saveUndoState();
		editor.modifyDocument(f);
		bar.hidePopover();
		editor.focus();
		editor.fireEvent("input");
	};
	for (const [name, width] of Object.entries(widths)) {
		bar.append(el("button", { type: "button", class: "plain", "data-width": String(width), onclick: () => change(() => {
			if (width) img.setAttribute("width", String(Math.min(width, img.naturalWidth))); else img.removeAttribute("width");
			img.removeAttribute("height");
		}) }, say("picture." + name)));
	}
	bar.append(el("button", { type: "button", class: "plain danger-quiet", "aria-label": say("picture.remove"), title: say("picture.remove"), onclick: () => change(() => img.remove()) }, icon("trash-2")));
	root.after(bar);
	const show = (picture) => {
		img = picture;
		for (const b of bar.querySelectorAll("[data-width]")) {
			b.setAttribute("aria-pressed", String((Number(img.getAttribute("width")) || 0) === Number(b.dataset.width)));
			b.hidden = Number(b.dataset.width) >= img.naturalWidth;
		}
		bar.showPopover();
		stand(bar, img);
	};
	root.addEventListener("click", (e) => { if (e.target.nodeName === "IMG") show(e.target); });
	const marked = () => { // what is marked, or the one before the caret
		const range = editor.getSelection(), before = range.startContainer.childNodes[range.startOffset - 1];
		return all("img", root).find((i) => range.collapsed ? i === before : range.intersectsNode(i));
	};
	const tool = el("button", { type: "button", class: "plain", title: say("picture"), "aria-label": say("picture"), "data-tool": "picture", tabindex: "-1", hidden: true, onclick: () => {
		const picture = marked();
		if (!picture) return;
		show(picture);
		bar.querySelector("button:not([hidden])").focus();
	} }, icon("file-image"));
	tool.addEventListener("mousedown", (e) => e.preventDefault());
	tools.append(tool);
	for (const event of ["select", "pathChange", "input"]) editor.addEventListener(event, () => { tool.hidden = !marked(); });
	bar.addEventListener("toggle", (e) => img?.toggleAttribute("data-held", e.newState === "open"));
	return bar;
}
