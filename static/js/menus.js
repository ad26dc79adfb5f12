// Menus close by themselves, and the folders come in a drawer.
import { all, el, on, one, plainClick } from "./dom.js";
import { call } from "./net.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

function drawer() {
	const folders = one("nav.folders");
	if (!folders) return false;
	const box = el("dialog", { class: "drawer", "aria-label": folders.getAttribute("aria-label") });
	const copy = folders.cloneNode(true);
	copy.removeAttribute("class");
	for (const e of all("[id]", copy)) e.removeAttribute("id");
	box.append(el("button", { type: "button", class: "icon-button drawer-close", "aria-label": say("close"), onclick: () => box.close() }, "✕"), ...copy.childNodes);
	box.addEventListener("click", (e) => { if (e.target === box || e.target.closest("a")) box.close(); });
	box.addEventListener("close", () => { box.remove(); one("[data-drawer]")?.focus(); });
	document.body.append(box);
	box.showModal();
	one("[aria-current]", box)?.focus();
	return true;
}

/** offerCopies shows what only a script can do, where the browser lets it. */
function offerCopies() {
	if (navigator.clipboard) for (const b of all("[data-copy]")) b.hidden = false;
}

/** startMenus listens, once for all pages. */
export function startMenus() {
	on("click", "[data-drawer]", (e) => { if (plainClick(e) && drawer()) e.preventDefault(); });
	on("toggle", "details.menu", (e, menu) => { if (menu.open) for (const m of all("details.menu[open]")) if (m !== menu && !m.contains(menu)) m.open = false; }, { capture: true });
	document.addEventListener("click", (e) => { for (const m of all("details.menu[open]")) if (!m.contains(e.target)) m.open = false; });
	on("keydown", ".menu-sheet", (e, sheet) => {
		if (e.key !== "ArrowDown" && e.key !== "ArrowUp" || e.target.matches("input, select")) return;
		const items = all("a, button, select, input:not([type=hidden])", sheet), at = items.indexOf(document.activeElement);
		items.at((at + (e.key === "ArrowDown" ? 1 : -1) + items.length) % items.length)?.focus();
		e.preventDefault();
		e.stopPropagation();
	});
	on("keydown", "details.menu > summary", (e, summary) => {
		if (e.key !== "ArrowDown") return;
		summary.parentElement.open = true;
		one("a, button", summary.nextElementSibling)?.focus();
		e.preventDefault();
		e.stopPropagation();
	});
	on("click", ".tree-more > summary", (e, summary) => { // kept for all pages to come
		const folded = summary.parentElement.open;
		for (const more of all(".tree-more")) if (more !== summary.parentElement) more.open = !folded; // the drawer's, or what it copies
		call("/settings/folders", { method: "POST", keepalive: true, body: new URLSearchParams({ folded: folded ? "1" : "0" }) }).catch(() => { /* till the next page then */ });
	});
	on("click", "[data-copy]", async (e, button) => {
		button.closest("details").open = false;
		await navigator.clipboard.writeText(button.dataset.copy);
		toast(say("copied"));
	});
	offerCopies();
	document.addEventListener("restante:page", offerCopies);
	on("change", ".settings-form select", (e, select) => { // seen at once, kept with Save
		if (select.name === "theme") document.documentElement.dataset.theme = select.value;
		if (select.name === "density") document.documentElement.dataset.density = select.value;
	});
}
