// Domains that many people write to, and what was probably meant by one that is almost theirs.
const known = ["gmail.com", "googlemail.com", "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "yahoo.com", "yahoo.de", "icloud.com", "me.com",
	"aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "fastmail.com"];

/** slip says whether one letter too many, too few, wrong or two swapped lie between a and b. */
function slip(a, b) {
	if (a.length > b.length) [a, b] = [b, a];
	if (b.length - a.length > 1) return false;
	let at = 0;
	while (at < a.length && a[at] === b[at]) at++;
	if (a.length < b.length) return a.slice(at) === b.slice(at + 1);
	return a.slice(at + 1) === b.slice(at + 1) || a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}

/** likely gives the domain that was probably meant, null when none comes close. Short ones differ by a letter for good reasons. */
export function likely(domain) {
	const typed = domain.toLowerCase();
	if (known.includes(typed) || typed.length < 8) return null;
	return known.find((k) => k.length > 8 && slip(typed, k)) ?? null;
}

const like = /^[аеорсухіјѕһԁԛԝкмтвнгпӏьαορνυικτεχγηωօոսք0-9-]*$/u; // letters of other scripts that are drawn like Latin ones
const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u];

/** odd says whether a label of a domain mixes scripts, or looks Latin and is not (the server: internal/disguise). */
export const odd = (domain) => domain.toLowerCase().split(".").some((label) => /[^\x00-\x7f]/.test(label) && (like.test(label) || scripts.filter((s) => s.test(label)).length > 1));
