// Signing out first saves what is being written. What only this browser has is asked about.
import { el, on, one } from "./dom.js";
import { dialog } from "./dialog.js";
import { copiesOf, dropAll, leftOf, unsaved } from "./sealed.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

/** account is the number of the signed-in one. */
const account = () => Number(one('form[action="/logout"]')?.dataset.account);

const ask = (n) => dialog(n === 1 ? say("onlyhere") : say("onlyheremany", { N: n }), (close) => [
	el("p", { class: "buttons" },
		el("button", { type: "button", class: "danger", onclick: () => close("drop") }, say("throwitaway")),
		el("button", { type: "button", onclick: () => close("keep") }, say("keepsealed")),
		el("button", { type: "button", class: "filled", autofocus: true, onclick: () => close("stay") }, say("stay"))),
]);

/** ready saves, and gives whether the person may go. */
async function ready() {
	await Promise.all([...unsaved].map(async (d) => await d.settle() || d.keepHere()));
	const n = await copiesOf(account()).catch(() => 0);
	const choice = n ? await ask(n) : "keep";
	if (choice === "drop") {
		for (const d of unsaved) d.over = true; // nothing is to keep them on the way out
		await dropAll(account());
	}
	return choice === "drop" || choice === "keep";
}

/** tellLeft says once a tab, on a list, that text lies on this device alone: its page went away before the server had it. */
export async function tellLeft() {
	if (!one("#list") || !globalThis.indexedDB || sessionStorage.getItem("restante:left")) return;
	const n = await leftOf(account());
	if (!n) return;
	sessionStorage.setItem("restante:left", "1");
	toast(n === 1 ? say("onlyhere") : say("onlyheremany", { N: n }), { action: { words: say("show"), run: () => location.assign("/compose") } });
}

/** startSignOut listens, once for all pages; before those who take the submit for the end. */
export function startSignOut() {
	on("submit", 'form[action="/logout"]', (e, form) => {
		if (form.dataset.sure || !globalThis.indexedDB) return;
		e.preventDefault();
		ready().catch(() => true).then((yes) => {
			if (!yes) return;
			form.dataset.sure = "1";
			form.requestSubmit();
		});
	}, { capture: true });
}
