// Offers to make a big picture among the files smaller.
import { all, el, one } from "./dom.js";
import { say, size } from "./words.js";

const big = 500_000, side = 1600;

/** shrink gives the picture with at most so many pixels a side as JPEG, null when that saves little. */
async function shrink(file) {
	const picture = await createImageBitmap(file), scale = Math.min(1, side / Math.max(picture.width, picture.height));
	const canvas = el("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) }), pen = canvas.getContext("2d");
	pen.fillStyle = "#fff"; // JPEG knows no transparency
	pen.fillRect(0, 0, canvas.width, canvas.height);
	pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
	picture.close();
	const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
	return blob && blob.size < file.size * 0.7 ? new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : null;
}

/** offerSmaller puts the offer beside a file that has gone up. */
export async function offerSmaller(uploads, file) {
	if (file.size < big || !/^image\/(?:jpeg|png|webp)$/.test(file.type)) return;
	const small = await shrink(file);
	const rows = all(".file[data-bytes]", uploads.list).filter((r) => one("button[name=remove]", r));
	const row = small && (rows.find((r) => Number(r.dataset.bytes) === file.size) ?? rows.findLast((r) => one(".file-name", r)?.textContent.trim() === file.name)); // photos lose what tells of their place
	if (!row) return;
	const id = one("button[name=remove]", row).value;
	const button = el("button", { type: "button", class: "small", onclick: async () => {
		button.disabled = true;
		await uploads.add([small]);
		const there = await uploads.done({ quiet: true });
		uploads.smaller.delete(id);
		if (there) await uploads.remove(one(`button[name=remove][value="${CSS.escape(id)}"]`, uploads.list));
	} }, say("makesmaller", { From: size(file.size), To: size(small.size) }));
	uploads.smaller.set(id, button);
	one("button[name=remove]", row).after(button);
}
