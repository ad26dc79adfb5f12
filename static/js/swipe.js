// Rows under a finger: towards the end of the line archives, towards its start deletes.
// The same acts stand in the bar that a long press brings.
import { coarse, el, on, one } from "./dom.js";
import { sendRows } from "./acts.js";
import { chosen } from "./rows.js";

const edge = 24, begin = 12, commit = 96, flick = 0.6; // px, px, px, px per ms

let swipe = null, passed = false;

const towardsEnd = (dx) => (getComputedStyle(document.documentElement).direction === "rtl" ? dx < 0 : dx > 0);

/** actFor is the button of the list that a direction stands for here, or null. */
function actFor(form, dx) {
	const names = towardsEnd(dx) ? ["archive"] : ["trash", "delete"];
	return names.map((n) => one(`.action-bar button[value="${n}"]`, form)).find(Boolean) ?? null;
}

function start(e, row) {
	const form = row.closest("form[data-list]");
	if (e.pointerType !== "touch" || !form || chosen() || e.clientX < edge || e.clientX > innerWidth - edge) return;
	swipe = { row, form, x: e.clientX, y: e.clientY, at: e.timeStamp, dx: 0, on: false, under: null, button: null };
}

function move(e) {
	if (!swipe) return;
	const dx = e.clientX - swipe.x, dy = e.clientY - swipe.y;
	if (!swipe.on) {
		if (Math.abs(dy) > begin) { swipe = null; return; }
		if (Math.abs(dx) < begin || Math.abs(dx) < Math.abs(dy) * 1.5) return;
		swipe.on = true;
		swipe.row.setAttribute("data-swiping", "");
	}
	const button = actFor(swipe.form, dx);
	if (button !== swipe.button) {
		swipe.under?.remove();
		swipe.button = button;
		swipe.under = button && el("div", { class: "swipe-under", "data-act": button.value, "data-end": !towardsEnd(dx) }, one("svg", button)?.cloneNode(true), el("span", {}, button.textContent.trim()));
		if (swipe.under) swipe.row.before(swipe.under);
	}
	swipe.dx = button ? dx : dx / 8; // a direction that makes no sense does not go far
	if (swipe.under) {
		swipe.under.style.blockSize = swipe.row.offsetHeight + "px";
		swipe.under.toggleAttribute("data-ready", Math.abs(dx) >= commit);
	}
	swipe.row.style.translate = swipe.dx + "px";
}

function end(e) {
	const s = swipe;
	swipe = null;
	if (!s?.on) return;
	passed = true;
	setTimeout(() => { passed = false; }, 60);
	const speed = Math.abs(s.dx) / Math.max(1, e.timeStamp - s.at);
	s.row.style.translate = "";
	s.row.removeAttribute("data-swiping");
	s.under?.remove();
	if (e.type === "pointerup" && s.button && (Math.abs(s.dx) >= commit || Math.abs(s.dx) > 40 && speed > flick)) sendRows(s.form, s.button, [s.row]);
}

/** startSwipe listens, once for all pages. */
export function startSwipe() {
	if (!coarse()) return;
	on("pointerdown", ".row", start);
	document.addEventListener("pointermove", move, { passive: true });
	for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, end);
	on("click", "[data-message-link]", (e) => { if (passed) { e.preventDefault(); e.stopPropagation(); } }, { capture: true });
}
