// Offers text of a draft that only this browser has: to use it, or to compare it first.
import { el, one } from "./dom.js";
import { dialog } from "./dialog.js";
import { drop } from "./sealed.js";
import { say } from "./words.js";

const kept = ["to", "cc", "bcc", "subject", "body", "html"];

/** fieldsOf are the fields of a form that a copy holds. */
export const fieldsOf = (data) => [...data.entries()].filter(([name]) => kept.includes(name));

const plain = (s) => (s ?? "").replace(/\r\n/g, "\n");

/** clock is a time of today as the clock shows it, else with its day. */
function clock(at) {
	const today = new Date(at).toDateString() === new Date().toDateString();
	return new Date(at).toLocaleString(document.documentElement.lang || undefined, { dateStyle: today ? undefined : "short", timeStyle: "short" });
}

/** side is one of the two texts, to be read. */
const side = (title, fields) => el("section", { class: "version" }, el("h3", {}, title),
	el("p", { class: "hint" }, el("bdi", {}, [fields.get("to"), fields.get("subject")].filter(Boolean).join(" · "))),
	el("div", { class: "version-text", tabindex: "0", dir: "auto", "aria-label": title, role: "group" }, plain(fields.get("body"))));

/** compare shows both texts and gives which one is wanted: true for that of this device, null for neither yet. */
const compare = (copy, now) => dialog(say("compare"), (close) => [
	el("div", { class: "versions" }, side(say("thisdevice", { Time: clock(copy.at) }), new Map(copy.fields)), side(say("theserver"), now)),
	el("p", { class: "buttons" }, el("button", { type: "button", onclick: () => close(null) }, say("cancel")),
		el("button", { type: "button", onclick: () => close(false) }, say("useserver")),
		el("button", { type: "button", class: "filled", autofocus: true, onclick: () => close(true) }, say("useit"))),
], { broad: true });

/** offerOthers tells of text that only this device has in letters whose pages went away, with the way to each. */
export async function offerOthers(draft, names) {
	if (draft.id || draft.changed) return; // a new letter alone is where one looks for it
	for (const copy of (await draft.copies.others(names)).filter((c) => c.where && c.at < Date.now() - 5000).slice(0, 5)) {
		const fields = new Map(copy.fields), what = fields.get("subject") || plain(fields.get("body")).trim().slice(0, 60) || fields.get("to");
		const go = copy.where === draft.source // the same page, a second time
			? el("button", { type: "button", onclick: () => { bar.remove(); draft.use(copy.fields); drop(copy.id); } }, say("useit"))
			: el("a", { class: "button", href: copy.where }, say("openit"));
		const bar = el("p", { class: "bar info newer", role: "status" }, el("span", {}, say("onlyhereof", { What: what, Time: clock(copy.at) })), go,
			el("button", { type: "button", onclick: () => { bar.remove(); drop(copy.id); } }, say("throwitaway")));
		one("[data-notes]", draft.form).append(bar);
	}
}

/** left is the name of a copy that is offered: what is written meanwhile does not go over it. */
export const left = (name) => "left " + name;

/** offerNewer asks, when the browser holds other text of the draft than the form. */
export async function offerNewer(draft) {
	const { copies, name } = draft, fresh = await copies.read(name), copy = fresh ?? await copies.read(left(name)), now = new Map(new FormData(draft.form));
	if (!copy || draft.changed) return;
	if (copy.fields.every(([field, value]) => field === "html" || plain(now.get(field)) === plain(value))) return;
	if (fresh) {
		await copies.keep(left(name), fresh);
		await copies.forget(name);
	}
	const done = (use) => {
		bar.remove();
		if (use) draft.use(copy.fields);
		draft.forget(left(name));
	};
	const bar = el("p", { class: "bar info newer", role: "status" }, el("span", {}, say("newer", { Time: clock(copy.at) })),
		el("button", { type: "button", onclick: () => done(true) }, say("useit")),
		el("button", { type: "button", onclick: async () => {
			const use = await compare(copy, now);
			if (use !== null) done(use);
		} }, say("comparing")));
	one("[data-notes]", draft.form).append(bar);
}
