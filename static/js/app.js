// The app's scripts. Each module is an enhancement: without it, or when it
// fails, links and forms do the same by whole pages.
import { el, loadScript, on, one, plainClick, startWorker } from "./dom.js";
import { refresh } from "./acts.js";
import { ask } from "./dialog.js";
import { startKeys } from "./keys.js";
import { startLetters } from "./letters.js";
import { startList } from "./list.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";
import { startMore } from "./more.js";
import { startMove } from "./move.js";
import { startDrag } from "./drag.js";
import { startQuoted } from "./quoted.js";
import { startQueued } from "./queued.js";
import { startReader } from "./reader.js";
import { startSignOut, tellLeft } from "./signout.js";
import { startSwipe } from "./swipe.js";
import { busy } from "./net.js";
import { startTab } from "./tab.js";
import { toast, watch } from "./toast.js";
import { say } from "./words.js";

const config = {
	extensions: "hx-csp, no-eval", prefix: "", includeIndicatorCSS: false, defaultTimeout: 20000,
	history: false, // net.js keeps it, with the place in the list
	morphSkip: "[data-keep]", // a letter's frame and the editor
};

/** swapper loads htmx, set up before it starts. */
async function swapper() {
	if (globalThis.htmx) return;
	if (!one('meta[name="htmx-config"]')) document.head.append(el("meta", { name: "htmx-config", content: JSON.stringify(config) }));
	await loadScript("asset:vendor/htmx.js");
}

function start(f) {
	try {
		f();
	} catch (error) {
		console.error(error); // the plain page goes on
	}
}

addEventListener("load", () => tellLeft().catch(() => { /* no copies then */ }));
if (one("#list")) swapper().catch(() => { /* parts are replaced whole then */ });
addEventListener("load", () => startWorker()?.catch(() => { /* no offline page then */ }));
for (const f of [startMenus, startMove, startList, startSwipe, startDrag, startReader, startQuoted, startLetters, startMore, startKeys, startSignOut, startLive, startTab, startQueued, watch]) start(f);
// What is not needed at first sight comes after it.
if (one("form.search, .search-form")) addEventListener("load", () => import("./seek.js").then((m) => m.startSeek()).catch((error) => console.error(error)));
/** tellZone lets the server show times as the reader's clock does. */
async function tellZone() {
	const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
	if (!zone) return;
	const told = await fetch("/settings/zone", { method: "POST", body: new URLSearchParams({ zone }) });
	document.body.removeAttribute("data-ask-zone");
	if (told.ok && zone !== "UTC" && one("#list") && !busy()) await refresh();
}
if ("askZone" in document.body.dataset) tellZone().catch(() => { /* times in UTC then */ });

const sent = sessionStorage.getItem("restante:sent");
if (sent && !one("form[data-compose]")) { // a form that was sent has arrived
	sessionStorage.removeItem("restante:sent");
	import("./sealed.js").then((m) => m.drop(sent)).catch(() => { /* offered once more then */ });
}
if (one("form[data-source]")) import("./imports.js").then((m) => m.startImports()).catch((error) => console.error(error));
if (one("form[data-identity-form]")) import("./identity.js").then((m) => m.startIdentity()).catch((error) => console.error(error));
const written = one("form[data-compose]");
if (written) import("./compose.js").then((m) => m.startPage(written)).catch((error) => console.error(error));
if (one("form[data-text-form]")) import("./textforms.js").then((m) => document.querySelectorAll("form[data-text-form]").forEach(m.startTextForm)).catch((error) => console.error(error));

// On wide screens a letter is written beside what it answers, or over the list.
on("click", "a[data-compose-link]", (e, link) => {
	if (!plainClick(e) || !one(".frame > .panes, .frame > .only-list") || !matchMedia("(width >= 68.75rem)").matches) return;
	e.preventDefault();
	link.closest("details.menu")?.removeAttribute("open");
	import("./desk.js").then((m) => m.write(link)).catch((error) => {
		if (!navigator.onLine) return toast(say("offline"), { failed: true }); // what is being written here stays before the eyes
		console.error(error);
		location.assign(link.href);
	});
});

on("submit", "form:not([data-list], .message-bar)", (e) => {
	const words = e.submitter?.dataset.confirm;
	if (!words || e.submitter.dataset.sure) return;
	e.preventDefault();
	ask(words, e.submitter.textContent.trim()).then((yes) => { if (yes) { e.submitter.dataset.sure = "1"; e.submitter.form.requestSubmit(e.submitter); } });
});
