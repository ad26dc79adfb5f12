// A folder that is dropped becomes one file: a ZIP whose files lie there as they are.
const table = Uint32Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ n >>> 1 : n >>> 1;
	return n >>> 0;
});

async function crc32(file) {
	let crc = 0xffffffff;
	for (const reader = file.stream().getReader(); ;) {
		const { done, value } = await reader.read();
		if (done) return (crc ^ 0xffffffff) >>> 0;
		for (const b of value) crc = table[(crc ^ b) & 255] ^ crc >>> 8;
	}
}

/** numbers lays numbers out, each as [octets, value], the lowest octet first. */
function numbers(...list) {
	const out = new DataView(new ArrayBuffer(list.reduce((n, [octets]) => n + octets, 0)));
	let at = 0;
	for (const [octets, value] of list) {
		if (octets === 2) out.setUint16(at, value, true); else out.setUint32(at, value, true);
		at += octets;
	}
	return out.buffer;
}

/** zip packs files, each as [path, file], into one of that name (APPNOTE 6.3, 4.3 and 4.4). */
export async function zip(name, files) {
	const parts = [], list = [];
	let at = 0;
	for (const [path, file] of files) {
		const words = new TextEncoder().encode(path), when = new Date(file.lastModified);
		const time = when.getHours() << 11 | when.getMinutes() << 5 | when.getSeconds() >> 1, day = Math.max(0, when.getFullYear() - 1980) << 9 | when.getMonth() + 1 << 5 | when.getDate();
		const facts = [[2, 20], [2, 0x0800], [2, 0], [2, time], [2, day], [4, await crc32(file)], [4, file.size], [4, file.size], [2, words.length], [2, 0]]; // names in UTF-8, nothing packed
		parts.push(numbers([4, 0x04034b50], ...facts), words, file);
		list.push(numbers([4, 0x02014b50], [2, 20], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), words);
		at += 30 + words.length + file.size;
	}
	const size = list.reduce((n, p) => n + p.byteLength, 0);
	return new File([...parts, ...list, numbers([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, at], [2, 0])], name, { type: "application/zip" });
}

async function within(folder, path) {
	const out = [], reader = folder.createReader();
	for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length;) {
		for (const entry of some) {
			if (entry.isDirectory) out.push(...await within(entry, path + entry.name + "/"));
			else out.push([path + entry.name, await new Promise((done, failed) => entry.file(done, failed))]);
		}
	}
	return out;
}

/** droppedFiles are the files that were dropped, folders among them as ZIP. It reads what a drop tells before it returns. */
export async function droppedFiles(transfer) {
	const files = [...transfer.files], entries = [...transfer.items].filter((i) => i.kind === "file").map((i) => i.webkitGetAsEntry?.());
	return Promise.all(files.map(async (file, i) => entries[i]?.isDirectory ? zip(entries[i].name + ".zip", await within(entries[i], entries[i].name + "/")) : file));
}
