// The form of a sender address: its signature is written with the editor of letters.
import { one } from "./dom.js";
import { startTextForm } from "./textforms.js";

/** startIdentity lays the editor over the signature and folds away the server that is not wanted. */
export function startIdentity() {
	const form = one("form[data-identity-form]");
	startTextForm(form);
	const own = one("[data-own-server]", form), server = one(".own-server", form);
	if (!own) return;
	const fold = () => { server.hidden = !own.checked; };
	own.addEventListener("change", fold);
	fold();
}
