// Files go up at once, three at a time, each with its progress; sending waits for them.
// Pictures that are pasted or dropped into a formatted text stand in it.
import { all, el, icon, isOurs, one, parse } from "./dom.js";
import { call, problem } from "./net.js";
import { offerSmaller } from "./smaller.js";
import { toast } from "./toast.js";
import { Refused, Transfer } from "./transfer.js";
import { say, size } from "./words.js";
import { droppedFiles } from "./zip.js";

const isPicture = (file) => /^image\/(?:png|jpeg|gif|webp)$/.test(file.type);

/** fileOfMail reads the address of a file of a mail: which file of which mail. */
function fileOfMail(text) {
	const url = URL.canParse(text) ? new URL(text) : null, parts = url?.origin === location.origin && /^(\/mail\/[^/]+\/[^/]+\/\d+)\/(?:parts|files)\/([^/]+)/.exec(url.pathname);
	if (!parts) return null;
	const more = new URLSearchParams();
	for (const name of ["v", "in"]) if (url.searchParams.has(name)) more.set(name, url.searchParams.get(name));
	return { address: parts[1] + "/attach?" + more, section: decodeURIComponent(parts[2]) };
}

/** Uploads are the files of a draft. */
export class Uploads {
	constructor(form, draft) {
		this.form = form;
		this.draft = draft;
		this.list = one("[data-files]", form);
		this.waiting = [];
		this.running = new Set();
		this.editor = null; // of a formatted text
		this.smaller = new Map(); // file's id -> the button that makes it so
		draft.files = (answered) => this.sync(answered);
		draft.moved = () => this.fetch();
		const input = one('input[type=file][name="attachments"]', form);
		input.addEventListener("change", () => {
			const files = [...input.files];
			this.add(files).then((taken) => { if (taken) input.value = ""; });
		});
		this.takeDrops(draft.gone.signal);
		form.addEventListener("paste", (e) => {
			const files = [...e.clipboardData.files];
			// A picture that is copied from a page comes with markup that holds it alone.
			if (!files.length || e.clipboardData.getData("text/html").replace(/<style.*?<\/style>|<[^>]*>/gs, "").trim()) return;
			e.preventDefault();
			e.stopPropagation();
			this.take(files, e.target);
		}, { capture: true });
		this.list.addEventListener("click", (e) => {
			if (e.target.closest("[data-halfway] label")) {
				e.preventDefault();
				return input.click();
			}
			const button = e.target.closest("button[name=remove]");
			if (!button) return;
			e.preventDefault();
			this.remove(button);
		});
	}

	/** takeDrops takes what is dropped on the form or, where no other form is nearer, anywhere: a page never gives way to a file. */
	takeDrops(signal) {
		const into = (place) => place.closest?.("form[data-compose]") ?? (place.matches?.("input[type=file]") ? null : all("form[data-compose]").at(-1));
		const files = (e) => e.dataTransfer?.types.includes("Files"), carried = (e) => !files(e) && e.dataTransfer?.types.includes("text/uri-list") && Boolean(one("[data-message] .files"));
		const mine = (e) => files(e) && into(e.target) === this.form || carried(e) && this.form.contains(e.target);
		document.addEventListener("dragover", (e) => {
			this.form.toggleAttribute("data-dropping", mine(e));
			if (mine(e)) e.preventDefault();
		}, { signal });
		document.addEventListener("dragleave", (e) => { if (!e.relatedTarget) this.form.removeAttribute("data-dropping"); }, { signal });
		document.addEventListener("drop", (e) => {
			this.form.removeAttribute("data-dropping");
			if (!mine(e)) return;
			const link = files(e) ? null : fileOfMail(e.dataTransfer.getData("text/uri-list"));
			if (!link && !files(e)) return;
			e.preventDefault();
			e.stopPropagation();
			if (link) {
				this.carry(link).catch(() => toast(say("refused"), { failed: true }));
				return;
			}
			const at = document.caretRangeFromPoint?.(e.clientX, e.clientY), target = e.target;
			droppedFiles(e.dataTransfer).then((files) => this.take(files, target, at)).catch((error) => { console.error(error); toast(say("refused"), { failed: true }); });
		}, { signal, capture: true });
	}

	/** carry takes a file of a mail into the draft, from server to server. */
	async carry({ address, section }) {
		if (!this.draft.id) await this.draft.save({ force: true });
		const response = await call(address, { method: "POST", body: new URLSearchParams({ section, draft: this.draft.id }), asked: true });
		const doc = parse(response, await response.text());
		if (response.ok) this.sync(doc); else toast(problem(doc), { failed: true });
	}

	/** take puts pictures into the text where they were pasted or dropped, all else among the files. */
	async take(files, target, at) {
		const into = this.editor?.root.contains(target);
		const pictures = into ? files.filter(isPicture) : [];
		await this.add(files.filter((f) => !pictures.includes(f)));
		await this.add(pictures, (file) => this.editor?.picture(file, at));
	}

	/** broken says of a file that did not get through, null when all did. */
	get broken() { return one("[data-uploading] .wrong", this.list)?.textContent ?? null; }

	get busy() { return this.waiting.length + this.running.size > 0; }

	/** done gives whether all files are there, once nothing is on its way. For a line that is cut it does not wait, and says so. */
	async done({ quiet = false } = {}) {
		if (this.busy && !quiet) toast(say("waitfiles"));
		const cut = () => [...this.running].some((it) => it.cut);
		while (this.busy && !cut()) await new Promise((r) => setTimeout(r, 150));
		if (this.busy) toast(say("cutfiles"), { failed: true });
		else if (this.broken) toast(this.broken, { failed: true });
		return !this.busy && !this.broken;
	}

	/** add takes files; without a draft on the server they stay in the form and go with it. place puts one into the text. */
	async add(files, place = () => null) {
		const most = Number(this.form.dataset.fileLimit), large = files.find((f) => f.size > most);
		if (large) toast(say("toobig", { Name: large.name }), { failed: true });
		files = files.filter((f) => f.size <= most);
		if (!files.length) return true;
		const known = new Map(files.map((f) => [f, this.halfway(f)]));
		const limit = Number(this.form.dataset.limit || 0);
		const bytes = [...this.list.children].reduce((n, row) => n + Number(row.dataset.bytes || 0), 0) + files.reduce((n, f) => n + f.size, 0);
		if (limit && bytes > limit) {
			toast(this.form.dataset.limitWords, { failed: true });
			return true; // they are not taken: the choice is emptied
		}
		if (!this.draft.id) await this.draft.save({ force: true });
		if (!this.draft.id) return false;
		this.waiting.push(...files.map((f) => this.item(f, place(f), known.get(f))));
		this.next();
		return true;
	}

	/** halfway takes the row of a file off the list of which a part came from an earlier page, and gives its id; of one that was changed since, that is given up. */
	halfway(file) {
		const row = all("[data-halfway]", this.list).find((r) => r.dataset.name === file.name && Number(r.dataset.bytes) === file.size);
		if (!row) return "";
		row.remove();
		if (Number(row.dataset.modified) === file.lastModified) return row.dataset.halfway;
		call("/compose/" + this.draft.id + "/arriving/" + row.dataset.halfway + "/stop", { method: "POST" }).catch(() => { /* it is swept */ });
		return "";
	}

	item(file, picture, id) {
		const progress = el("progress", { max: "100", value: "0", "aria-label": file.name });
		const words = el("span", { class: "file-size" }, size(file.size));
		const stop = el("button", { type: "button", class: "icon-button", "aria-label": say("cancelupload", { Name: file.name }), title: say("cancelupload", { Name: file.name }) }, icon("x"));
		const row = el("li", { class: "file", "data-uploading": true, "data-bytes": file.size }, el("span", { class: "file-kind" }, icon("file")),
			el("span", { class: "file-text" }, el("bdi", { class: "file-waiting" }, file.name), words, progress), stop);
		const it = { file, picture, row, progress, words, stop, id };
		if (id) row.dataset.transfer = id;
		stop.addEventListener("click", () => this.cancel(it));
		this.list.append(row);
		row.scrollIntoView({ block: "nearest" });
		return it;
	}

	cancel(it) {
		it.way?.stop();
		it.picture?.drop();
		this.waiting = this.waiting.filter((w) => w !== it);
		this.running.delete(it);
		it.row.remove();
		this.next();
	}

	next() {
		while (this.waiting.length && this.running.size < 3) this.send(this.waiting.shift());
	}

	async send(it) {
		this.running.add(it);
		it.way ??= new Transfer(it.file, it.picture ? "pictures" : "attachments", () => this.draft.id, (done, cut) => this.told(it, done, cut), it.id);
		try {
			const { doc, picture } = await it.way.run();
			it.picture?.show(picture);
			if (!doc) await this.fetch();
			this.running.delete(it);
			it.row.remove();
			if (doc) this.sync(doc);
			if (!it.picture) offerSmaller(this, it.file).catch(() => { /* as it is, then */ });
		} catch (error) {
			if (!this.running.delete(it)) return; // given up
			if (error instanceof Refused) {
				it.row.remove();
				it.picture?.drop();
				toast(error.message || say("toobig", { Name: it.file.name }), { failed: true });
			} else this.broke(it);
		}
		this.next();
	}

	/** told shows how much of a file is there, and that it waits while the line is cut. */
	told(it, done, cut) {
		const total = it.file.size;
		it.cut = cut;
		it.row.dataset.transfer = it.way.id;
		it.progress.value = total ? Math.floor(done * 100 / total) : 0;
		it.words.textContent = say(cut ? "linecut" : "uploading", { Name: "", Done: size(done), Total: size(total) }).replace(/^[\s:]+/, "");
	}

	/** fetch gets the list of files from the draft's page. */
	async fetch() {
		const page = await call("/compose/" + this.draft.id).catch(() => null);
		if (page?.ok && isOurs(page)) this.sync(parse(page, await page.text()));
	}

	broke(it) {
		it.words.textContent = say("stopped", { Name: it.file.name, Percent: it.progress.value });
		it.words.classList.add("wrong");
		const again = el("button", { type: "button", class: "small" }, say("goon"));
		again.addEventListener("click", () => { again.remove(); it.words.classList.remove("wrong"); this.send(it); });
		it.stop.before(again);
	}

	/** sync shows the files that the server has; those on their way stay. */
	sync(doc) {
		const fresh = one("[data-files]", doc) ?? doc.body ?? doc; // a page, or the list alone
		for (const row of [...this.list.children]) if (!row.hasAttribute("data-uploading")) row.remove();
		const mine = all("[data-transfer]", this.list).map((row) => row.dataset.transfer); // on their way by this page
		this.list.prepend(...[...fresh.children].filter((c) => !mine.includes(c.dataset.halfway)).map((c) => document.importNode(c, true)));
		for (const [row, button] of this.smaller) one(`button[name=remove][value="${CSS.escape(row)}"]`, this.list)?.after(button);
		const rev = one("form[data-compose]", doc)?.dataset.rev, field = one("input[name=rev]", this.form);
		if (rev && field) field.value = this.form.dataset.rev = rev;
	}

	async remove(button) {
		const row = button.closest(".file"), data = this.draft.data("save", null);
		data.set("remove", button.value);
		data.delete("action");
		row.hidden = true;
		try {
			const response = await call(this.form.getAttribute("action"), { method: "POST", body: data, headers: { "X-Restante": "save" } });
			if (!response.ok || !isOurs(response)) throw new Error(String(response.status));
			const doc = parse(response, await response.text());
			row.remove();
			this.sync(doc);
		} catch {
			row.hidden = false;
			toast(say("refused"), { failed: true });
		}
	}
}
