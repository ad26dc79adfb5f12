// Dialogs made of a few words, and the sign-in that comes to the page.
import { all, el, icon, one } from "./dom.js";
import { say } from "./words.js";

/** dialog opens with nodes; its promise gives what close() is called with, null for Esc. A modal one stays when the page beside it is pressed. */
export function dialog(title, content, { broad = false, modal = false } = {}) {
	let result = null;
	const back = document.activeElement;
	const id = "dialog-" + Math.random().toString(36).slice(2, 8);
	const box = el("dialog", { class: broad ? "dialog broad" : "dialog", "aria-labelledby": id }, el("h2", { id }, title));
	const done = new Promise((resolve) => {
		box.addEventListener("close", () => {
			box.remove();
			if (back instanceof HTMLElement && back.isConnected) back.focus();
			resolve(result);
		});
	});
	const close = (value) => { result = value; box.close(); };
	box.append(...content(close));
	box.addEventListener("click", (e) => { if (e.target === box && !modal) box.close(); });
	document.body.append(box);
	box.showModal();
	box.scrollTop = 0;
	return done;
}

/** ask is a question with one dangerous answer. */
export const ask = (words, yes) => dialog(words, (close) => [
	el("p", { class: "buttons" },
		el("button", { type: "button", onclick: () => close(null), autofocus: true }, say("cancel")),
		el("button", { type: "button", class: "danger", onclick: () => close(true) }, yes)),
]);

let asking = null;

/** elsewhere leads to the provider in a tab of its own, while this page stays as it is. It gives true once somebody is signed in. */
const elsewhere = (provider) => dialog(say("again"), (close) => {
	const wrong = el("p", { class: "wrong", role: "alert", hidden: true }, say("again"));
	const address = one(".account .menu-head")?.textContent.trim() ?? "";
	const goOn = async () => {
		const r = await fetch("/settings", { headers: { "X-Restante": "1" }, redirect: "manual", credentials: "same-origin" }).catch(() => null);
		if (r?.ok) return close(true);
		wrong.hidden = false;
	};
	return [
		el("p", { class: "hint" }, say("providertab")), wrong,
		el("p", { class: "buttons" },
			el("button", { type: "button", onclick: () => close(false) }, say("cancel")),
			el("button", { type: "button", onclick: goOn }, say("goon")),
			el("a", { class: "button filled", href: "/login?again=" + encodeURIComponent(address), target: "_blank", rel: "noopener", autofocus: true }, provider)),
	];
}, { modal: true });

/** offered takes away what offerSignIn has put up. */
export const offered = () => all("[data-sign-in]").forEach((bar) => bar.remove());

/**
 * offerSignIn tells of the end of the session in the letter that has the caret: a dialog would take what is typed for
 * the password. The writer goes on, and turns to it when they will. It gives whether there is such a letter.
 */
export function offerSignIn() {
	const caret = document.activeElement, form = caret?.closest("form[data-compose]");
	if (asking || !form || !caret.matches("input, select, textarea, [contenteditable]")) return false;
	if (!one("[data-sign-in]", form)) {
		one("[data-notes]", form).append(el("p", { class: "bar warn", role: "alert", "data-sign-in": true }, icon("triangle-alert"), el("span", {}, say("again")),
			el("button", { type: "button", onclick: () => { caret.focus(); signIn(); } }, say("signin"))));
	}
	return true;
}

/** signIn asks for the password in place, or leads to the provider. It gives true once the person is signed in. */
export function signIn() {
	const { provider } = document.body.dataset;
	return asking ??= (provider ? elsewhere(provider) : here()).finally(() => { asking = null; }).then((done) => {
		if (!done) return done;
		offered();
		document.dispatchEvent(new CustomEvent("restante:signedin"));
		return done;
	});
}

function here() {
	return dialog(say("again"), (close) => {
		const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
		const password = el("input", { type: "password", id: "again-password", name: "password", autocomplete: "current-password", required: true, autofocus: true });
		const username = el("input", { type: "text", name: "username", autocomplete: "username", value: one(".account .menu-head")?.textContent.trim() ?? "", hidden: true });
		const form = el("form", { method: "post", action: "/login", onsubmit: async (e) => {
			e.preventDefault();
			try {
				const r = await fetch("/login", { method: "POST", body: new URLSearchParams({ username: username.value, password: password.value, next: "/help" }), redirect: "follow" });
				if (r.ok) return close(true);
				wrong.textContent = say("wrongpassword");
			} catch {
				wrong.textContent = say("offline");
			}
			wrong.hidden = false;
			password.select();
		} }, el("p", { class: "hint" }, el("bdi", {}, username.value)), username,
		el("p", { class: "field" }, el("label", { for: "again-password" }, say("password")), password), wrong,
		el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => close(false) }, say("cancel")), el("button", { class: "filled" }, say("signin"))));
		return [form];
	}, { modal: true });
}
