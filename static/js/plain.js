// A letter as plain text.

/** plainText is what a letter says without its formatting. */
export function plainText(root) {
	let out = "";
	const line = () => { if (out && !out.endsWith("\n")) out += "\n"; };
	const walk = (node, item) => {
		for (const n of node.childNodes) {
			if (n.nodeType === Node.TEXT_NODE) out += n.data.replace(/[\u200b\ufeff]/g, "").replace(/\u00a0/g, " ");
			else if (n.nodeName === "BR") { if (n.nextSibling || n.parentNode === root) out += "\n"; }
			else if (n.nodeName === "BLOCKQUOTE") {
				line();
				out += plainText(n).replace(/\n$/, "").replace(/^/gm, "> ").replace(/^> >/gm, ">>") + "\n";
			} else if (n.nodeName === "LI") {
				line();
				out += n.parentNode.nodeName === "OL" ? [...n.parentNode.children].indexOf(n) + 1 + ". " : "- ";
				walk(n, true);
				line();
			} else if (n.nodeName === "TD" || n.nodeName === "TH") out += plainText(n).trim().replace(/\s*\n\s*/g, " ") + "\t";
			else if (/^(DIV|P|H[1-6]|PRE|UL|OL|TABLE|TR|HR)$/.test(n.nodeName)) {
				if (!item) line();
				const at = out.length;
				walk(n);
				if (out.length === at) out += "\n"; else line();
			} else {
				walk(n);
				if (n.nodeName === "A" && /^https?:/.test(n.getAttribute("href") ?? "") && !n.textContent.includes(n.getAttribute("href").replace(/\/$/, ""))) out += " <" + n.getAttribute("href") + ">";
			}
		}
	};
	walk(root);
	return out;
}
