// Lists of addresses as people paste them, read as the server reads them
// (mailclient/compose/lists.go; its testdata/recipients.json holds for both).

const unseen = /[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** lines cuts a text at separators outside of quotes and angle brackets: lines of cells with what ended each. */
function lines(text) {
	const out = [];
	let line = [], part = "", ends = [], quoted = false, escaped = false, angle = false;
	const flush = (sep) => {
		const last = part.lastIndexOf("@");
		let from = 0;
		for (const end of ends) if (end < last) { line.push({ text: part.slice(from, end).trim(), sep: " " }); from = end; }
		const rest = part.slice(from).trim();
		if (rest) line.push({ text: rest, sep });
		part = ""; ends = []; quoted = escaped = angle = false;
	};
	for (const c of text + "\n") {
		if (c === "\n" || c === "\r") {
			flush(c);
			if (line.length) out.push(line);
			line = [];
			continue;
		}
		if (!quoted && (/[;；\t]/.test(c) || !angle && /[,，、]/.test(c))) { flush(c); continue; }
		if (escaped) escaped = false;
		else if (c === "\\") escaped = quoted;
		else if (c === '"') quoted = !quoted;
		else if (c === "<" && !quoted) angle = true;
		else if (c === ">" && !quoted && angle) { angle = false; ends.push(part.length + 1); }
		part += c;
	}
	return out;
}

const quotes = ['""', "''", "“”", "„“", "””", "‘’", "«»"];

/** unquoted takes quotes from around a name or an address. */
function unquoted(s) {
	s = s.trim();
	const q = quotes.find((q) => s.length > 1 && s.startsWith(q[0]) && s.endsWith(q[1]));
	return q ? s.slice(1, -1).trim() : s;
}

/** written is a recipient as a field holds it. */
function written(name, addr) {
	if (!name) return addr;
	return (/[,;<>()@:"\\[\]，；、]/.test(name) ? '"' + name.replace(/["\\]/g, "\\$&") + '"' : name) + " <" + addr + ">";
}

const plainLink = (s) => { try { return decodeURIComponent(s); } catch { return s; } };

/** parse gives name and address of one recipient. */
export function parse(typed) {
	const whole = unquoted(typed);
	let name = "", addr = whole, m;
	if ((m = whole.match(/^([^<]*)<(.*)$/s))) [name, addr] = [m[1], m[2].trim().replace(/>$/, "")];
	else if ((m = whole.match(/^([^\s()]+@[^\s()]+)\s*\(([^()]*)\)$/))) [addr, name] = [m[1], m[2]];
	else if ((m = whole.match(/^(.*?)[[(]([^[\]()\s]+@[^[\]()\s]+)[\])]$/))) [name, addr] = [m[1], m[2]];
	addr = addr.trim();
	if (/^mailto:/i.test(addr)) addr = plainLink(addr.slice(7).split("?")[0]);
	addr = addr.replace(/(@[^@?]*)\?[^@]*$/, "$1");
	name = name.trim();
	name = /^".*"$/s.test(name) ? unquoted(name).replace(/\\(.)/g, "$1") : unquoted(name);
	name = name.split(/[\x00-\x1f\x7f]+/).filter(Boolean).join(" ");
	return { name: name.toLowerCase() === addr.toLowerCase() ? "" : name, addr };
}

/** domainOf is the domain as computers spell it, "" for what is none. */
export function domainOf(addr) {
	const domain = addr.slice(addr.lastIndexOf("@") + 1).toLowerCase();
	if (!domain || ("." + domain + ".").includes("..")) return "";
	if (/^[a-z0-9._-]*$/.test(domain)) return domain.split(".").some((l) => l.startsWith("-") || l.endsWith("-")) ? "" : domain;
	try { return /[\s/?#:[\]%\\]/.test(domain) ? "" : new URL("http://" + domain).hostname; } catch { return ""; }
}

/** valid says whether an address can be written to. */
export const valid = (addr) => /^[^\s@<>(),;:\\"[\]，；、]+@[^\s@<>(),;:\\"[\]]+$/.test(addr) && !/^\.|\.\.|\.@/.test(addr) && domainOf(addr) !== "";

/** same is one word for all spellings of an address. */
export const same = (addr) => addr.slice(0, addr.lastIndexOf("@")).toLowerCase() + "@" + domainOf(addr);

const one = (typed) => {
	const { name, addr } = parse(typed);
	return valid(addr) ? written(name, addr) : typed;
};

/** row reads a line of a table: the first two cells with letters are the name. */
function row(line) {
	const names = line.filter((c) => !c.text.includes("@") && /\p{L}/u.test(c.text)).slice(0, 2).map((c) => unquoted(c.text));
	const cell = line.find((c) => c.text.includes("@")).text, { name, addr } = parse(cell);
	return valid(addr) ? written(name ? [...names, name].join(", ") : names.join(" "), addr) : cell;
}

/** table gives the lines with a person each, null when it is none. */
function table(lines) {
	const at = (line) => line.reduce((n, c) => n + c.text.split("@").length - 1, 0);
	const body = lines.length > 1 && lines[0].length > 1 && !at(lines[0]) ? lines.slice(1) : lines;
	return body.every((line) => line.length > 1 && at(line) === 1 && (lines.length > 1 || line[0].sep === "\t")) ? body : null;
}

/** isLast says whether a cell is the last name of whom the next one gives the first name and the address. */
function isLast(line, i) {
	const c = line[i], next = line[i + 1]?.text ?? "", before = line[i - 1];
	return c.sep === "," && (!before || before.sep !== "," || before.text.includes("@")) && !/[@<":]/.test(c.text) && /^[^<@"]+</.test(next);
}

/** cell reads an address, several between spaces, or the begin of a group. */
function cell(text, sep) {
	const group = text.match(/^([^@<"([:]*):\s*(.*)$/s);
	if (group && group[1].toLowerCase() !== "mailto") {
		if (!group[2] && sep === ";") return [];
		if (group[2].includes("@")) text = group[2];
	}
	const words = text.split(/\s+/);
	return words.every((w) => w.includes("@") && !/[<>"()[\]]/.test(w)) ? words.map(one) : [one(text)];
}

/** split gives the recipients of a list, each as a field holds it, and what is none as it was typed. */
export function split(text) {
	const all = lines(text.replace(unseen, "").replace(/\u00a0/g, " ")), rows = all.length ? table(all) : null;
	if (rows) return rows.map(row);
	const out = [];
	for (const line of all) {
		for (let i = 0; i < line.length; i++) {
			let { text, sep } = line[i];
			if (isLast(line, i)) ({ text, sep } = { text: text + ", " + line[++i].text, sep: line[i].sep });
			out.push(...cell(text, sep));
		}
	}
	return out;
}
