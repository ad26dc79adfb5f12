// What can be done with a recipient's chip: a menu to change it or to put it into
// another field, a double click to change it, and dragging with the mouse.
import { domainOf, same } from "./addresses.js";
import { likely, odd } from "./domains.js";
import { all, el, icon, one } from "./dom.js";
import { announce } from "./toast.js";
import { say } from "./words.js";

const far = 6; // px that make a press a drag

const ofField = (field) => one("label", field.box).textContent.trim();

/** move puts a chip into another field. */
function move(chip, from, to) {
	const text = chip.dataset.address, fold = to.box.closest("details");
	if (fold) fold.open = true;
	from.remove(chip);
	to.unfolded = true;
	to.take(text);
	(all(".recipient", to.chips).at(-1)?.querySelector("button") ?? to.input).focus();
	announce(say("movedtofield", { Field: ofField(to) }));
}

/** menu stands under a chip until something is chosen of it, or the focus goes elsewhere. */
function menu(chip, from) {
	const name = one(".recipient-name", chip);
	const gone = new AbortController();
	const close = (back) => {
		gone.abort();
		name.setAttribute("aria-expanded", "false");
		if (back) name.focus();
		sheet.remove();
	};
	const item = (words, sign, run) => el("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { close(true); run(); } }, icon(sign), words);
	const sheet = el("div", { class: "menu-sheet recipient-menu", role: "menu", "aria-label": chip.dataset.address },
		item(say("editaddr"), "pencil", () => from.edit(chip)),
		...from.peers.filter((p) => p !== from).map((to) => item(say("movetofield", { Field: ofField(to) }), "forward", () => move(chip, from, to))),
		item(say("takeout"), "x", () => from.remove(chip)));
	sheet.addEventListener("keydown", (e) => {
		const items = all("button", sheet), at = items.indexOf(e.target);
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
		if (to !== undefined) items.at(to % items.length).focus();
		else if (e.key === "Escape") close(true);
		else if (e.key === "Tab") return close(true);
		else return;
		e.preventDefault();
		e.stopPropagation();
	});
	sheet.addEventListener("focusout", (e) => { if (!sheet.contains(e.relatedTarget)) close(false); }, { signal: gone.signal });
	chip.append(sheet);
	name.setAttribute("aria-expanded", "true");
	one("button", sheet).focus();
}

/** drag lets a chip follow the mouse to another field. */
function drag(start, chip, from) {
	let ghost = null, over = null;
	const gone = new AbortController(), { signal } = gone;
	const target = (e) => from.peers.find((p) => p.box.contains(document.elementFromPoint(e.clientX, e.clientY)));
	const end = () => { gone.abort(); ghost?.remove(); over?.box.removeAttribute("data-drop"); };
	addEventListener("pointermove", (e) => {
		if (!ghost && Math.hypot(e.clientX - start.clientX, e.clientY - start.clientY) < far) return;
		if (!ghost) {
			ghost = el("span", { class: "recipient recipient-ghost", "aria-hidden": "true" }, el("span", {}, el("bdi", {}, one("bdi", chip).textContent)));
			document.body.append(ghost);
			for (const p of from.peers) { const fold = p.box.closest("details"); if (fold) fold.open = true; }
			getSelection().removeAllRanges();
		}
		ghost.style.translate = `${e.clientX + 8}px ${e.clientY + 8}px`;
		over?.box.removeAttribute("data-drop");
		over = target(e);
		if (over !== from) over?.box.setAttribute("data-drop", "");
	}, { signal });
	addEventListener("pointerup", (e) => {
		const to = ghost && target(e);
		if (ghost) { // the end of a drag is no press
			const quiet = new AbortController();
			addEventListener("click", (c) => c.stopPropagation(), { capture: true, signal: quiet.signal });
			setTimeout(() => quiet.abort());
		}
		end();
		if (to && to !== from) move(chip, from, to);
	}, { signal });
	addEventListener("pointercancel", end, { signal });
	addEventListener("keydown", (e) => { if (e.key === "Escape") { e.stopPropagation(); e.preventDefault(); end(); } }, { signal, capture: true });
}

/** face is the round sign of somebody, with the letters and the colour that the server gives them (handlers/render.go). */
function face(name, addr) {
	const words = (name || addr).split("@")[0].split(/[ .\-_,"']+/).filter(Boolean).slice(0, 2);
	let hue = 2166136261;
	for (const byte of new TextEncoder().encode(addr.toLowerCase())) hue = Math.imul(hue ^ byte, 16777619);
	return el("span", { class: "avatar hue-" + ((hue >>> 0) % 8 + 1), "aria-hidden": "true", "data-initials": words.map((w) => [...w][0]).join("").toUpperCase() }); // drawn, not said: the name stands beside it
}

/** words are those a chip is called by: whom it is for, and what is doubtful about that. */
function words(text, { addr, right }) {
	if (!right) return say("invalid", { Address: text });
	const domain = addr.slice(addr.lastIndexOf("@") + 1), better = likely(domain);
	if (odd(domain)) return text + ". " + say("oddletters", { Typed: domain, Spelled: domainOf(addr) });
	return better ? text + ". " + say("didyoumean", { Typed: domain, Meant: better }) : text;
}

/** beside gives the field before (-1) or after (1) one, null at the ends. */
const beside = (field, n) => field.peers[field.peers.indexOf(field) + n];

/** makeChip makes one of an address for a field of recipients. */
export function makeChip(field, text, who) {
	const label = words(text, who), doubtful = who.right && label !== text;
	const chip = el("span", { class: "recipient", "data-address": text, "data-same": who.right ? same(who.addr) : null, "data-wrong": !who.right, "data-doubtful": doubtful, title: label });
	const open = () => { if (one("[role=menu]", chip)) return; menu(chip, field); };
	chip.append(
		el("button", { type: "button", class: "recipient-name", tabindex: "-1", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": label, onclick: (e) => { if (e.detail < 2) open(); }, onkeydown: (e) => {
			const to = e.altKey && { ArrowDown: beside(field, 1), ArrowUp: beside(field, -1) }[e.key];
			if (to) move(chip, field, to);
			else if (e.key === "F2" || e.key === "Enter") field.edit(chip);
			else if (e.key === "ArrowDown") open();
			else return field.chipKey(e, chip);
			e.preventDefault();
			e.stopPropagation();
		} }, who.right && !doubtful ? face(who.name, who.addr) : icon("triangle-alert"), el("bdi", {}, who.name || (who.right ? who.addr : text))),
		el("button", { type: "button", class: "recipient-remove", tabindex: "-1", "aria-label": say("removeaddr", { Address: text }), onclick: () => field.remove(chip), onkeydown: (e) => field.chipKey(e, chip) }, "×"));
	chip.addEventListener("dblclick", (e) => { if (!e.target.closest(".recipient-remove, [role=menu]")) field.edit(chip); });
	chip.addEventListener("pointerdown", (e) => { if (e.button === 0 && e.pointerType !== "touch" && !e.target.closest(".recipient-remove, [role=menu]")) drag(e, chip, field); });
	return chip;
}
