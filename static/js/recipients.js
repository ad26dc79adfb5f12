// Recipients as chips. The field of the form stays what is sent: it always
// holds the plain list, lies under the chips and hands its focus on.
import { domainOf, parse, same, split, valid } from "./addresses.js";
import { all, el, one } from "./dom.js";
import { makeChip } from "./chips.js";
import { likely, odd } from "./domains.js";
import { Suggestions, marked } from "./suggest.js";
import { say } from "./words.js";

const many = 20; // chips that stand open

class Recipients {
	constructor(field, draft) {
		this.field = field;
		this.draft = draft;
		this.box = field.closest(".field");
		const label = one("label", this.box);
		label.id ||= field.id + "-label";
		this.chips = el("span", { class: "recipient-chips", role: "group", "aria-labelledby": label.id });
		this.input = el("input", { type: "text", id: field.id + "-entry", class: "recipient-entry", "aria-labelledby": label.id,
			autocomplete: "off", autocapitalize: "none", spellcheck: "false", enterkeyhint: "next", "aria-invalid": field.getAttribute("aria-invalid"), "aria-describedby": field.getAttribute("aria-describedby") });
		this.more = el("button", { type: "button", class: "recipient-more", hidden: true, onclick: () => { this.unfolded = true; this.fold(); this.input.focus(); } });
		this.hints = el("span", { class: "recipient-hints", role: "status" });
		this.offers = new Suggestions(this.input, { id: field.id + "-suggestions", label: { "aria-labelledby": label.id }, first: true, take: (o) => { this.take(o.dataset.address); this.input.focus(); } });
		field.removeAttribute("list");
		field.classList.add("under-chips");
		field.tabIndex = -1;
		field.setAttribute("aria-hidden", "true");
		this.box.append(this.chips, this.more, this.input, this.offers.list, this.hints);
		field.addEventListener("focus", () => this.input.focus());
		field.addEventListener("input", () => this.read());
		field.form.addEventListener("restante:filled", () => this.read());
		field.addEventListener("restante:read", () => this.read());
		label.addEventListener("click", (e) => { e.preventDefault(); this.input.focus(); });
		this.box.addEventListener("click", (e) => { if (e.target === this.box) this.input.focus(); });
		this.input.addEventListener("input", (e) => { e.stopPropagation(); this.typed(); });
		this.input.addEventListener("keydown", (e) => this.key(e));
		this.input.addEventListener("paste", (e) => this.paste(e));
		this.input.addEventListener("blur", () => setTimeout(() => { if (!this.box.contains(document.activeElement)) { this.take(); this.offers.close(); } }, 120));
		const focused = document.activeElement === field;
		this.chips.addEventListener("focusin", () => { this.unfolded = true; this.fold(); });
		this.read();
		if (focused) this.input.focus();
	}

	get all() { return all(".recipient", this.chips); }
	has(text) { return split(text).every((p) => this.all.some((c) => c.dataset.same === same(parse(p).addr))); }

	/** read makes the chips those of the field. */
	read() {
		this.chips.replaceChildren();
		this.input.value = "";
		for (const one of split(this.field.value)) this.add(one);
		this.write(false);
		this.shown();
	}

	/** shown brings all that hangs on the chips up to them: folding, hints, and the count on the button. */
	shown() {
		this.fold();
		this.hint();
		this.field.dispatchEvent(new CustomEvent("restante:people", { bubbles: true }));
	}

	/** fold shows the first of very many until somebody asks for the rest. */
	fold() {
		const chips = this.all, folded = chips.length > many && !this.unfolded;
		chips.forEach((c, i) => { c.hidden = folded && i > 0 && !c.hasAttribute("data-wrong"); });
		const hidden = chips.filter((c) => c.hidden).length;
		this.more.hidden = !hidden;
		this.more.textContent = say("morepeople", { N: hidden });
	}

	/** hint says below the chips what is no address, and where a domain looks mistyped. */
	hint() {
		const lines = this.all.map((chip) => {
			const text = chip.dataset.address, { addr } = parse(text);
			if (chip.hasAttribute("data-wrong")) return el("span", { class: "wrong" }, say("invalid", { Address: text }));
			const [local, domain] = addr.split("@"), better = likely(domain);
			if (odd(domain)) return el("span", { class: "wrong" }, say("oddletters", { Typed: addr, Spelled: domainOf(addr) }));
			if (!better) return null;
			return el("span", { class: "hint" }, say("didyoumean", { Typed: domain, Meant: better }) + " ",
				el("button", { type: "button", class: "small", onclick: () => this.replace(chip, text.replace(addr, local + "@" + better)) }, say("domainyes", { Meant: better })));
		});
		if (this.note) lines.push(el("span", { class: "hint" }, this.note));
		this.hints.replaceChildren(...lines.filter(Boolean));
	}

	replace(chip, text) {
		chip.remove();
		this.add(text);
		this.write();
		this.shown();
		this.input.focus();
	}

	/** write puts chips and what is being typed into the field. */
	write(tell = true) {
		const chips = this.all.map((c) => c.dataset.address + (c.hasAttribute("data-wrong") ? "; " : ", ")); // what is wrong is nobody's last name
		const list = [...chips, split(this.input.value).join(", ")].join("").replace(/[;,] $/, "");
		if (this.field.value === list) return;
		this.field.value = list;
		if (tell) this.draft.touch();
	}

	/** add makes a chip, unless that address stands here already: then it gives it. */
	add(text) {
		const { name, addr } = parse(text), right = valid(addr);
		if (this.all.some((c) => right ? c.dataset.same === same(addr) : c.dataset.address === text)) return addr;
		this.chips.append(makeChip(this, text, { name, addr, right }));
	}

	/** edit lets an address be typed anew. */
	edit(chip) {
		const text = chip.dataset.address;
		this.take();
		this.remove(chip);
		this.input.value = text;
		this.write();
		this.input.select();
	}

	/** remove takes a chip away; the focus goes to another one, or to where addresses are typed. */
	remove(chip, next) {
		chip.remove();
		this.note = "";
		this.write();
		this.shown();
		(next?.querySelector(".recipient-name") ?? this.input).focus();
	}

	/** take makes chips of what was typed. */
	take(text = this.input.value) {
		const parts = split(text);
		if (!parts.length) return false;
		this.input.value = "";
		const twice = parts.map((p) => this.add(p)).filter(Boolean);
		this.note = twice.length > 1 ? say("duplicates", { N: twice.length }) : twice.length ? say("duplicate", { Address: twice[0] }) : "";
		this.write();
		this.shown();
		this.offers.close();
		return true;
	}

	chipKey(e, chip) {
		const names = all(".recipient-name", this.chips), at = names.indexOf(one(".recipient-name", chip));
		if (e.key === "ArrowLeft") (names[at - 1] ?? names[at]).focus();
		else if (e.key === "ArrowRight") (names[at + 1] ?? this.input).focus();
		else if (e.key === "Home") names[0].focus();
		else if (e.key === "End") this.input.focus();
		else if (e.key === "Backspace") this.remove(chip, chip.previousElementSibling);
		else if (e.key === "Delete") this.remove(chip, chip.nextElementSibling);
		else {
			if (e.key.length === 1 && e.key !== " " && !e.ctrlKey && !e.metaKey && !e.altKey) { this.input.focus(); e.stopPropagation(); } // typing goes on there
			return;
		}
		e.preventDefault();
	}

	key(e) {
		if (e.isComposing) return;
		const { open, marked } = this.offers;
		if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
			this.arrowed = true;
			this.offers.step(e.key === "ArrowDown" ? 1 : -1);
			e.preventDefault();
		} else if (open && e.key === "Escape") {
			this.offers.close();
			e.preventDefault();
			e.stopPropagation();
		} else if (e.key === "Enter" && !e.ctrlKey && !e.metaKey || e.key === "Tab" && this.input.value && !e.shiftKey) {
			const chosen = marked && (this.arrowed || !valid(parse(this.input.value).addr));
			if (this.take(chosen ? marked.dataset.address : this.input.value) && e.key === "Tab" && chosen) e.preventDefault();
			if (e.key === "Enter") e.preventDefault();
		} else if ((e.key === "," || e.key === ";") && (this.input.value.match(/"/g) ?? []).length % 2 === 0 && this.input.value.trim()) {
			this.take();
			e.preventDefault();
		} else if (["Backspace", "ArrowLeft", "Home"].includes(e.key) && !this.input.selectionEnd && !e.shiftKey) {
			const to = all(".recipient-name", this.chips).at(e.key === "Home" ? 0 : -1);
			if (!to) return;
			to.focus();
			e.preventDefault();
		}
	}

	paste(e) {
		const text = e.clipboardData.getData("text");
		if (!/[,;，；、\n\r\t<]|@.*[@?]|^mailto:/is.test(text)) return;
		e.preventDefault();
		this.take(this.input.value + text);
	}

	typed() {
		this.arrowed = false;
		if (this.note) { this.note = ""; this.hint(); }
		this.write();
		const q = this.input.value.trim();
		if (!q) return this.offers.close();
		this.offers.ask("/compose/people?q=" + encodeURIComponent(q), (doc) => all("[data-address]", doc).filter((o) => !this.has(o.dataset.address)).slice(0, 6).map((o) => person(o, q)));
	}
}

/** person is a row of the list: a name with its address, or a group. */
function person(found, q) {
	const text = found.dataset.address, group = split(text).length > 1, { name, addr } = parse(text);
	const words = (s) => el("bdi", {}, ...marked(s, q));
	return el("li", { role: "option", "data-address": text }, words(group ? found.textContent : name || addr), group || !name ? null : el("small", {}, words(addr)));
}

/** startRecipients makes chips of the recipient fields. */
export function startRecipients(form, draft) {
	const fields = all("input[data-recipients]", form).map((f) => new Recipients(f, draft));
	for (const f of fields) f.peers = fields;
	return fields;
}
