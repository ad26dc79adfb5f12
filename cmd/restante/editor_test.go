package main

import (
	"encoding/base64"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestTemplatesWithoutScripts are made, mended, put into a letter with their places filled, and removed.
func TestTemplatesWithoutScripts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		srv := testmail.Demo(t)
		s := newSite(t, srv, db, nil)
		v := s.signIn(srv.NewUser(t))
		other := s.signIn(srv.NewUser(t))
		set := func(name, shortcut, body string) *visitor {
			return v.get("/settings/templates").want(200).form("form[data-text-form=0]").set("name", name).set("shortcut", shortcut).set("subject", "About {name}").set("body", body).press("action", "save")
		}
		set("", "", "text").want(422).says("[role=alert]", "needs a name and a text")
		set("Thanks", "no spaces", "text").want(422).says("[role=alert]", "letters, digits")
		if attr(v.one("input[id=tn-0]"), "value") != "Thanks" || rawText(v.one("textarea[id=tb-0]")) != "text" {
			t.Error("what was typed is gone")
		}
		set("Thanks", "thanks", "Dear {first}, thanks to {address}. {unknown}\n").want(200).says("[role=status]", "Thanks is kept.")
		id := attr(v.all("input[name=id]")[0], "value")
		f := other.get("/settings/templates").want(200).form("form[data-text-form=0]")
		f.set("id", id).set("name", "Mine").set("body", "x").press("action", "save").want(404)

		v.get("/compose?to=Maria+Keller+<maria@keller.example>&body=And+so+on").want(200).form("form[data-compose]").press("action", "canned").want(200)
		if body := rawText(v.one("textarea[name=body]")); !strings.HasPrefix(body, "Dear Maria, thanks to maria@keller.example. {unknown}\nAnd so on") {
			t.Errorf("the letter says %q", body)
		}
		if got := attr(v.one("input[id=subject]"), "value"); got != "About Maria Keller" {
			t.Errorf("its subject is %q", got)
		}
		if other.get("/compose?body=x").want(200); other.has("[name=canned]") {
			t.Error("another person is offered it")
		}
		v.get("/compose/templates?to=%22%3Cb%3E%22+%3Cx@y.test%3E").want(200)
		if text := attr(v.one("li[data-template=Thanks]"), "data-text"); !strings.Contains(text, "&lt;b&gt;") {
			t.Errorf("a name is markup: %s", text)
		}
		v.get("/settings/templates").form("form[data-text-form="+id+"]").press("action", "delete").want(200).says("[role=status]", "is deleted")
		if v.has("form[data-text-form=" + id + "]") {
			t.Error("it is still there")
		}
	})
}

// TestWhatTheEditorCanDo is seen by who gets the letter.
func TestWhatTheEditorCanDo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open("/settings/templates")
	d.until("the editor stands", `document.querySelector("details[open] .editor")`)
	d.click("details[open] [name=name]")
	d.keys("Thanks")
	d.click("details[open] [name=shortcut]")
	d.keys("thx")
	d.click("details[open] .editor")
	d.keys("Dear {first}, see :tada: ")
	d.until("a whole name is its emoji", `document.querySelector("details[open] .editor").innerText.includes("🎉")`)
	d.click("details[open] [data-tool=bold]")
	d.keys("soon")
	d.click("details[open] button.filled")
	d.sees("Thanks is kept.")

	d.open("/compose?to=Ben+Okafor+<" + d.ben.Address + ">&subject=Tools")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(".editor")
	d.keys(";thx")
	d.until("the template is offered", `document.querySelector(".typed:popover-open [role=option][aria-selected=true]")?.innerText === "Thanks"`)
	d.keys("\r")
	d.until("it is put in", `document.querySelector(".editor").innerText.replaceAll("\u00a0", " ").includes("Dear Ben, see 🎉 soon") && document.querySelector(".editor b").innerText === "soon"`)
	d.click(`[data-tool=clearformat]`)
	d.keys(" :hear")
	d.until("emoji are offered", `document.querySelectorAll(".typed:popover-open [role=option]").length > 2`)
	d.keys("\x1b :heart: \r")
	d.until("or taken by their whole name", `document.querySelector(".editor").innerText.includes("♥") || document.querySelector(".editor").innerText.includes("❤")`)
	d.press("Underline")
	d.keys("under")
	d.press("Underline")
	d.keys(" sum")
	ask[bool](d.tab, `(getSelection().modify("extend", "backward", "word"), true)`)
	d.press("Code")
	ask[bool](d.tab, `(getSelection().collapseToEnd(), true)`)
	d.keys("\r")
	d.press("Quote")
	d.keys("quoted\r\rout of it\r")
	d.until("a second Enter leaves the quote", `[...document.querySelectorAll(".editor blockquote")].every((q) => !q.innerText.includes("out of it"))`)
	d.keys("the site")
	ask[bool](d.tab, `(getSelection().modify("extend", "backward", "word"), true)`)
	d.paste("text/plain", "", "https://example.org/page")
	d.until("an address pasted over a word makes it a link", `document.querySelector('.editor a[href="https://example.org/page"]')?.innerText === "site"`)
	ask[bool](d.tab, `(getSelection().collapseToEnd(), true)`)
	d.keys("\rsee www.example.net now\r")
	d.until("one that is typed is a link", `document.querySelector('.editor a[href="http://www.example.net"]')`)
	d.paste("text/html", "", `<meta charset="utf-8"><style>td{color:red}</style><table border=0 style="border-collapse:collapse" onclick="alert(1)"><colgroup><col width=64></colgroup><tr height=20><td class=xl65 style="width:48pt">Qty</td><td>Price</td></tr><tr><td align=right>2</td><td>3,50</td></tr></table>`)
	d.until("a spreadsheet's cells are a table", `document.querySelectorAll(".editor td").length === 4`)
	d.chord('a')
	ask[bool](d.tab, `(getSelection().collapseToEnd(), true)`)
	ask[bool](d.tab, `(new MutationObserver((_, o) => { // while it is on its way
		if (!document.querySelector(".editor img")) return;
		o.disconnect();
		document.querySelector("[data-tool=numbers]").click();
	}).observe(document.querySelector(".editor"), { childList: true, subtree: true }), true)`)
	d.paste("image/png", "image.png", base64.StdEncoding.EncodeToString(noise(t, 300)))
	d.until("the picture is up", `document.querySelector(".editor img")?.getAttribute("src").startsWith("/compose/") && document.querySelector(".editor img").complete`)
	d.press("Undo")
	d.until("it is still up when the list that was made meanwhile is undone", `!document.querySelector(".editor ol")`)
	d.until("with its picture", `document.querySelector(".editor img")?.getAttribute("src").startsWith("/compose/")`)
	d.click(".editor img")
	d.press("Small")
	d.until("it is smaller", `document.querySelector(".editor img").getBoundingClientRect().width === 240`)
	d.press("Undo")
	d.press("Redo")
	d.until("and stays so when that is done again", `document.querySelector(".editor img").getAttribute("width") === "240"`)
	ask[bool](d.tab, `(document.querySelector(".editor").focus(), getSelection().selectAllChildren(document.querySelector(".editor img").parentNode), true)`)
	d.until("a picture that is marked has a tool", `!document.querySelector("[data-tool=picture]").hidden`)
	d.press("Picture")
	d.until("which leads into its bar", `document.activeElement.closest(".picture-bar:popover-open")`)
	d.press("Small")
	d.press("Send")
	d.until("it is sent", `!document.querySelector("form[data-compose]")`)
	v := d.gets("Tools")
	v.openAttribute("iframe[data-message-body]", "src").want(200)
	body := string(v.body)
	for _, want := range []string{"<u>under</u>", ">sum</code>", "https://example.org/page", "Qty</td>", "3,50</td>", `width="240"`, "<blockquote style="} {
		if !strings.Contains(body, want) {
			t.Errorf("the other side does not see %s in\n%s", want, body)
		}
	}
	for _, not := range []string{"onclick", "xl65", "<style>td"} {
		if strings.Contains(body, not) {
			t.Errorf("%s came along", not)
		}
	}
}

// TestAnAnswerQuotesWhatIsSelected of a letter in plain text or HTML, and a redirected one needs nothing but an address.
func TestAnAnswerQuotesWhatIsSelected(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testmail.Mail("Ben <ben@demo.test>", "Harbour", "Are you still at the harbour?"),
		"From: Rosa <rosa@ridge.example>\r\nSubject: Ridge\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>It snowed on the <b>ridge</b>.</p>\r\n")
	quoted := func(what, text string) {
		d.answers("r")
		d.until(what, inline+`.querySelector("blockquote").innerText.trim() === $`, text)
		d.click("form[data-inline] [data-close]")
		d.until("it is put away", "!"+inline)
	}
	d.reads("Harbour")
	quoted("all is quoted", "Are you still at the harbour?")
	ask[bool](d.tab, `(() => { const t = document.querySelector("[data-message-text]"), n = document.createTreeWalker(t, NodeFilter.SHOW_TEXT).nextNode(), at = n.data.indexOf("harbour"); getSelection().setBaseAndExtent(n, at, n, at + 7); return true; })()`)
	quoted("or a word", "harbour")
	d.reads("Ridge")
	d.until("the letter is there", `document.querySelector("[data-message-body]")?.contentDocument?.querySelector("b")`)
	ask[bool](d.tab, `(() => { const f = document.querySelector("[data-message-body]").contentDocument; f.getSelection().selectAllChildren(f.querySelector("b")); return true; })()`)
	quoted("or a word of HTML", "ridge")
	d.click(".message-bar .more > summary")
	d.press("Redirect")
	d.until("the form has no text", inline+`?.hasAttribute("data-redirect") && !`+inline+`.querySelector("textarea[name=body]").checkVisibility() && !`+inline+`.querySelector("[data-tools]").checkVisibility()`)
	d.until("the menu is shut", `!document.querySelector(".message-bar .more[open]")`)
	d.click(`form[data-inline] .field:has([name=to]) .recipient-entry`)
	d.keys(d.ben.Address + ",")
	d.press("Send")
	d.until("it is gone", "!"+inline)
	if raw := string(d.gets("Ridge").body); !strings.Contains(raw, "rosa@ridge.example") {
		t.Error("it does not come from its sender")
	}
}
