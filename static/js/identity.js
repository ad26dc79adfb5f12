// The form of a sender address: its signature is written with the editor of letters.
import { el, one } from "./dom.js";
import { startEditor } from "./editor.js";
import { say } from "./words.js";

/** startIdentity lays the editor over the signature and folds away the server that is not wanted. */
export function startIdentity() {
	const form = one("form[data-identity-form]"), text = form.elements.body;
	const keep = { before: [], touch() {} };
	const plain = el("input", { type: "hidden", name: "formatted", value: "0", disabled: true });
	form.append(plain);
	const format = () => {
		plain.disabled = true;
		startEditor(form, keep, { letter: false });
	};
	const offer = () => one("[data-tools]", form).append(el("button", { type: "button", class: "plain offer-format", onclick: (e) => {
		e.currentTarget.remove();
		format();
	} }, say("rich")));
	form.addEventListener("restante:plain", () => {
		plain.disabled = false;
		offer();
	});
	form.addEventListener("submit", () => { for (const write of keep.before) write(); });
	if (text.hasAttribute("data-rich")) format(); else offer();

	const own = one("[data-own-server]", form), server = one(".own-server", form);
	if (!own) return;
	const fold = () => { server.hidden = !own.checked; };
	own.addEventListener("change", fold);
	fold();
}
