// The browser's own copies of drafts: in IndexedDB, sealed with a key that the
// server gives to the signed-in account alone and that is never kept here.

/** unsaved are the drafts of this page: each has dirty and save(). */
export const unsaved = new Set();

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const utf8 = new TextEncoder();

let database = null;

/** open gives the database, for which no version but the first exists. */
function open() {
	return database ??= new Promise((resolve, reject) => {
		const request = indexedDB.open("restante", 1);
		request.onupgradeneeded = () => request.result.createObjectStore("drafts", { keyPath: "id" }).createIndex("account", "account");
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

/** within runs f on the copies and gives the result of its request once it is on the disk. */
async function within(mode, f) {
	const all = (await open()).transaction("drafts", mode, { durability: "strict" }), request = f(all.objectStore("drafts"));
	return new Promise((resolve, reject) => {
		all.oncomplete = () => resolve(request.result);
		all.onerror = all.onabort = () => reject(all.error);
	});
}

/** copiesOf counts the copies of an account, which needs no key. */
export const copiesOf = (account) => within("readonly", (s) => s.index("account").count(account));

/** leftOf counts those of which a page went away: nothing has come to them for a while. */
export const leftOf = async (account) => (await within("readonly", (s) => s.index("account").getAll(account))).filter((c) => !c.held && c.at < Date.now() - 5000).length;

/** heldOf are the ids of the copies that wait to be sent: those of an account, or all. */
export const heldOf = async (account) => (await within("readonly", (s) => s.index("account").getAll(account))).filter((c) => c.held).map((c) => c.id);

/** drop erases one copy, by its id. */
export const drop = (id) => within("readwrite", (s) => s.delete(id));

/** dropAll erases the copies of an account. */
export const dropAll = (account) => within("readwrite", (s) => {
	const names = s.index("account").getAllKeys(account);
	names.onsuccess = () => names.result.forEach((n) => s.delete(n));
	return names;
});

const longest = 30 * 24 * 3600_000;

/** sweep erases copies of an account that are too old to be missed. */
const sweep = (account) => within("readwrite", (s) => {
	const each = s.index("account").openCursor(account);
	each.onsuccess = () => {
		const at = each.result;
		if (!at) return;
		if (at.value.at < Date.now() - longest) at.delete();
		at.continue();
	};
	return each;
});

/** Copies are those of one account. Its acts follow one another in the order in which they were asked for. */
export class Copies {
	constructor(account, key) {
		this.account = account;
		this.last = this.ready = this.keys(key);
		this.ready.catch(() => { /* no secure context: the server's copy remains */ });
	}

	/** keys makes two of the account's: one that seals, one that names, so that a name tells nothing either. */
	async keys(key) {
		const from = await crypto.subtle.importKey("raw", bytes(key), "HKDF", false, ["deriveKey"]);
		const how = (info) => ({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8.encode(info) });
		this.seal = await crypto.subtle.deriveKey(how("seal"), from, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
		await sweep(this.account);
		this.sign = await crypto.subtle.deriveKey(how("name"), from, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]);
	}

	after(f) {
		const next = this.last.catch(() => { /* told to who asked for it */ }).then(() => this.ready).then(f);
		this.last = next;
		return next;
	}

	/** id is what a copy is called here. */
	async id(name) {
		await this.ready;
		const mac = new Uint8Array(await crypto.subtle.sign("HMAC", this.sign, utf8.encode(name)));
		return this.account + ":" + [...mac.slice(0, 16)].map((b) => b.toString(16).padStart(2, "0")).join("");
	}

	/** keep seals a value under a name; its "at" is when it was written, and "held" what is to be sent of it. */
	keep(name, value) { return this.after(async () => this.write(await this.id(name), value)); }

	/** put is keep under an id. */
	put(id, value) { return this.after(() => this.write(id, value)); }

	async write(id, value) {
		const iv = crypto.getRandomValues(new Uint8Array(12));
		const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8.encode(id) }, this.seal, utf8.encode(JSON.stringify(value)));
		await within("readwrite", (s) => s.put({ id, account: this.account, at: value.at, held: Boolean(value.held), iv, sealed }));
	}

	/** read gives what was kept under a name, null when nothing was or it opens with no key of this account. */
	read(name) { return this.after(async () => this.found(await this.id(name))).catch(() => null); }

	/** get is read of an id. */
	get(id) { return this.after(() => this.found(id)).catch(() => null); }

	async found(id) {
		const copy = await within("readonly", (s) => s.get(id));
		return copy ? this.unseal(copy) : null;
	}

	async unseal({ id, iv, sealed }) {
		const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8.encode(id) }, this.seal, sealed);
		return JSON.parse(new TextDecoder().decode(plain));
	}

	/** others gives all that open with the account's key but those under these names, each with its id. */
	others(names) {
		return this.after(async () => {
			const not = await Promise.all(names.map((n) => this.id(n)));
			const all = (await within("readonly", (s) => s.index("account").getAll(this.account))).filter((c) => !c.held && !not.includes(c.id));
			const read = await Promise.all(all.map((c) => this.unseal(c).then((v) => ({ ...v, id: c.id }), () => null)));
			return read.filter(Boolean);
		}).catch(() => []);
	}

	forget(name) { return this.after(async () => drop(await this.id(name))); }
}
