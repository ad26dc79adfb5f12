// Another From brings another signature; all else of the letter stays.
import { one } from "./dom.js";

const lines = (signature) => (signature ? ["-- ", ...signature.split("\n")] : []);
const same = (a, b) => a.trimEnd() === b.trimEnd();

/** place finds where a signature stands in a list of lines, or where one would go: above the quote, else at the end. */
function place(list, signature) {
	const block = lines(signature);
	if (block.length) {
		const at = list.findIndex((_, i) => block.every((l, k) => i + k < list.length && same(list[i + k], l)));
		return at < 0 ? null : [at, block.length];
	}
	const quote = list.findIndex((l) => l.startsWith(">"));
	return [quote > 0 ? quote - 1 : list.length, 0];
}

function inText(field, before, after) {
	const list = field.value.split("\n"), found = place(list, before);
	if (!found) return;
	list.splice(found[0], found[1], ...lines(after));
	field.value = list.join("\n");
}

function inEditor(root, before, after) {
	const blocks = [...root.children];
	const found = place(blocks.map((b) => (b.nodeName === "BLOCKQUOTE" ? ">" : b.textContent.replace(/[\u200b\u00a0]/g, " "))), before);
	if (!found) return;
	const fresh = lines(after).map((l) => {
		const div = document.createElement("div");
		div.append(l || document.createElement("br"));
		return div;
	});
	const next = blocks[found[0] + found[1]] ?? null;
	for (const b of blocks.slice(found[0], found[0] + found[1])) b.remove();
	for (const div of fresh) root.insertBefore(div, next);
}

/** startSignature follows the choice of From. */
export function startSignature(form, draft) {
	const from = one("select[name=from]", form);
	if (!from) return;
	let now = from.selectedOptions[0]?.dataset.signature ?? "";
	from.addEventListener("change", () => {
		const next = from.selectedOptions[0]?.dataset.signature ?? "";
		const root = one(".editor", form);
		if (root) inEditor(root, now, next);
		else inText(form.elements.body, now, next);
		now = next;
		draft.touch();
	});
}
