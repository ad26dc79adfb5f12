// The frame of a letter grows to what is in it. Only its height is read, through
// getters taken before any letter was there; nothing in it is trusted or touched.
import { all } from "./dom.js";

const getDocument = Object.getOwnPropertyDescriptor(HTMLIFrameElement.prototype, "contentDocument").get;
const getRoot = Object.getOwnPropertyDescriptor(Document.prototype, "documentElement").get;
const getHeight = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight").get;
const getBox = Element.prototype.getBoundingClientRect;
const most = 60_000;

const known = new WeakMap(); // frame -> the width it was measured at and the height found

/** measure sets the height of a frame; where it cannot be read the frame scrolls by itself. */
function measure(frame) {
	let box, content;
	try {
		const root = getRoot.call(getDocument.call(frame));
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

const watched = new WeakSet();

function watch(frame) {
	frame.setAttribute("data-keep", ""); // the morph leaves it alone
	measure(frame);
	if (watched.has(frame)) return;
	watched.add(frame);
	frame.addEventListener("load", () => { known.delete(frame); settleDown(frame); });
	new ResizeObserver(() => measure(frame)).observe(frame.parentElement);
	settleDown(frame);
}

/** settleDown measures again while pictures come in. */
function settleDown(frame) {
	for (const ms of [0, 60, 200, 600, 1500, 4000, 9000]) setTimeout(() => frame.isConnected && measure(frame), ms);
}

const start = () => all("iframe[data-message-body]").forEach(watch);

/** startReader sizes frames now and after each swap. */
export function startReader() {
	start();
	document.addEventListener("restante:page", start);
}
