// Letters whose Send was pressed without a line: they lie sealed in this browser, and go once it is back.
import { el, isOurs, one, parse } from "./dom.js";
import { call, problem } from "./net.js";
import { Copies, drop, heldOf } from "./sealed.js";
import { adopt, toast } from "./toast.js";
import { say } from "./words.js";

const lock = "restante-send"; // who sends what is held: a form that stands, or one page for those that do not any more

/** wait says on a form that its letter waits, tries send when the line is back, and gives what ends that. */
export function wait(form, send, stop) {
	const bar = el("p", { class: "bar info held", role: "status" }, el("span", {}, say("sendsonline")), el("button", { type: "button", onclick: stop }, say("dontsend")));
	const gone = new AbortController(), again = () => { if (navigator.onLine) send(); };
	one("[data-notes]", form).append(bar);
	addEventListener("online", again, { signal: gone.signal });
	const timer = setInterval(again, 10_000); // the browser may not know that there is no line
	navigator.locks?.request(lock, { mode: "shared" }, () => new Promise((resolve) => gone.signal.addEventListener("abort", resolve)));
	return () => {
		clearInterval(timer);
		gone.abort();
		bar.remove();
	};
}

/** post sends one. Sent twice it goes once: the server knows the form, or the draft, by its name. */
async function post(copies, id, { at, fields, held }) {
	const data = new FormData();
	for (const [name, value] of held.data) data.append(name, value);
	const response = await call(held.action, { method: "POST", body: data, headers: { "X-Restante": "act" } });
	if (response.status === 401 || new URL(response.url).pathname === "/login") return; // after the next sign-in
	const doc = isOurs(response) ? parse(response, await response.text()) : null;
	if (response.redirected) {
		await drop(id);
		if (doc) adopt(doc);
		return;
	}
	await copies.put(id, { at, fields }); // somebody has to look at it first
	const draft = response.headers.get("X-Restante-Draft");
	toast(doc ? problem(doc) : say("refused"), { failed: true, action: draft ? { words: say("open"), run: () => location.assign("/compose/" + draft) } : null });
}

/** flush sends what is held and stands in no form. The key that opens it comes with a form alone. */
async function flush() {
	if (!navigator.onLine || !globalThis.indexedDB || !(await heldOf()).length) return;
	await navigator.locks.request(lock, { ifAvailable: true }, async (mine) => {
		const response = mine && await call("/compose");
		const form = response && isOurs(response) && one("form[data-compose]", parse(response, await response.text()));
		if (!form) return;
		const account = Number(form.dataset.account), copies = new Copies(account, form.dataset.copyKey);
		for (const id of await heldOf(account)) {
			const copy = await copies.get(id);
			if (copy?.held) await post(copies, id, copy);
		}
	});
}

/** startQueued looks for such letters when a page comes, and when the line is back. */
export function startQueued() {
	const look = () => flush().catch(() => { /* there is no line yet */ });
	addEventListener("load", () => setTimeout(look, 1000));
	addEventListener("online", () => setTimeout(look, 1000));
	document.addEventListener("restante:signedin", look);
}
