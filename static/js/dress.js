// Styles in a letter that is being written. The policy of the pages lets no style
// attribute of markup act, so styles are put aside before markup is read and set
// one by one on the elements that came of it.
import { all } from "./dom.js";

/** aside renames the style attributes in markup, and leaves out what the browser would only complain of. */
export const aside = (html) => html.replace(/<(style|script)\b[^]*?<\/\1\s*>/gi, "").replace(/<[a-z][^<>]*>/gi, (tag) => tag.replace(/\sstyle\s*=/gi, " data-style=").replace(/\son[a-z]+\s*=/gi, " data-on="));

const roaming = /^(?:position|inset|z-index|transform|translate|animation|transition|pointer-events|content)/;
const simple = { STRONG: "b", EM: "i", INS: "u", STRIKE: "s", DEL: "s" };

/** dress sets the styles that were put aside. None of them may leave its place or fetch anything. */
export function dress(root) {
	for (const e of all("[data-style]", root)) {
		e.style.cssText = e.dataset.style;
		e.removeAttribute("data-style");
		for (const property of [...e.style]) {
			if (roaming.test(property) || /url\(|image-set\(|^initial$/i.test(e.style.getPropertyValue(property))) e.style.removeProperty(property);
		}
		if (!e.getAttribute("style")) e.removeAttribute("style");
		else if (simple[e.nodeName]) { // the editor would make these anew, and the style an attribute again
			const same = document.createElement(simple[e.nodeName]);
			same.style.cssText = e.style.cssText;
			same.append(...e.childNodes);
			e.replaceWith(same);
		}
	}
	return root;
}
