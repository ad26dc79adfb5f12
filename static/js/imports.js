// The page of imports: how far each has come, and the server of an address that
// was typed. Without it the page says so when it is loaded again.
import { all, isOurs, one, parse } from "./dom.js";
import { say } from "./words.js";

async function page(body) {
	const response = await fetch("/imports", body ? { method: "POST", body, headers: { "X-Restante": "1" } } : { headers: { "X-Restante": "1" } });
	if (!isOurs(response)) return null;
	return parse(response, await response.text());
}

let asking = null, again = false;

/** busy says that a card asks something, or is read or typed in. */
const busy = (card) => card.contains(document.activeElement) || one("form[role=alert], details[open]", card) || all("input[type=password]", card).some((f) => f.value);

const stateOf = (card) => one("[data-source-state]", card);

/** bring puts the card of a source after what stands before it, and gives where it stands. Of one that is busy its state alone changes. */
function bring(card, before) {
	const old = one(`[data-source-card="${card.dataset.sourceCard}"]`);
	if (!old) before.after(card);
	else if (busy(old)) {
		if (stateOf(old).innerHTML !== stateOf(card).innerHTML) stateOf(old).replaceWith(stateOf(card));
		return old;
	} else if (old.outerHTML !== card.outerHTML) old.replaceWith(card);
	else return old;
	return card;
}

/** folders shows those that an import has made, and how full they are by now; what is unfolded stays so. */
function folders(fresh) {
	const old = one("nav.folders");
	if (!fresh || old.contains(document.activeElement) || old.textContent === fresh.textContent) return;
	const folds = new Map(all("details", old).map((fold) => [one("summary", fold).textContent, fold.open]));
	for (const fold of all("details", fresh)) fold.open = folds.get(one("summary", fold).textContent) ?? fold.open;
	old.replaceWith(fresh);
}

/**
 * refresh brings the cards up to date; what is being typed stays. The page is never loaded again: it may be the answer
 * to a form, which would be sent once more.
 */
async function refresh() {
	if (asking) { again = true; return; }
	again = false;
	asking = page().then((fresh) => {
		if (!fresh) return;
		const cards = all("[data-source-card]", fresh), ids = new Set(cards.map((card) => card.dataset.sourceCard));
		for (const card of all("[data-source-card]")) if (!ids.has(card.dataset.sourceCard)) card.remove();
		let before = one("main > h1");
		for (const card of cards) before = bring(card, before);
		folders(one("nav.folders", fresh));
	}).catch(() => { /* the next news tries again */ });
	await asking;
	asking = null;
	if (again) setTimeout(refresh, 1000);
}

let looked = "";

/** look asks for the server of the address, and fills in what is found, unless something was typed there meanwhile. */
async function look(form) {
	const { username, host, port, security } = form.elements;
	const address = username.value.trim();
	if (host.value.trim() || !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address) || address === looked) return;
	looked = address;
	const found = one("[data-found]", form);
	found.setAttribute("aria-busy", "true");
	try {
		const fresh = await page(new URLSearchParams({ username: address, action: "find" })), theirs = fresh && one("form[data-source]", fresh);
		if (!theirs || host.value.trim() || username.value.trim() !== address) return;
		found.replaceChildren(...one("[data-found]", theirs).childNodes);
		for (const field of [host, port, security, username]) field.value = one(`[name="${field.name}"]`, theirs).value;
		if (!host.value) {
			one("[data-server]", form).open = true;
			found.textContent = one("[role=alert]", theirs)?.textContent.trim() ?? "";
		}
	} finally {
		found.removeAttribute("aria-busy");
	}
}

/** trying shows on the button that a server is being asked, which may take half a minute. A page that is come back to is as it was. */
function trying(e) {
	const button = e.submitter;
	if (e.defaultPrevented || !button?.closest("main.imports") || button.hasAttribute("aria-busy")) return;
	const words = [...button.childNodes];
	button.setAttribute("aria-busy", "true"); // not disabled: a form does not send what is
	button.textContent = say("working");
	addEventListener("pageshow", (back) => {
		if (!back.persisted) return;
		button.removeAttribute("aria-busy");
		button.replaceChildren(...words);
	}, { once: true });
}

/** startImports brings the page to life. */
export function startImports() {
	const form = one("form[data-source]");
	document.addEventListener("restante:import", refresh);
	setInterval(() => { if (one("[data-goes]") && !document.hidden) refresh(); }, 5000); // where no news comes
	document.addEventListener("submit", trying);
	form.elements.username.addEventListener("change", () => look(form).catch(() => { /* typed by hand then */ }));
}
