// Pictures in a letter that is being written: pressed, a bar beside one says how
// wide it goes out.
import { el, icon } from "./dom.js";
import { stand } from "./inks.js";
import { say } from "./words.js";

const widths = { small: 240, medium: 480, original: 0 };

/** startPictures lets the pictures of an editor be made smaller, larger, or be taken out. */
export function startPictures(editor) {
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
	root.addEventListener("click", (e) => {
		if (e.target.nodeName !== "IMG") return;
		img = e.target;
		for (const b of bar.querySelectorAll("[data-width]")) {
			b.setAttribute("aria-pressed", String((Number(img.getAttribute("width")) || 0) === Number(b.dataset.width)));
			b.hidden = Number(b.dataset.width) >= img.naturalWidth;
		}
		bar.showPopover();
		stand(bar, img);
	});
	bar.addEventListener("toggle", (e) => img?.toggleAttribute("data-held", e.newState === "open"));
	return bar;
}
