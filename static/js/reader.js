// The frame of a letter grows to what is in it, and is shown smaller where that is too wide, or moves sideways in its
// full size. Only its size is read, through getters taken before any letter was there; nothing in it is trusted or touched.
import { all, el, one } from "./dom.js";
import { say } from "./words.js";

const getDocument = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentDocument").get;
const getRoot = Object.getOwnPropertyDescriptor(Document.prototype, "documentElement").get;
const getHeight = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight").get;
const getWidth = Object.getOwnPropertyDescriptor(Element.prototype, "scrollWidth").get;
const getBox = Element.prototype.getBoundingClientRect;
const most = 60_000;
const smallest = 0.45; // of its size: a letter that is wider still can be moved sideways

const known = new WeakMap(); // frame -> the width it was measured at and the height found
const fitted = new WeakMap(); // frame -> the room it was fitted into
const over = new WeakMap(); // frame -> by how much its letter was too wide when it was fitted last
const full = new WeakSet(); // frames whose letter is wanted in its full size

/** offer puts a button above a letter that is shown smaller: to its full size, and back. */
function offer(frame) {
	if (one(".sizes", frame.parentElement)) return;
	const button = el("button", { type: "button", class: "quiet" }, say("fullsize"));
	button.addEventListener("click", () => {
		if (!full.delete(frame)) full.add(frame);
		button.textContent = say(full.has(frame) ? "fitsize" : "fullsize");
		fitted.delete(frame);
		measure(frame);
	});
	frame.before(el("p", { class: "sizes" }, button));
}

/** fit shows a letter that is wider than its room smaller, down to the smallest; once it has been, in the same room it stays. */
function fit(frame, root) {
	const around = getComputedStyle(frame.parentElement);
	const room = frame.parentElement.clientWidth - parseFloat(around.paddingLeft) - parseFloat(around.paddingRight);
	if (fitted.get(frame) !== room) {
		fitted.set(frame, room);
		frame.style.zoom = frame.style.inlineSize = frame.style.maxInlineSize = "";
		known.delete(frame);
		over.delete(frame);
	}
	const wide = getWidth.call(root), here = Number(frame.style.zoom || 1), more = wide - Math.ceil(room / here);
	// A letter that is always wider than its frame by so much would be made smaller again and again.
	if (more <= 1 || here === smallest || full.has(frame) || Math.abs(more - (over.get(frame) ?? -9)) <= 2) return;
	over.set(frame, more);
	offer(frame);
	const scale = Math.max(smallest, Math.floor(1000 * room / wide) / 1000);
	frame.style.zoom = scale;
	frame.style.inlineSize = room / scale + "px";
	frame.style.maxInlineSize = "none";
	known.delete(frame);
}

/** measure sets the height of a frame; where it cannot be read the frame scrolls by itself. */
function measure(frame) {
	let box, content;
	try {
		const root = getRoot.call(getDocument.call(frame));
		fit(frame, root);
		box = Math.ceil(getBox.call(root).height);
		content = getHeight.call(root);
	} catch {
		return;
	}
	if (!content) return;
	const last = known.get(frame), width = frame.clientWidth;
	// Content that is lower than the frame reports the frame's own height: then the root's box tells. At one width a frame only grows.
	let height = content > frame.clientHeight + 1 ? content : box;
	if (last?.width === width) height = Math.max(height, last.height);
	height = Math.min(Math.max(height, 24), most);
	known.set(frame, { width, height });
	if (last?.height === height && frame.hasAttribute("data-sized")) return;
	frame.style.blockSize = height + "px";
	frame.setAttribute("data-sized", "");
}

/** tellMissing says above a letter how many of its pictures our server could not fetch: it marks those answers. */
function tellMissing(frame) {
	let n = 0;
	try {
		n = frame.contentWindow.performance.getEntriesByType("resource").filter((r) => r.serverTiming?.some((t) => t.name === "failed")).length;
	} catch { /* a browser that does not tell */ }
	const bar = frame.parentElement && one(".not-fetched", frame.parentElement);
	if (!n) return bar?.remove();
	const words = say(n === 1 ? "notfetched.one" : "notfetched", { N: n });
	if (bar) bar.firstElementChild.textContent = words;
	else frame.before(el("p", { class: "bar warn not-fetched", role: "note" }, el("span", {}, words)));
}

const watched = new WeakSet();

function watch(frame) {
	frame.setAttribute("data-keep", ""); // the morph leaves it alone
	measure(frame);
	if (watched.has(frame)) return;
	watched.add(frame);
	frame.addEventListener("load", () => { one(".sizes", frame.parentElement)?.remove(); full.delete(frame); known.delete(frame); fitted.delete(frame); settleDown(frame); });
	new ResizeObserver(() => measure(frame)).observe(frame.parentElement);
	settleDown(frame);
}

/** settleDown measures again while pictures come in. */
function settleDown(frame) {
	for (const ms of [0, 60, 200, 600, 1500, 4000, 9000, 12000]) setTimeout(() => { if (frame.isConnected) { measure(frame); tellMissing(frame); } }, ms);
}

const start = () => all("iframe[data-message-body]").forEach(watch);

/** startReader sizes frames now and after each swap. */
export function startReader() {
	start();
	document.addEventListener("restante:page", start);
}
