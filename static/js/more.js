// A search that goes on: what it finds comes into the list as it is found.
import { isOurs, one, parse } from "./dom.js";
import { call, morph } from "./net.js";

let asked = null; // the line that was asked by

async function goOn() {
	const line = one("#list [data-more]");
	if (!line || line === asked) return;
	asked = line;
	try {
		const response = await call(line.dataset.more, {}, false);
		const text = await response.text(), doc = response.ok && isOurs(response) && parse(response, text);
		if (!line.isConnected || !one("#list", doc || document)) return; // the person has gone on
		if (doc) await morph(text, doc, ["#list"]);
	} catch { /* the link in the line stays */ }
	if (asked === line) asked = null;
}

export function startMore() {
	document.addEventListener("restante:page", goOn);
	goOn();
}
