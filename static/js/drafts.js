// Keeping what is written: in this browser within 400 ms, on the server two
// seconds after the last key and at most every five while typing.
import { all, isOurs, one, parse } from "./dom.js";
import { call, problem } from "./net.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

const clock = () => new Date().toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Draft is the form with its copies. */
export class Draft {
	constructor(form) {
		this.form = form;
		this.before = []; // called before the form is read: the editor writes its text into it
		this.changed = 0; // counts changes
		this.kept = 0; // the count that the server has
		this.busy = null;
		this.over = false; // sent or thrown away
		this.unknown = false; // the server did not say which draft it made
		form.addEventListener("input", () => this.touch());
		form.addEventListener("change", () => this.touch());
		document.addEventListener("visibilitychange", () => { if (document.hidden) this.leave(); });
		addEventListener("pagehide", () => this.leave());
		addEventListener("online", () => this.save());
		this.offer();
	}

	get id() { return this.form.dataset.draft || ""; }
	get waitsForFolder() { return Boolean(this.unfiled) && !this.over; }
	get dirty() { return this.changed > this.kept && !this.over; }
	get key() { return "restante:draft:" + (one(".account .menu-head")?.textContent.trim() ?? "") + ":" + (this.id || "new" + location.search); }

	say(words, trouble = false) {
		const place = one("[data-kept]", this.form);
		place?.toggleAttribute("data-trouble", trouble);
		if (place && place.textContent !== words) place.textContent = words;
	}

	/** ready notes what the form holds before anybody has written: that alone is not worth keeping. */
	ready() { this.begun = this.text(); }

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

	keepHere() {
		clearTimeout(this.localTimer);
		this.localTimer = null;
		if (!this.dirty) return;
		try {
			const fields = [...this.data().entries()].filter(([name]) => ["to", "cc", "bcc", "subject", "body", "html"].includes(name));
			localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), fields }));
			this.say(say("keptlocal"));
		} catch { /* full or forbidden: the server's copy remains */ }
	}

	forget(key = this.key) {
		try {
			localStorage.removeItem(key);
		} catch { /* nothing to forget */ }
	}

	/** save keeps the draft on the server. It gives whether the server has it. */
	async save({ force = false, keepalive = false, leave = false } = {}) {
		clearTimeout(this.quiet);
		clearTimeout(this.unfiled);
		this.unfiled = null;
		clearTimeout(this.typing);
		this.typing = null;
		if (this.busy) {
			await this.busy;
			if (this.busy) return this.busy;
		}
		if (this.over || this.unknown && !force || !this.dirty && !force) return !this.dirty;
		this.busy = this.post(keepalive, leave ? "leave" : "autosave").finally(() => { this.busy = null; });
		return this.busy;
	}

	async post(keepalive, kind) {
		const count = this.changed, key = this.key;
		try {
			const response = await call(this.form.getAttribute("action"), { method: "POST", body: this.data("save"), headers: { "X-Restante": kind }, keepalive });
			const doc = isOurs(response) ? parse(response, await response.text()) : null;
			if (response.status === 409) { // sent or thrown away elsewhere
				this.over = true;
				this.say(doc ? problem(doc) : say("refused"), true);
				return false;
			}
			if (!response.ok) throw new Error(String(response.status));
			this.learn(response, doc);
			this.kept = Math.max(this.kept, count);
			this.forget(key);
			this.say(say("kept", { Time: clock() }));
			// The copy in the Drafts folder follows at most every 20 s.
			if (response.headers.get("X-Restante-Filed") === "0") this.unfiled = setTimeout(() => this.save({ force: true }), 21_000);
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

	/** learn takes from an answer which draft this is now. */
	learn(response, doc) {
		const answered = doc && one("form[data-compose]", doc);
		const id = response.headers.get("X-Restante-Draft") || answered?.dataset.draft;
		const rev = response.headers.get("X-Restante-Rev") || answered?.dataset.rev;
		if (id && id !== this.id) {
			if (this.id) toast(say("conflict"), { failed: true });
			const files = this.id || all("input[name=carry]", this.form).some((e) => e.value);
			this.form.dataset.draft = id;
			this.form.setAttribute("action", "/compose/" + id);
			for (const e of all("input[name=carry]", this.form)) e.remove();
			if (files) this.moved?.(); // their addresses are others now
			history.replaceState(history.state, "", "/compose/" + id);
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
		if (navigator.onLine) this.save({ force: this.waitsForFolder, keepalive: size < 50_000, leave: true });
	}

	/** end stops keeping: the form itself is being sent. What only this browser has is dropped by the page that follows. */
	end(drop) {
		this.keepHere();
		if (drop) this.forget();
		else sessionStorage.setItem("restante:sent", this.key);
		this.over = true;
		clearTimeout(this.quiet);
		clearTimeout(this.typing);
		clearTimeout(this.again);
		clearTimeout(this.unfiled);
	}

	/** offer shows text that only this browser has. */
	offer() {
		let copy = null;
		try {
			copy = JSON.parse(localStorage.getItem(this.key) ?? "null");
		} catch { /* no copy then */ }
		if (!copy || Date.now() - copy.at > 30 * 24 * 3600_000) return;
		const now = new Map(new FormData(this.form));
		if (copy.fields.every(([name, value]) => (now.get(name) ?? "").replace(/\r\n/g, "\n") === value.replace(/\r\n/g, "\n"))) return;
		const bar = document.createElement("p");
		bar.className = "bar info";
		bar.setAttribute("role", "status");
		const words = document.createElement("span");
		words.textContent = say("newer", { Time: new Date(copy.at).toLocaleString(document.documentElement.lang || undefined, { dateStyle: "short", timeStyle: "short" }) });
		bar.append(words);
		for (const [key, use] of [["useit", true], ["dropit", false]]) {
			const b = document.createElement("button");
			b.type = "button";
			b.textContent = say(key);
			b.addEventListener("click", () => {
				bar.remove();
				if (use) this.use(copy.fields);
				else this.forget();
			});
			bar.append(b);
		}
		one(".compose-head", this.form).after(bar);
	}

	use(fields) {
		for (const [name, value] of fields) {
			const field = this.form.elements[name];
			if (field && "value" in field) field.value = value;
		}
		this.form.dispatchEvent(new CustomEvent("restante:filled"));
		this.touch();
	}
}
