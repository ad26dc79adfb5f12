// A draft is written in one tab at a time. A second one is told, and may go on
// with it. Between devices, and where the browser has no locks, a save that comes
// too late becomes a draft of its own.
import { all, el, isOurs, one, parse } from "./dom.js";
import { call, problem } from "./net.js";
import { say } from "./words.js";

const { locks } = navigator;
const channel = locks && globalThis.BroadcastChannel ? new BroadcastChannel("restante:drafts") : null;
const patience = 3000; // ms for the other tab to save and let go, and for what it wrote last to arrive

/** Turn is a form's hold on its draft. */
class Turn {
	constructor(draft) {
		this.draft = draft;
		this.form = draft.form;
		this.name = "";
		this.bar = null; // stands there while another tab has the draft
		const { signal } = draft.gone;
		this.left = -patience; // when the tab that has the draft went away with words that are still on their way
		channel.addEventListener("message", (e) => {
			if (e.data.take === this.name && this.free) this.yield();
			if (e.data.left === this.name) this.left = performance.now();
		}, { signal });
		this.form.addEventListener("restante:draft", () => this.begin(), { signal });
		addEventListener("focus", () => { if (this.bar) this.again({ ifAvailable: true }); }, { signal });
		addEventListener("pagehide", () => { if (this.free && this.draft.busy) channel.postMessage({ left: this.name }); }, { signal });
		signal.addEventListener("abort", () => this.release());
	}

	/** begin takes the draft that the form has now; it gives whether no other tab has it. */
	async begin() {
		this.release();
		if (!this.draft.id) return true;
		this.name = "restante:draft:" + this.draft.id;
		if (await this.hold({ ifAvailable: true })) return true;
		this.rest();
		return false;
	}

	/** hold keeps the draft until release. It gives whether it could be had. */
	hold(options) {
		return new Promise((had) => {
			let free;
			locks.request(this.name, options, (lock) => {
				if (!lock) return had(false);
				const kept = new Promise((resolve) => { free = this.free = resolve; });
				had(true);
				return kept;
			}).catch(() => { // nobody let go in time, or it was taken from this tab
				had(false);
				if (free && free === this.free) { this.free = null; this.rest(); }
			});
		});
	}

	release() {
		this.free?.();
		this.free = null;
	}

	/** yield lets another tab go on, with all that was written here. */
	async yield() {
		await this.draft.lend();
		this.release();
		this.rest();
	}

	/** rest tells that the draft is written elsewhere; until it is wanted here the form takes nothing. */
	rest() {
		if (this.bar || this.draft.over) return;
		const within = this.form.contains(document.activeElement);
		const button = el("button", { type: "button", onclick: () => this.take() }, say("writehere"));
		this.bar = el("p", { class: "bar info elsewhere", role: "status", tabindex: "-1" }, el("span", {}, say("elsewhere")), button);
		one("[data-notes]", this.form).append(this.bar);
		lay(this.form, true);
		if (within) this.bar.focus(); // not the button: who types on presses nothing
	}

	/** take asks the tab that has the draft for it. One that does not answer loses it. */
	async take() {
		channel.postMessage({ take: this.name });
		if (!await this.again({ signal: AbortSignal.timeout(patience) })) await this.again({ steal: true });
	}

	/** again has the draft here once more, as the server knows it, if it can be had. */
	async again(options) {
		if (!await this.hold(options)) return false;
		const within = this.bar?.contains(document.activeElement);
		this.bar?.remove();
		this.bar = null;
		lay(this.form, false);
		try {
			while (!await renew(this.draft) && performance.now() - this.left < patience && !this.draft.dirty) await new Promise((later) => { setTimeout(later, 250); });
		} catch { /* what stands here goes on; should it be older, both are kept */ }
		if (within) (one(".editor", this.form) ?? this.form.elements.body).focus();
		return true;
	}
}

/** lay lets a form take nothing, but for its head and what is told in it; or take all again. */
export function lay(form, still) {
	for (const part of all(":scope > :not(.compose-head, [data-notes])", form)) part.inert = still;
}

/** renew puts in what the server has of a draft. It gives whether that was news. */
export async function renew(draft) {
	const { form } = draft, { rev } = form.dataset;
	const response = await call("/compose/" + draft.id);
	const doc = isOurs(response) ? parse(response, await response.text()) : null, fresh = doc && one("form[data-compose]", doc);
	if (fresh && draft.dirty) return true; // written since: both are kept
	if (fresh) {
		draft.learn(response, doc);
		draft.fill([...fresh.elements].filter((f) => f.name && f.type !== "hidden" && f.type !== "file" && f.name !== "action").map((f) => [f.name, f.value]));
	} else { // sent, or thrown away
		draft.over = true;
		draft.say(doc && !response.ok ? problem(doc) : say("sentelsewhere"), true);
	}
	return draft.over || form.dataset.rev !== rev;
}

/** startTurn gives whether the form may be written in: no other tab has its draft. */
export const startTurn = async (draft) => !channel || new Turn(draft).begin();
