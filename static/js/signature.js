// Another From brings another signature and another hidden copy; all else of the letter stays.
import { one } from "./dom.js";

const picture = "\ufffc";

/** flat is what a piece of a letter says and shows, without its spaces. */
const flat = (node) => {
	const copy = node.cloneNode(true);
	for (const img of copy.querySelectorAll?.("img") ?? []) img.replaceWith(picture);
	return copy.textContent.replace(/[\s\u200b\u00a0]/g, "");
};

/** find gives where a signature stands in a list of flat blocks, as [at, length], null where it does not or was changed. */
function find(blocks, sign) {
	for (let at = 0; at < blocks.length; at++) {
		let said = "";
		for (let i = at; i < blocks.length && sign.startsWith(said); i++) {
			said += blocks[i];
			if (said === sign && blocks[at]) return [at, i - at + 1];
		}
	}
	return null;
}

/** place is where a signature goes that stands nowhere yet: above the quote, else at the end. */
function place(quotes, below) {
	const quote = below ? -1 : quotes.indexOf(true);
	return [quote > 0 ? quote - 1 : quotes.length, 0];
}

function inText(field, before, after) {
	const list = field.value.split("\n"), lines = (s) => (s ? ["-- ", ...s.split("\n")] : []);
	const sign = lines(before.text).join("").replace(/\s/g, "");
	const found = sign ? find(list.map((l) => l.replace(/\s/g, "")), sign) : place(list.map((l) => l.startsWith(">")), after.below);
	if (!found) return;
	list.splice(found[0], found[1], ...lines(after.text));
	field.value = list.join("\n");
}

const line = (words) => {
	const div = document.createElement("div");
	div.append(words || document.createElement("br"));
	return div;
};

/** blocks are those of a signature in the editor, whose markup() reads HTML. */
function blocks({ text, html }, markup) {
	const out = document.createDocumentFragment();
	if (!text && !html) return out;
	out.append(line("-- "));
	if (!html) out.append(...text.split("\n").map(line));
	else for (const node of [...markup(html).childNodes]) {
		if (/^(?:DIV|P|UL|OL|TABLE|PRE|H[1-3]|HR|BLOCKQUOTE)$/.test(node.nodeName)) out.append(node);
		else if (node.textContent.trim() || node.nodeName === "IMG") out.append(line(node));
	}
	return out;
}

async function inEditor(root, before, after) {
	const { markup } = await import("./editor.js"); // it is there: it has made root
	const all = [...root.children], sign = flat(blocks(before, markup));
	const found = sign ? find(all.map(flat), sign) : place(all.map((b) => b.nodeName === "BLOCKQUOTE"), after.below);
	if (!found) return;
	const next = all[found[0] + found[1]] ?? null;
	for (const b of all.slice(found[0], found[0] + found[1])) b.remove();
	const fresh = blocks(after, markup);
	if (!sign && fresh.firstChild && all[found[0] - 1] && flat(all[found[0] - 1])) fresh.prepend(line("")); // room above it
	root.insertBefore(fresh, next);
}

/** copy changes who gets a hidden copy of the letter. */
function copy(form, before, after) {
	const field = form.elements.bcc;
	if (before === after || !field) return;
	const list = field.value.split(/,\s*/).filter((a) => a && a.toLowerCase() !== before?.toLowerCase());
	if (after && !list.some((a) => a.toLowerCase().includes(after.toLowerCase()))) list.push(after);
	field.value = list.join(", ");
	if (list.length) one(".more-fields", form).open = true;
	field.dispatchEvent(new Event("restante:read"));
}

/** startSignature follows the choice of From. */
export function startSignature(form, draft) {
	const from = one("select[name=from]", form);
	if (!from) return;
	const chosen = () => {
		const d = from.selectedOptions[0]?.dataset ?? {};
		return { text: d.signature ?? "", html: d.signatureHtml ?? "", below: "below" in d, bcc: d.bcc ?? "" };
	};
	let now = chosen();
	from.addEventListener("change", async () => {
		const before = now, next = now = chosen(), root = one(".editor", form);
		copy(form, before.bcc, next.bcc);
		if (root) await inEditor(root, before, next);
		else inText(form.elements.body, before, next);
		draft.touch();
	});
}
