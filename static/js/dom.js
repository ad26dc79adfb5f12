// Small helpers on the document, and the one Trusted Types policy of the app.
const pass = (s) => s;
const scripts = ["asset:vendor/htmx.js", "/sw.js"];

/** policy lets in only what our own server answered (see parse) and scripts named here. */
const policy = globalThis.trustedTypes?.createPolicy("restante", {
	createHTML: pass,
	createScriptURL(url) {
		if (scripts.includes(url)) return url;
		throw new TypeError("not a script of ours");
	},
}) ?? { createHTML: pass, createScriptURL: pass };

/** isOurs says whether a response is one of the app's own pages: a mail's parts and bodies carry other headers. */
export function isOurs(response) {
	if (new URL(response.url, location.href).origin !== location.origin) return false;
	if (!/^text\/html\b/.test(response.headers.get("Content-Type") ?? "")) return false;
	return response.headers.get("X-Restante-Fragment") === "1" || /script-src 'nonce-/.test(response.headers.get("Content-Security-Policy") ?? "");
}

/** parse makes a document of a response of ours; nothing in it runs or loads. */
export function parse(response, text) {
	if (!isOurs(response)) throw new TypeError("not a page of ours");
	return new DOMParser().parseFromString(policy.createHTML(text), "text/html");
}

/** startWorker keeps the offline page at hand. */
export const startWorker = () => navigator.serviceWorker?.register(policy.createScriptURL("/sw.js"));

/** loadScript adds one of the scripts named above to the page. */
export function loadScript(url) {
	return new Promise((resolve, reject) => {
		const s = document.createElement("script");
		s.nonce = document.querySelector("script[nonce]")?.nonce ?? "";
		s.src = policy.createScriptURL(url);
		s.onload = resolve;
		s.onerror = reject;
		document.head.append(s);
	});
}

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** el makes an element: properties that begin with "on" listen, the others are attributes; children are nodes or text. */
export function el(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [k, v] of Object.entries(attributes)) {
		if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
		else if (v === true) e.setAttribute(k, "");
		else if (v !== false && v != null) e.setAttribute(k, v);
	}
	e.append(...children.filter((c) => c != null));
	return e;
}

/** icon is a drawing of the sprite. */
export function icon(name) {
	const ns = "http://www.w3.org/2000/svg";
	const svg = document.createElementNS(ns, "svg"), use = document.createElementNS(ns, "use");
	svg.setAttribute("class", "icon");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("width", "20");
	svg.setAttribute("height", "20");
	use.setAttribute("href", "asset:icons.svg" + "#" + name);
	svg.append(use);
	return svg;
}

/** on listens on the document for events inside what the selector matches, so that it survives swaps. */
export function on(type, selector, listener, options) {
	document.addEventListener(type, (e) => {
		const hit = e.target instanceof Element ? e.target.closest(selector) : null;
		if (hit) listener(e, hit);
	}, options);
}

/** plainClick says that a click means "go there", not "new tab" and the like. */
export const plainClick = (e) => e.button === 0 && !e.ctrlKey && !e.metaKey && !e.shiftKey && !e.altKey && !e.defaultPrevented;

export const coarse = () => matchMedia("(pointer: coarse)").matches;
