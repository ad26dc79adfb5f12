package main

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestALetterSentWithoutALineGoesOnceItIsBack, once: from the form that waits for it, and when that was closed meanwhile.
func TestALetterSentWithoutALineGoesOnceItIsBack(t *testing.T) {
	d := newDesk(t)
	d.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED_ENCODING")
	const fill = `(() => {
		const f = document.querySelector($);
		f.elements.to.value = $;
		f.elements.to.dispatchEvent(new Event("input", { bubbles: true }));
		f.elements.subject.value = $;
		return true;
	})()`
	const page, docked = "main form[data-compose]", "form[data-docked]"
	cutOff := func(form, subject string) {
		d.until("the editor stands", `document.querySelector($)?.querySelector(".editor")`, form)
		ask[bool](d.tab, fill, form, d.ben.Address, subject)
		d.click(form + " .editor")
		d.keys("Whole.")
		d.s.end()
		d.keys(" And more.")
		d.click(form + " [data-command=send]")
		d.sees("Sends when you are online again.")
	}
	arrives := func(subject string) {
		t.Helper()
		uid := attr(d.gets(subject).one("[data-message]"), "data-message")
		if v := d.s.signIn(d.ben).get("/mail/2/INBOX/" + uid + "/source"); !strings.Contains(string(v.body), "Whole. And more.") {
			t.Errorf("not whole: %s", v.body)
		}
		talk := d.s.mail.Talk(t, d.ben)
		talk.Do("SELECT INBOX")
		if found := talk.Do("UID SEARCH SUBJECT %q", subject); len(found) == 0 || len(strings.Fields(found[0])) != 3 {
			t.Errorf("%s: not one mail came: %q", subject, found)
		}
		d.until("nothing waits in the browser", copies+`.then((c) => c === "")`)
	}
	d.keys("c")
	cutOff(docked, "From the desk")
	d.s.start()
	ask[bool](d.tab, `dispatchEvent(new Event("online"))`)
	d.until("it is sent", `!document.querySelector($)`, docked)
	arrives("From the desk")

	d.open("/compose")
	cutOff(page, "From a page")
	d.s.start()
	ask[bool](d.tab, `dispatchEvent(new Event("online"))`)
	d.until("the page is left", `!document.querySelector($) && document.readyState === "complete"`, page)
	arrives("From a page")

	d.open("/compose")
	cutOff(page, "From a page that was closed")
	if kept := ask[string](d.tab, copies); kept == "" || strings.Contains(kept, "closed") {
		t.Errorf("the browser keeps %q", kept)
	}
	d.run(chromedp.Navigate("about:blank"))
	d.s.start()
	d.open("/mail/1/INBOX")
	arrives("From a page that was closed")

	d.open("/compose")
	cutOff(page, "Not after all")
	d.click(page + " .held button")
	d.until("it is a draft again", `!document.querySelector(".held")`)
	d.s.start()
	ask[bool](d.tab, `dispatchEvent(new Event("online"))`)
	d.until("the server keeps it", `document.querySelector("form[data-compose]").dataset.draft && !document.querySelector("[data-kept][data-trouble]")`)
	if d.s.signIn(d.ben).get("/mail/2/INBOX").want(200).row("Not after all") != "" {
		t.Error("it was sent all the same")
	}
}
