// The tab: how much is unread stands in its title and on its picture, and
// new mail is told of outside of it where its person wishes that on this device.
import { all, on, one } from "./dom.js";
import { toast } from "./toast.js";
import { say } from "./words.js";

const wish = "restante-notify", most = 99;
const icon = one("link[rel=icon]"), plain = icon?.getAttribute("href"), kind = icon?.type;
let drawn = -1, picture = null;

const unread = () => Number(one("nav.folders [data-unread-all]")?.dataset.unreadAll ?? one('nav.folders a[data-mailbox="INBOX"]')?.dataset.unreadCount ?? 0);

/** show puts the number where it belongs. */
function show() {
	const n = one("nav.folders") ? unread() : 0;
	const bare = document.title.replace(/^\(\d+\+?\) /, "");
	const title = n ? `(${n > most ? most + "+" : n}) ${bare}` : bare;
	if (title !== document.title) document.title = title;
	if (n !== drawn) badge(n);
}

/** badge draws a dot with the number on the picture of the tab. */
async function badge(n) {
	drawn = n;
	if (!icon) return;
	if (!n) { icon.type = kind; icon.href = plain; return; }
	if (!picture) {
		picture = new Image(64, 64);
		picture.src = plain;
	}
	try { await picture.decode(); } catch { return; }
	if (n !== drawn) return;
	const canvas = document.createElement("canvas"), c = canvas.getContext("2d");
	canvas.width = canvas.height = 64;
	c.drawImage(picture, 0, 0, 64, 64);
	const words = n > most ? most + "+" : String(n), wide = [0, 36, 46, 58][words.length];
	c.fillStyle = "#c0392b";
	c.beginPath();
	c.roundRect(64 - wide, 28, wide, 36, 18);
	c.fill();
	c.fillStyle = "#fff";
	c.font = "bold 30px sans-serif";
	c.textAlign = "center";
	c.textBaseline = "middle";
	c.fillText(words, 64 - wide / 2, 47);
	icon.type = "image/png";
	icon.href = canvas.toDataURL("image/png");
}

const able = () => "Notification" in globalThis;
export const wished = () => able() && Notification.permission === "granted" && localStorage.getItem(wish) === "1";

/** tell tells of new mail outside of the page, where nobody looks at it: one tab of those that are open. */
export async function tell(fresh) {
	if (!fresh || !wished() || document.visibilityState === "visible") return;
	await navigator.locks.request("restante-notify", { ifAvailable: true }, async (lock) => {
		if (!lock) return;
		const row = one(".row[data-unread]");
		const note = new Notification(row ? one(".row-name", row).textContent.trim() : say("new"), {
			body: row ? one(".row-subject", row).textContent.trim() : "", tag: "restante-mail", icon: plain,
		});
		note.onclick = () => { focus(); note.close(); one("[data-message-link]", row ?? document)?.click(); };
		await new Promise((done) => setTimeout(done, 2000)); // the other tabs hear of it too
	});
}

/** wishes lets the settings say whether this device is told. */
function wishes() {
	for (const line of all("[data-notify]")) {
		line.hidden = !able();
		one("input", line).checked = wished();
	}
}

export function startTab() {
	document.addEventListener("restante:page", () => { show(); wishes(); });
	new MutationObserver(show).observe(one("title"), { childList: true });
	on("change", "[data-notify] input", async (e, box) => {
		if (box.checked && await Notification.requestPermission() !== "granted") {
			box.checked = false;
			toast(say("nonotify"), { failed: true });
		}
		localStorage.setItem(wish, box.checked ? "1" : "0");
	});
	on("submit", 'form[action="/logout"]', () => localStorage.removeItem(wish));
	show();
	wishes();
}
