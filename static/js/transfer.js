// Brings one file to the server piece by piece. Where the line is cut it waits, asks how much is there, and goes on.
import { isOurs, parse } from "./dom.js";
import { call, problem } from "./net.js";

const shortest = 1000, longest = 30_000; // of the pauses, ms
const tries = 8; // in vain, while the browser says that there is a line
const silence = 45_000; // after which a line is given up, ms

/** Refused means that the server does not take the file; its message is what it says. */
export class Refused extends Error {}

/**
 * Transfer is a file on its way into the draft that draft() names. told(octets, cut) is called as it goes. as says what
 * it is for: attachments or pictures.
 */
export class Transfer {
	constructor(file, as, draft, told, id = "") {
		this.file = file;
		this.as = as;
		this.draft = draft;
		this.told = told;
		this.id = id; // which the server gives it; one that it has given before goes on
		this.at = 0; // so much is there
	}

	get address() { return "/compose/" + this.draft() + "/arriving/" + this.id; }

	/** run brings the file, and gives the list of files that the server answers with and the address of the picture that it is. */
	async run() {
		for (let vain = 0, pause = shortest; ;) {
			const was = this.at;
			try {
				if (!this.id) await this.begin();
				else if (vain || !this.most) await this.ask();
				const answer = await this.piece();
				if (answer) return answer;
			} catch (error) {
				if (error instanceof Refused || this.stopped) throw error;
				if (this.at > was) [vain, pause] = [0, shortest];
				if (++vain > tries && navigator.onLine && !error.signedOut) throw error;
				this.told(this.at, true);
				await this.wait(pause);
				pause = Math.min(2 * pause, longest);
				continue;
			}
			[vain, pause] = [0, shortest];
		}
	}

	/** stop gives the file up. */
	stop() {
		this.stopped = true;
		this.request?.abort();
		this.goOn?.();
		if (this.id) call(this.address + "/stop", { method: "POST", keepalive: true }).catch(() => { /* it is swept */ });
	}

	/** wait ends after a pause, or when the line or the session is there again. */
	async wait(pause) {
		const over = new AbortController(), { signal } = over;
		await new Promise((go) => {
			this.goOn = go;
			setTimeout(go, pause);
			addEventListener("online", go, { signal });
			document.addEventListener("restante:signedin", go, { signal });
		});
		over.abort();
		if (this.stopped) throw new Error("given up");
	}

	async begin() {
		const { name, type, size, lastModified } = this.file;
		const response = await call("/compose/" + this.draft() + "/arriving", { method: "POST", body: new URLSearchParams({ name: name || "image.png", type, size, as: this.as, modified: lastModified ?? 0 }) });
		await check(response, () => response.text());
		this.id = response.headers.get("Location").split("/").at(-1);
		this.most = Number(response.headers.get("X-Restante-Piece"));
		this.at = 0;
		this.told(0, false);
	}

	/** ask learns where to go on. */
	async ask() {
		const response = await call(this.address, { method: "HEAD" });
		if (response.status === 404) return this.begin(); // it was swept
		await check(response, () => "");
		this.at = Number(response.headers.get("X-Restante-Offset"));
		this.most = Number(response.headers.get("X-Restante-Piece"));
	}

	/** piece brings what comes next, and gives the answer to the last. */
	async piece() {
		const request = await this.post(this.file.slice(this.at, this.at + this.most));
		const answer = { status: request.status, ok: request.status < 300, url: request.responseURL, headers: { get: (n) => request.getResponseHeader(n) } };
		if (answer.status === 409 || answer.status === 404) throw new Error("elsewhere");
		if (answer.status === 401) await call("/settings"); // which offers to sign in
		await check(answer, () => request.responseText);
		if (answer.status === 204) {
			this.at = Number(answer.headers.get("X-Restante-Offset"));
			return null;
		}
		return { doc: answer.headers.get("X-Restante-Fragment") ? parse(answer, request.responseText) : null, picture: answer.headers.get("X-Restante-Picture") };
	}

	post(blob) {
		return new Promise((done, failed) => {
			const request = this.request = new XMLHttpRequest();
			let silent = setTimeout(() => request.abort(), silence);
			const heard = () => { clearTimeout(silent); silent = setTimeout(() => request.abort(), silence); };
			request.open("POST", this.address + "?from=" + this.at);
			request.setRequestHeader("X-Restante", "1");
			request.setRequestHeader("Accept", "text/html");
			request.setRequestHeader("Content-Type", "application/octet-stream");
			request.upload.addEventListener("progress", (e) => { heard(); this.told(this.at + e.loaded, false); });
			request.addEventListener("loadend", () => {
				clearTimeout(silent);
				if (request.status) done(request); else failed(new Error("cut"));
			});
			request.send(blob);
		});
	}
}

/** check throws what the server does not take, by its words; and what may go another time. */
async function check(response, text) {
	if (response.ok) return;
	if (response.status === 401) throw Object.assign(new Error("signed out"), { signedOut: true });
	if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Error("status " + response.status);
	throw new Refused(isOurs(response) ? problem(parse(response, await text())) : "");
}
