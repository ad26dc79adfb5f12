// Formatted text in forms that are no letters: templates, signatures.
import { el, one } from "./dom.js";
import { startEditor } from "./editor.js";
import { say } from "./words.js";

/** startTextForm lays the editor over the text of a form once it is seen; without it, it offers to. The field "formatted" says that somebody chose plain text. */
export function startTextForm(form) {
	const text = { before: [], touch() {} }, plain = el("input", { type: "hidden", name: "formatted", value: "0", disabled: true });
	form.append(plain);
	const format = () => {
		plain.disabled = true;
		startEditor(form, text, { letter: false });
	};
	const offer = () => one("[data-tools]", form).append(el("button", { type: "button", class: "plain offer-format", onclick: (e) => {
		e.currentTarget.remove();
		format();
	} }, say("rich")));
	form.addEventListener("restante:plain", () => {
		plain.disabled = false;
		offer();
	});
	form.addEventListener("submit", () => { for (const write of text.before) write(); });
	const start = () => { if (one("textarea[data-rich]", form)) format(); else offer(); }, fold = form.closest("details");
	if (!fold || fold.open) start();
	else fold.addEventListener("toggle", start, { once: true });
}
