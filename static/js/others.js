// A draft that another device wrote lately is not written on before somebody says how: it is taken over, or both are
// kept. A page that comes into sight again shows what was written elsewhere meanwhile.
import { isOurs, one, parse } from "./dom.js";
import { call } from "./net.js";
import { toast } from "./toast.js";
import { lay, renew } from "./turns.js";
import { say } from "./words.js";

const wrote = "restante:wrote";

/** written lists which revisions of drafts this browser wrote last: a session may end with it, and another one begins. */
function written() {
	try {
		return JSON.parse(localStorage.getItem(wrote) || "[]");
	} catch {
		return [];
	}
}

/** weWrote remembers a revision. */
export function weWrote(id, rev) {
	try {
		localStorage.setItem(wrote, JSON.stringify([[id, Number(rev)], ...written().filter(([other]) => other !== id)].slice(0, 50)));
	} catch { /* asked once too often, then */ }
}

/** startOthers watches over the draft of a form. */
export function startOthers(draft) {
	const { form } = draft, { signal } = draft.gone;
	const bar = () => one("[data-other]", form);

	const rest = () => {
		const within = form.contains(document.activeElement);
		lay(form, true);
		if (within) bar().focus(); // no button: who types on presses nothing
	};

	const goOn = () => {
		const within = bar()?.contains(document.activeElement);
		bar()?.remove();
		lay(form, false);
		if (within) (one(".editor", form) ?? form.elements.body).focus();
	};

	/** look asks the server for what was written since, unless something is being written here: of that both are kept. */
	const look = async () => {
		if (document.hidden || !draft.id || draft.dirty || draft.busy || draft.over || one(".elsewhere", form)) return;
		const response = await call("/compose/" + draft.id), doc = isOurs(response) && response.ok ? parse(response, await response.text()) : null;
		const fresh = doc && one("form[data-compose]", doc), other = fresh && one("[data-other]", fresh);
		if (!fresh || draft.dirty || draft.busy || Number(fresh.dataset.rev) <= Number(form.dataset.rev)) return;
		if (!other) return void await renew(draft);
		one("[data-notes]", form).append(document.importNode(other, true));
		rest();
	};

	const answer = async (how) => {
		if (how === "take") await renew(draft);
		if (draft.over) return lay(form, true);
		if (!await draft.save({ force: true, asked: true, act: how })) return toast(say("refused"), { failed: true });
		goOn();
		if (how === "both") toast(say("botharekept"));
	};

	const quietly = () => look().catch(() => { /* without a line, the next look tells */ });
	document.addEventListener("visibilitychange", quietly, { signal });
	document.addEventListener("restante:draftnews", quietly, { signal });
	form.addEventListener("click", (e) => {
		const button = e.target.closest?.("[data-other] button");
		if (!button) return;
		e.preventDefault();
		answer(button.value).catch(() => toast(say("refused"), { failed: true }));
	}, { signal });
	if (!bar()) return;
	rest();
	const rev = Number(form.dataset.rev), mine = written().some(([id, last]) => id === draft.id && last === rev);
	draft.copies.read(draft.name).then((copy) => { if (mine || copy?.rev === rev) goOn(); });
}
