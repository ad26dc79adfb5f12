// Formatted text in forms that are no letters: templates.
import { startEditor } from "./editor.js";
import { one } from "./dom.js";

/** startTextForm lays the editor over the text of a form once it is seen. */
export function startTextForm(form) {
	const text = { before: [], touch() {} }, start = () => { if (one("textarea[data-rich]", form)) startEditor(form, text, { letter: false }); };
	const fold = form.closest("details");
	if (!fold || fold.open) start();
	else fold.addEventListener("toggle", start, { once: true });
	form.addEventListener("submit", () => { for (const f of text.before) f(); });
}
