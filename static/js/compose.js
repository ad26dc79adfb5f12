// Writing: chips, files, the editor, keeping, and sending that waits for all of them.
import { el, icon, isOurs, one, parse } from "./dom.js";
import { Draft } from "./drafts.js";
import { call, problem } from "./net.js";
import { wait } from "./queued.js";
import { split } from "./addresses.js";
import { startRecipients } from "./recipients.js";
import { startSignature } from "./signature.js";
import { adopt, toast } from "./toast.js";
import { startOthers } from "./others.js";
import { startTurn } from "./turns.js";
import { Uploads } from "./upload.js";
import { say } from "./words.js";

/** Writing is one form at work. Where it is not a page of its own, leave(doc, button) is called once it was sent or thrown away. */
class Writing {
	constructor(form, { page, source, leave, unique }) {
		this.form = form;
		this.leave = leave;
		this.unique = unique ?? ((node) => node);
		this.going = false; // on its way: what is pressed meanwhile does nothing
		this.through = false; // the submit that comes now is our own
		this.draft = new Draft(form, { page, source });
		this.people = startRecipients(form, this.draft);
		this.uploads = new Uploads(form, this.draft);
		startSignature(form, this.draft);
		form.addEventListener("restante:plain", () => { this.uploads.editor = null; this.offerFormat(); });
		form.addEventListener("restante:people", () => this.count());
		form.addEventListener("submit", (e) => this.submit(e));
		form.addEventListener("keydown", (e) => this.key(e));
		form.addEventListener("click", (e) => this.mend(e));
		form.addEventListener("input", () => this.unhold());
		this.count();
	}

	/** format lays the editor over the text. Where it cannot stand, plain text goes on. */
	async format() {
		try {
			const { startEditor } = await import("./editor.js");
			return this.uploads.editor = startEditor(this.form, this.draft);
		} catch (error) {
			console.error(error);
			return null;
		}
	}

	/** offerFormat is the way from plain text to formatted text. */
	offerFormat() {
		const button = el("button", { type: "button", class: "plain offer-format", title: say("rich"), "aria-label": say("rich"), onclick: async () => {
			button.remove();
			(await this.format())?.focus();
			this.draft.touch();
		} }, icon("type"), el("span", {}, say("rich")));
		one("[data-tools]", this.form).append(button);
	}

	/** focus puts the caret where writing begins. */
	focus() {
		const to = this.form.elements.to, body = this.form.elements.body;
		if (!to.value) to.focus();
		else if (this.uploads.editor) this.uploads.editor.focus();
		else { body.focus(); body.setSelectionRange(0, 0); }
	}

	/** count tells on the button how many will get this, when they are many. */
	count() {
		const words = one('[data-command="send"] > span', this.form), n = ["to", "cc", "bcc"].reduce((sum, name) => sum + split(this.form.elements[name].value).length, 0);
		words.dataset.plain ??= words.textContent;
		words.textContent = n > 10 ? say("sendto", { N: n }) : words.dataset.plain;
	}

	async submit(e) {
		const button = e.submitter;
		if (this.through || button?.name === "remove") return;
		e.preventDefault();
		if (this.going) return;
		this.going = true;
		try {
			this.going = (await this.check(button)) === true;
		} catch (error) {
			this.going = false;
			throw error;
		}
	}

	/** check lets a form go that is fit to. It gives true once the page is being left. */
	async check(button) {
		for (const p of this.people) p.take();
		if (button?.value === "discard") {
			if (!this.draft.changed && this.form.elements.begun) this.form.elements.begun.value = "same";
			return this.go(button);
		}
		const sends = ["send", "schedule"].includes(button?.value) || button?.name === "later";
		const wrong = sends && one(".recipient[data-wrong]", this.form);
		if (wrong) {
			toast(wrong.title, { failed: true });
			return one("button", wrong).focus();
		}
		if (!await this.uploads.done()) return;
		// A save first: it renews a session that is over, in place, and tells what cannot be reached while the form still stands.
		const { id } = this.draft;
		// A page that is left for one that does not come would be lost: there the save is also a look whether the server can be reached.
		const look = sends && !this.leave;
		if (!navigator.onLine || (this.draft.dirty || look) && !await this.draft.save({ asked: true, force: look }) && !this.draft.unknown) {
			if (sends && (!navigator.onLine || this.draft.cut)) return this.hold(button);
			this.draft.keepHere();
			return toast(say(navigator.onLine ? "notkept" : "offline"), { failed: true });
		}
		if (id && id !== this.draft.id) return; // changed or sent elsewhere: this is a draft of its own now, as a toast says
		return this.go(button);
	}

	/** hold keeps a letter that cannot leave now, and sends it by the same button once the line is back. */
	hold(button) {
		if (this.form.elements.attachments?.files.length) { // they are nowhere but in this form
			this.draft.keepHere();
			return toast(say("offlinefiles"), { failed: true });
		}
		const data = this.draft.data(null, button);
		data.set("back", "/outbox");
		this.draft.hold({ action: this.form.getAttribute("action"), data: [...data.entries()].filter(([, value]) => typeof value === "string") });
		this.waiting ??= wait(this.form, () => this.form.requestSubmit(button), () => this.unhold());
	}

	/** unhold ends that: it is being sent, or written on. */
	unhold() {
		if (!this.waiting) return;
		this.waiting();
		this.waiting = null;
		this.draft.hold(null);
	}

	async go(button) {
		this.unhold();
		if (this.leave) return this.post(button);
		this.draft.data();
		this.draft.end();
		if (button?.value === "discard") await this.draft.forget();
		else await this.draft.mark();
		// Not in the midst of the submit event that brought us here: a form that is being submitted takes no second one.
		setTimeout(() => {
			this.through = true;
			if (button) this.form.requestSubmit(button); else this.form.submit();
			this.through = false;
		});
		setTimeout(() => { this.going = false; this.draft.over = false; }, 8000); // should the way be cut, the form lives on
		return true;
	}

	/** post sends the form without leaving the page it lies on. */
	async post(button) {
		if (button?.value === "save") {
			if (await this.draft.save({ force: true, leave: true, asked: true })) toast(say("keptdraft"));
			return;
		}
		this.draft.data(); // the editor writes its text
		const data = new FormData(this.form, button);
		this.draft.end();
		data.set("back", location.pathname + location.search);
		try {
			const response = await call(this.form.getAttribute("action"), { method: "POST", body: data, headers: { "X-Restante": "act" }, asked: true });
			const doc = isOurs(response) ? parse(response, await response.text()) : null;
			if (response.redirected) {
				await this.draft.forget();
				this.leave(button);
				if (doc) adopt(doc);
				return;
			}
			this.draft.over = false;
			if (doc && one("form[data-compose]", doc)) this.again(response, doc);
			else toast(doc ? problem(doc) : say("refused"), { failed: true });
		} catch {
			this.draft.over = false;
			if (button && button.value !== "discard") return this.hold(button);
			this.draft.keepHere();
			toast(say(navigator.onLine ? "notkept" : "offline"), { failed: true });
		}
	}

	/** again shows, in the form at hand, what is to be mended or asked before it goes. */
	again(response, doc) {
		this.draft.learn(response, doc);
		const fresh = this.unique(document.importNode(one("[data-notes]", doc), true));
		one("[data-notes]", this.form).replaceWith(fresh);
		(one(".errors", fresh) ?? one(".ask", fresh))?.focus();
	}

	/** mend leads from an error to its field. */
	mend(e) {
		const link = e.target.closest?.('.errors a[href^="#"]'), field = link && document.getElementById(link.hash.slice(1));
		if (!field) return;
		e.preventDefault();
		e.stopPropagation(); // a click elsewhere closes menus
		const menu = field.closest(".menu");
		if (menu) menu.open = true;
		if (field.name === "body" && this.uploads.editor) this.uploads.editor.focus(); else field.focus();
	}

	key(e) {
		if ((e.ctrlKey || e.metaKey) && e.key === "Enter") {
			e.preventDefault();
			this.form.requestSubmit(one('button[name=action][value="send"]', this.form));
		} else if ((e.ctrlKey || e.metaKey) && e.shiftKey && /^[cb]$/i.test(e.key)) {
			e.preventDefault();
			one(".more-fields", this.form).open = true;
			this.form.elements[e.key.toLowerCase() === "c" ? "cc" : "bcc"].focus();
		} else if (e.key === "Enter" && e.target.matches("input:not([type=file])") && !e.defaultPrevented) {
			e.preventDefault(); // a line break in a field is no wish to send
		}
	}
}

/** startCompose makes a form live: that of the page, or one that lies on another. */
export async function startCompose(form, options = {}) {
	const writing = new Writing(form, { page: false, source: location.pathname + location.search, ...options });
	if (one("textarea[data-rich]", form)) await writing.format();
	else writing.offerFormat();
	startOthers(writing.draft);
	writing.draft.ready(await startTurn(writing.draft));
	(one(".errors", form) ?? one(".ask", form))?.focus();
	return writing;
}

/** startPage makes the form that is the page live. */
export async function startPage(form) {
	const { draft } = await startCompose(form, { page: true });
	const close = one("[data-close]", form);
	close.addEventListener("click", async (e) => {
		if (!draft.dirty || e.ctrlKey || e.metaKey || e.button) return;
		e.preventDefault();
		if (await draft.save()) location.assign(close.href);
		else toast(say("notkept"), { failed: true });
	});
}
