// Words that scripts say. The page brings them in its language as JSON in
// data-words on <body> (catalogue keys "js.…"); English stands in for what is missing.
const english = {
	selected: "{N} selected", page: "All", clear: "Clear the selection", new: "New mail", show: "Show", working: "Working…",
	refused: "That did not work. Everything is back where it was.", offline: "You are offline. Nothing was done.",
	slow: "Still waiting for the mail server…", again: "Please sign in again. Your text is safe.",
	providertab: "Sign in in the tab that opens, then come back to this one and go on.",
	wrongpassword: "The mail server did not accept this password.", keptlocal: "Kept on this device", saving: "Keeping…",
	kept: "Draft kept {Time}", notkept: "Not kept on the server yet: trying again",
	newer: "Newer text from this device, {Time}", useit: "Use it",
	keptaway: "Kept {Time}. The mail server is away, its copy follows.",
	foreign: "Another mail program has changed this draft. Both texts are kept.", foreignlook: "Look at its text", takenout: "This draft was taken out of the Drafts folder elsewhere. Your text is kept here.",
	botharekept: "Both are kept: this is a draft of its own now.",
	conflict: "This draft was changed on another device. Both are kept: this text is a new draft now.",
	elsewhere: "This draft is open in another tab.", writehere: "Write here", sentelsewhere: "This draft was sent or thrown away elsewhere.",
	uploading: "{Name}: {Done} of {Total}", stopped: "{Name} stopped at {Percent} %.", goon: "Go on",
	linecut: "No connection: {Done} of {Total}", cutfiles: "Files are waiting for the connection. Your text is kept: send it when they are there.",
	waitfiles: "Files are still on their way. The message is sent when they are there.", removefile: "Remove {Name}",
	toobig: "{Name} is too large for this site.", invalid: "Not an address: {Address}", removeaddr: "Remove {Address}",
	editaddr: "Change", movetofield: "Move to {Field}", takeout: "Remove",
	suggestions: "{N} suggestions", offers: "Suggestions", duplicate: "{Address} is already there.", duplicates: "{N} addresses were already there and are left out.", movedtofield: "Now in {Field}", oddletters: "{Typed}: letters of other scripts that look like ours. Computers spell it {Spelled}.", bold: "Bold", italic: "Italic", strike: "Strike through",
	bullets: "List", numbers: "Numbered list", quote: "Quote", unquote: "Less quote", link: "Link", linkurl: "Address of the link",
	clearformat: "Remove formatting", colour: "Colour", noink: "No colour", "ink.red": "Red", "ink.brown": "Brown", "ink.green": "Green", "ink.blue": "Blue",
	"ink.violet": "Violet", "ink.grey": "Grey", size: "Size", nosize: "Normal", "size.small": "Small", "size.large": "Large", "size.huge": "Very large", undoedit: "Undo", redoedit: "Redo", plain: "Plain text", rich: "Formatted text", tools: "Formatting",
	plainlose: "Plain text has no formatting. The formatting goes away.", keys: "Keys", close: "Close", cancel: "Cancel", undo: "Undo",
	password: "Password", signin: "Sign in", cancelupload: "Stop {Name}",
	missingfile: "You wrote of an attachment, but there is no file.", "missingfile.words": "attached|attachment|attachments|enclosed",
	compare: "Two texts of one draft", comparing: "Compare", thisdevice: "On this device, {Time}", theserver: "On the server",
	useserver: "Use that of the server", keptdraft: "Kept in Drafts", throwaway: "Throw away", openit: "Open", onlyhereof: "“{What}”, {Time}: only this device has this text.", onlyhere: "One draft is only on this device.",
	onlyheremany: "{N} drafts are only on this device.", keepsealed: "Sign out and keep it sealed here", throwitaway: "Throw it away",
	stay: "Stay", sendto: "Send to {N} people", morepeople: "and {N} more", didyoumean: "{Typed}: did you mean {Meant}?",
	domainyes: "Use {Meant}", makesmaller: "Make smaller ({From} → {To})", removequote: "Remove quote", fullpage: "Open as a full page",
	fullsize: "Full size", fitsize: "Fit the width",
	writing: "Messages being written", nonotify: "This browser does not let the page show notifications.",
	anyway: "Send anyway", nofolder: "There is no such folder here.", copied: "The address is copied.",
	notfetched: "{N} images could not be fetched safely.", "notfetched.one": "1 image could not be fetched safely.",
	underline: "Underline", code: "Code", picture: "Picture", "picture.small": "Small", "picture.medium": "Medium", "picture.original": "As it is", "picture.remove": "Take the picture out",
	templates: "Templates",
	moveto: "Move to…", folder: "Folder", nofolders: "No folder is called that.", copyinstead: "Copy instead of moving",
	sendsonline: "Sends when you are online again.", dontsend: "Do not send", open: "Open",
	offlinefiles: "You are offline, and the files are not on the server yet. Please send this when you are online again.",
};

let page = {};
try {
	page = JSON.parse(document.body.dataset.words || "{}");
} catch { /* English then */ }

/** say gives the words of a key with {Name} filled in. */
export function say(key, values = {}) {
	const words = page["js." + key] ?? page[key] ?? english[key] ?? key;
	return words.replace(/\{\{?\.?(\w+)\}?\}/g, (all, name) => values[name] ?? all);
}

/** size is a number of octets in words, as the server writes it. */
export function size(n) {
	if (n < 1 << 20) return Math.round(n / 1024) + " KB";
	return new Intl.NumberFormat(document.documentElement.lang || undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false }).format(n / (1 << 20)) + " MB";
}
