// Keeping what is written: in this browser within 400 ms, on the server two
// seconds after the last key and at most every five while typing.
import { all, el, isOurs, one, parse } from "./dom.js";
import { call, problem } from "./net.js";
import { fieldsOf, left, offerNewer, offerOthers } from "./newer.js";
import { weWrote } from "./others.js";
import { Copies, unsaved } from "./sealed.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

const clock = () => new Date().toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** tellForeign says that another mail program has changed the copy in the Drafts folder, and where its text is; "-" is nowhere. */
function tellForeign(form, at) {
	one("[data-foreign]", form)?.remove();
	const bar = el("p", { class: "bar warn", role: "status", "data-foreign": true }, el("span", {}, say(at === "-" ? "takenout" : "foreign")));
	if (at !== "-") bar.append(el("a", { class: "button", href: at, target: "_blank" }, say("foreignlook")));
	bar.append(el("button", { type: "button", onclick: () => bar.remove() }, say("close")));
	one("[data-notes]", form).append(bar);
}

/** Draft is a form with its copies. A form that is a page of its own keeps the page's address up to date. */
export class Draft {
	constructor(form, { page, source }) {
		this.form = form;
		this.page = page;
		const from = new URL(source, location.href); // its name until it has an id, from wherever it was opened
		from.searchParams.delete("back");
		this.source = from.pathname + from.search;
		this.fresh = "new " + this.source;
		while ([...unsaved].some((d) => d.name === this.fresh)) this.fresh += "+"; // one more of the kind
		this.before = []; // called before the form is read: the editor writes its text into it
		this.changed = 0; // counts changes
		this.kept = 0; // the count that the server has
		this.busy = null;
		this.over = false; // sent or thrown away
		this.unknown = false; // the server did not say which draft it made
		this.cut = false; // the last save did not reach the server
		this.held = null; // what is to be sent once it can be reached
		this.copies = new Copies(Number(form.dataset.account), form.dataset.copyKey);
		form.removeAttribute("data-copy-key");
		this.gone = new AbortController();
		const signal = this.gone.signal;
		form.addEventListener("input", () => this.touch(), { signal });
		form.addEventListener("change", () => this.touch(), { signal });
		document.addEventListener("visibilitychange", () => { if (document.hidden) this.leave(); }, { signal });
		addEventListener("pagehide", () => this.leave(), { signal });
		addEventListener("online", () => this.save(), { signal });
		document.addEventListener("restante:signedin", () => this.save(), { signal });
		unsaved.add(this);
	}

	get id() { return this.form.dataset.draft || ""; }
	get waitsForFolder() { return Boolean(this.unfiled) && !this.over; }
	get dirty() { return this.changed > this.kept && !this.over; }
	get name() { return this.id || this.fresh; }

	say(words, trouble = false) {
		const place = one("[data-kept]", this.form);
		place?.toggleAttribute("data-trouble", trouble);
		if (place && place.textContent !== words) place.textContent = words;
	}

	/** ready notes what the form holds before anybody has written: that alone is not worth keeping. Whether the draft is written here, mine says. */
	ready(mine) {
		this.begun = this.text();
		if (mine) offerNewer(this).then(() => offerOthers(this, [...unsaved].flatMap((d) => [d.name, left(d.name)]))).catch((error) => console.error(error));
	}

	text() { return JSON.stringify([...this.data().entries()].filter(([name]) => ["from", "to", "cc", "bcc", "subject", "body", "html"].includes(name))); }

	touch() {
		if (this.begun === undefined || !this.changed && this.text() === this.begun) return;
		this.changed++;
		this.localTimer ??= setTimeout(() => this.keepHere(), 400);
		clearTimeout(this.quiet);
		this.quiet = setTimeout(() => this.save(), 2000);
		this.typing ??= setTimeout(() => this.save(), 5000);
	}

	/** data is the form as it would be sent with an action, without files: those go up by themselves. */
	data(action, submitter) {
		for (const f of this.before) f();
		const data = submitter ? new FormData(this.form, submitter) : new FormData(this.form);
		data.delete("attachments");
		if (action) data.set("action", action);
		return data;
	}

	async keepHere() {
		clearTimeout(this.localTimer);
		this.localTimer = null;
		if (!this.dirty && !this.held) return;
		try {
			await this.copies.keep(this.name, { at: Date.now(), where: this.id ? "/compose/" + this.id : this.source, rev: Number(this.form.dataset.rev), fields: fieldsOf(this.data()), held: this.held });
			if (this.dirty && !one("[data-kept][data-trouble]", this.form)) this.say(say("keptlocal"));
		} catch { /* full or forbidden: the server's copy remains */ }
	}

	/** hold keeps what is to be sent once the line is back, or no longer does. */
	hold(what) {
		this.held = what;
		return this.held || this.dirty ? this.keepHere() : this.forget();
	}

	/** mark lets the page that follows erase the copy, once it has come. */
	async mark() {
		const id = await this.copies.id(this.name).catch(() => null);
		if (id) sessionStorage.setItem("restante:sent", id);
	}

	forget(name = this.name) { return this.copies.forget(name).catch(() => { /* nothing to forget */ }); }

	/** save keeps the draft on the server. It gives whether the server has it. */
	async save({ force = false, keepalive = false, leave = false, asked = false, act = "save" } = {}) {
		clearTimeout(this.quiet);
		clearTimeout(this.typing);
		this.typing = null;
		if (this.busy) {
			await this.busy;
			if (this.busy) return this.busy;
		}
		if (this.over || this.unknown && !force || !this.dirty && !force) return !this.dirty;
		clearTimeout(this.unfiled);
		this.unfiled = null;
		this.busy = this.post({ keepalive, asked }, leave ? "leave" : "autosave", act).finally(() => { this.busy = null; });
		return this.busy;
	}

	/** settle keeps all of it, in the Drafts folder too, because it is not written on here. It gives whether the server has it. */
	async settle(keepalive = false) {
		await this.busy;
		return this.save({ force: this.waitsForFolder, keepalive, leave: true });
	}

	/** lend settles it for another tab, whose text this one is not to file over. */
	async lend() {
		await this.settle();
		clearTimeout(this.unfiled);
		this.unfiled = null;
	}

	async post(how, kind, act) {
		const count = this.changed, name = this.name;
		try {
			this.cut = true;
			const response = await call(this.form.getAttribute("action"), { method: "POST", body: this.data(act), headers: { "X-Restante": kind, ...act === "save" && !this.dirty && { "X-Restante-Same": "1" } }, ...how });
			this.cut = false;
			const doc = isOurs(response) ? parse(response, await response.text()) : null;
			if (response.status === 409) { // sent or thrown away elsewhere
				this.over = true;
				this.say(doc ? problem(doc) : say("refused"), true);
				return false;
			}
			if (!response.ok) throw new Error(String(response.status));
			this.learn(response, doc, act === "both");
			if (response.headers.get("X-Restante-Rev")) weWrote(this.id, response.headers.get("X-Restante-Rev"));
			this.kept = Math.max(this.kept, count);
			if (name !== this.name || !this.dirty) this.forget(name);
			if (this.dirty || this.held) this.keepHere(); // written since
			const filed = response.headers.get("X-Restante-Filed"), foreign = response.headers.get("X-Restante-Foreign");
			if (foreign) tellForeign(this.form, foreign);
			this.say(say(filed === "away" ? "keptaway" : "kept", { Time: clock() }));
			// The copy in the Drafts folder follows at most every 20 s.
			if (filed && filed !== "1") this.unfiled = setTimeout(() => this.save({ force: true }), 21_000);
			return true;
		} catch (error) {
			if (error.name === "AbortError") return false;
			this.keepHere();
			this.say(say("notkept"), true);
			clearTimeout(this.again);
			this.again = setTimeout(() => this.save(), 10_000);
			return false;
		}
	}

	/** learn takes from an answer which draft this is now; another one than before was asked for, or is told. */
	learn(response, doc, asked = false) {
		const answered = doc && one("form[data-compose]", doc);
		const id = response.headers.get("X-Restante-Draft") || answered?.dataset.draft;
		const rev = response.headers.get("X-Restante-Rev") || answered?.dataset.rev;
		if (id && id !== this.id) {
			if (this.id && !asked) toast(say("conflict"), { failed: true });
			const files = this.id || all("input[name=carry]", this.form).some((e) => e.value);
			this.form.dataset.draft = id;
			this.form.setAttribute("action", "/compose/" + id);
			for (const e of all("input[name=carry]", this.form)) e.remove();
			if (files) this.moved?.(); // their addresses are others now
			if (this.page) history.replaceState(history.state, "", "/compose/" + id);
			this.form.dispatchEvent(new CustomEvent("restante:draft"));
		}
		this.unknown = !this.id;
		if (rev) {
			this.form.dataset.rev = rev;
			const field = one("input[name=rev]", this.form);
			if (field) field.value = rev;
		}
		if (answered) this.files?.(answered);
	}

	/** leave keeps what there is when the page goes out of sight. */
	leave() {
		if (!this.dirty && !this.waitsForFolder) return;
		this.keepHere();
		const size = [...this.data().values()].reduce((n, v) => n + String(v).length, 0);
		if (navigator.onLine) this.settle(size < 50_000);
	}

	/** end stops keeping: the form itself is being sent. */
	end() {
		this.keepHere();
		this.over = true;
		this.rest();
	}

	rest() {
		for (const timer of [this.localTimer, this.quiet, this.typing, this.again, this.unfiled]) clearTimeout(timer);
		this.localTimer = this.quiet = this.typing = this.again = this.unfiled = null;
	}

	/** close lets go of the form, which leaves the page. */
	close() {
		this.rest();
		this.gone.abort();
		unsaved.delete(this);
	}

	use(fields) {
		this.put(fields);
		this.touch();
	}

	/** fill puts in what the server has: nothing of it is to be kept. */
	fill(fields) {
		this.rest();
		this.put(fields);
		this.begun = this.text();
		this.changed = this.kept = 0;
	}

	put(fields) {
		for (const [name, value] of fields) {
			const field = this.form.elements[name];
			if (field && "value" in field) field.value = value;
		}
		this.form.dispatchEvent(new CustomEvent("restante:filled"));
	}
}
