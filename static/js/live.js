// News from the server over one stream; when it cannot be had, the page asks now and then.
import { all, on, one } from "./dom.js";
import { offerSignIn, signIn } from "./dialog.js";
import { refresh, restless } from "./acts.js";
import { call, visit } from "./net.js";
import { tell, wished } from "./tab.js";
import { announce, toast } from "./toast.js";
import { say } from "./words.js";

const sleepAfter = 10 * 60_000; // ms that nobody looks at the page
let source = null, known = document.body.dataset.seen, wait = 0, later = 0;

function changed() {
	clearTimeout(later);
	later = setTimeout(async () => {
		if (restless()) return changed();
		try {
			const fresh = one("#list") ? await refresh({ pill: true }) : 0;
			if (fresh) { announce(say("new")); tell(fresh); }
		} catch { /* the next news tries again */ }
	}, 300);
}

async function over() {
	const response = await fetch("/settings", { method: "GET", headers: { "X-Restante": "1" }, redirect: "manual", credentials: "same-origin" }).catch(() => null);
	if (!response || response.status !== 401 && response.type !== "opaqueredirect") return;
	if (!one("form[data-compose]")) return location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
	if (!offerSignIn() && !await signIn()) toast(say("again"), { failed: true }); // what is being written stays on the screen
}

let leaving = false; // a form of this page is on its way: nothing may overtake it

function outbox() {
	if (leaving) return;
	if (location.pathname !== "/outbox") return changed();
	if (!all("form input[type=password]").some((f) => f.value)) call(location.href).then((r) => r.ok && location.reload());
}

function connect() {
	source = new EventSource(document.body.dataset.events);
	source.addEventListener("open", () => { wait = 0; });
	source.addEventListener("mail", (e) => {
		if (one("[data-away]") && one("#trouble") && JSON.parse(e.data).kind === "back") visit(location.href, { push: false }); // what could not be shown
		else changed();
	});
	source.addEventListener("hello", (e) => { // what happened between the making of the page and now
		const { seen } = JSON.parse(e.data);
		if (seen !== known) changed();
		known = seen;
	});
	source.addEventListener("outbox", outbox);
	source.addEventListener("draft", () => document.dispatchEvent(new Event("restante:draftnews")));
	source.addEventListener("import", () => document.dispatchEvent(new Event("restante:import")));
	source.addEventListener("session", over);
	source.addEventListener("error", () => {
		if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
		wait = Math.min(wait ? wait * 2 : 2, 60);
		setTimeout(() => { if (navigator.onLine) connect(); else addEventListener("online", connect, { once: true }); }, wait * 1000);
		if (wait > 8) over();
	});
}

/** sleep closes the stream of a page that nobody has looked at for long, unless it is to tell of new mail. */
let asleep = false, tired = 0;
function sleep() {
	clearTimeout(tired);
	if (document.hidden) {
		tired = setTimeout(() => { if (!wished()) { asleep = true; source?.close(); } }, sleepAfter);
	} else if (asleep) {
		asleep = false;
		connect(); // which tells what was missed
	}
}

/** startLive listens while the page stands. */
export function startLive() {
	if (!document.body.dataset.events || !("EventSource" in globalThis)) return;
	connect();
	if (location.pathname === "/outbox") document.addEventListener("submit", () => { leaving = true; setTimeout(() => { leaving = false; }, 5000); });
	addEventListener("pagehide", () => source?.close());
	document.addEventListener("visibilitychange", sleep);
	on("submit", 'form[action="/logout"]', (e) => { if (!e.defaultPrevented) source?.close(); }); // the end of the session is no news then
	addEventListener("pageshow", (e) => { if (e.persisted) { connect(); changed(); } });
	addEventListener("online", changed);
	setInterval(() => { if (one("[data-work]") && !document.hidden) changed(); }, 4000); // how far it is, where no news comes
}
