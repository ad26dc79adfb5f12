// Writing: chips, files, the editor, keeping, and sending that waits for all of them.
import { el, icon, on, one } from "./dom.js";
import { Draft } from "./drafts.js";
import { startRecipients } from "./recipients.js";
import { startSignature } from "./signature.js";
import { toast } from "./toast.js";
import { Uploads } from "./upload.js";
import { say } from "./words.js";

/** format lays the editor over the text. Where it cannot stand, plain text goes on. */
async function format(form, draft) {
	try {
		const { startEditor } = await import("./editor.js");
		return startEditor(form, draft);
	} catch (error) {
		console.error(error);
		return null;
	}
}

/** offerFormat is the way from plain text to formatted text. */
function offerFormat(form, draft) {
	const button = el("button", { type: "button", class: "plain offer-format", title: say("rich"), "aria-label": say("rich"), onclick: async () => {
		button.remove();
		(await format(form, draft))?.focus();
		draft.touch();
	} }, icon("type"), el("span", {}, say("rich")));
	one("#body", form).before(button);
}

/** startCompose makes the form of the page live. */
export async function startCompose() {
	const form = one("form[data-compose]");
	const draft = new Draft(form);
	const people = startRecipients(form, draft);
	const uploads = new Uploads(form, draft);
	startSignature(form, draft);
	if (one("textarea[data-rich]", form)) await format(form, draft);
	else offerFormat(form, draft);
	form.addEventListener("restante:plain", () => offerFormat(form, draft));
	draft.ready();
	(one(".errors", form) ?? one(".ask", form))?.focus();

	let going = false;
	form.addEventListener("submit", async (e) => {
		if (going) return;
		const button = e.submitter;
		if (button?.name === "remove") return;
		e.preventDefault();
		for (const p of people) p.take();
		if (button?.value === "discard") return go(button);
		const wrong = button?.value === "send" && one(".recipient[data-wrong]", form);
		if (wrong) {
			toast(wrong.title, { failed: true });
			return one("button", wrong).focus();
		}
		await uploads.done();
		// A save first: it renews a session that is over, in place, and tells what cannot be reached while the form still stands.
		if (!navigator.onLine || draft.dirty && !await draft.save() && !draft.unknown) {
			draft.keepHere();
			return toast(say(navigator.onLine ? "notkept" : "offline"), { failed: true });
		}
		go(button);
	});

	function go(button) {
		going = true;
		draft.data();
		draft.end(button?.value === "discard");
		// Not in the midst of the submit event that brought us here: a form that is being submitted takes no second one.
		setTimeout(() => { if (button) form.requestSubmit(button); else form.submit(); });
		setTimeout(() => { going = false; draft.over = false; }, 8000); // should the way be cut, the form lives on
	}

	form.addEventListener("keydown", (e) => {
		if ((e.ctrlKey || e.metaKey) && e.key === "Enter") {
			e.preventDefault();
			form.requestSubmit(one('button[name=action][value="send"]', form));
		} else if ((e.ctrlKey || e.metaKey) && e.shiftKey && /^[cb]$/i.test(e.key)) {
			const name = e.key.toLowerCase() === "c" ? "cc" : "bcc", more = one(".more-fields", form);
			e.preventDefault();
			if (more) more.open = true;
			form.elements[name]?.focus();
		} else if (e.key === "Enter" && e.target.matches("input:not([type=file])") && !e.defaultPrevented) {
			e.preventDefault(); // a line break in a field is no wish to send
		}
	}, { capture: false });

	on("click", ".compose-head > a", async (e, link) => {
		if (!draft.dirty || e.ctrlKey || e.metaKey || e.button) return;
		e.preventDefault();
		if (await draft.save()) location.assign(link.href);
		else toast(say("notkept"), { failed: true });
	});
}
