package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAMailIsEditedAsNewAndSeveralAreForwarded with all that was in them, without scripts.
func TestAMailIsEditedAsNewAndSeveralAreForwarded(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Append("INBOX", "", "From: Maria <maria@x.test>\r\nTo: "+anna.Address+", Ben <"+ben.Address+">\r\nSubject: Figures\r\nMessage-ID: <f@x>\r\nReferences: <e@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nThe figures.\r\n--b\r\nContent-Type: text/csv; name=f.csv\r\nContent-Disposition: attachment; filename=f.csv\r\n\r\n1,2\r\n--b--\r\n")
	talk.Append("INBOX", "", testmail.Mail("Omar <omar@x.test>", "Figures", "Second."))
	talk.Append("INBOX", "", testmail.Mail("Rosa <rosa@x.test>", "Ridge", "Third."))
	v := s.signIn(anna)

	v.get("/mail/1/INBOX").want(200).open("Ridge").want(200)
	first := strings.Replace(v.url.Path, "/3", "/1", 1)
	v.get(first).want(200)
	again := ""
	for _, a := range v.all("a[href]") {
		if strings.Contains(attr(a, "href"), "again=1") {
			again = attr(a, "href")
		}
	}
	f := v.get(again).want(200).form("form[data-compose]")
	if attr(v.one("input[id=subject]"), "value") != "Figures" || !strings.Contains(rawText(v.one("textarea[name=body]")), "The figures.") || !strings.Contains(attr(v.one("input[id=to]"), "value"), ben.Address) {
		t.Fatalf("%s", v.body)
	}
	f.set("to", ben.Address).set("subject", "Figures, mended").press("action", "send").want(200)
	other := s.signIn(ben)
	eventually(t, "it arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row("Figures, mended") != "" })
	other.open("Figures, mended").want(200)
	if files := other.texts("a[data-attachment]"); len(files) != 1 || !strings.Contains(files[0], "f.csv") {
		t.Errorf("it came with %q", files)
	}
	if raw := string(other.get(other.url.Path + "/source").want(200).body); strings.Contains(raw, "References") || strings.Contains(raw, "In-Reply-To") {
		t.Error("it is an answer still")
	}
	if flags := talk.Flags("INBOX")[1]; strings.Contains(flags, "Answered") {
		t.Errorf("the original is marked: %q", flags)
	}

	list := v.get("/mail/1/INBOX").want(200).form("form[data-list]")
	list.set("uid", "1", "2", "3").press("action", "forward").want(200).form("form[data-compose]").set("to", ben.Address).set("subject", "All three").press("action", "send").want(200)
	eventually(t, "they arrive", func() bool { return other.get("/mail/2/INBOX").want(200).row("All three") != "" })
	other.open("All three").want(200)
	var names []string
	for _, n := range other.all("a[data-attachment]") {
		names = append(names, strings.Fields(text(n))[0])
	}
	slices.Sort(names)
	if len(names) != 3 || names[0] == names[1] {
		t.Errorf("they came as %q", names)
	}
	v.get("/compose?in=INBOX&forward=file&uid=1&uid=x").want(400)
	v.get("/compose?in=INBOX&forward=file&uid=1&uid=999").want(200).form("form[data-compose]").set("to", ben.Address).set("subject", "x").press("action", "save").want(200)
	v.form("form[data-compose]").press("action", "send").want(422).says("[role=alert]", "no longer where it was")
	v.form("form[data-compose]").press("action", "send").want(200)
}

// TestAMailIsRedirectedAsItCame: who gets it sees the first sender, and Undo leads back to the form.
func TestAMailIsRedirectedAsItCame(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, "From: Maria <maria@x.test>\r\nTo: "+anna.Address+"\r\nSubject: Figures\r\nMessage-ID: <f@x>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p style=\"color:red\">The figures.</p>\r\n")
	v := s.signIn(anna)
	v.get("/mail/1/INBOX").want(200).open("Figures").want(200)
	redirect := func() *form { return v.get("/compose?in=INBOX&uid=1&redirect=1").want(200).form("form[data-compose]") }
	if !slices.ContainsFunc(v.all("a[href]"), func(n *html.Node) bool { return strings.Contains(attr(n, "href"), "redirect=1") }) {
		t.Error("no way leads there")
	}
	redirect()
	if n := len(v.all("[name=important]")) + len(v.all("[name=receipt]")); n > 0 {
		t.Errorf("%d fields change nothing of a mail that goes on as it came", n)
	}
	redirect().press("action", "send").want(422).says("[role=alert]", "Say who")
	redirect().set("to", ben.Address).press("action", "send").want(200)
	other := s.signIn(ben)
	eventually(t, "it arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row("Figures") != "" })
	other.open("Figures").want(200)
	raw := string(other.get(other.url.Path + "/source").want(200).body)
	for _, want := range []string{"From: Maria <maria@x.test>", "Resent-From: ", "<" + anna.Address + ">", "Resent-To: ", "The figures.", "Message-ID: <f@x>"} {
		if !strings.Contains(raw, want) {
			t.Errorf("it came without %q:\n%s", want, raw)
		}
	}
	talk := srv.Talk(t, anna)
	eventually(t, "a copy lies in Sent, and the original is marked", func() bool {
		return talk.Count("Sent") == 1 && strings.Contains(talk.Flags("INBOX")[1], "$Forwarded")
	})
	redirect().set("to", "Ben <"+ben.Address+">").press("action", "send").want(200)
	eventually(t, "what is sent on once more has a copy of its own", func() bool { return talk.Count("Sent") == 2 })
	v.get("/compose?in=Sent&uid=1&redirect=1").want(200).form("form[data-compose]").set("to", ben.Address).press("action", "send").want(200)
	eventually(t, "so has what lies in Sent itself", func() bool { return talk.Count("Sent") == 3 })
	redirect().set("to", ben.Address).set("answer_uid", "999").press("action", "send").want(409).says("[role=alert]", "is no longer where it was")
}

// TestAnAnswerAsksBeforeItGoesToMany or to somebody outside whom nobody knows, once, and not where that is not wished.
func TestAnAnswerAsksBeforeItGoesToMany(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("p%d@x.test", i))
	}
	srv.Deliver(t, anna, testmail.Mail("Ben <"+ben.Address+">", "Few", "text"),
		"From: Ben <"+ben.Address+">\r\nTo: "+anna.Address+", "+strings.Join(many, ", ")+"\r\nSubject: Many\r\n\r\ntext\r\n")
	v := s.signIn(anna)
	v.get("/compose?in=INBOX&uid=2&replyall=1").want(200).form("form[data-compose]").press("action", "send").want(422).says("[role=alert]", "goes to 26 people")
	few := func() *form { return v.get("/compose?in=INBOX&uid=1&reply=1").want(200).form("form[data-compose]") }
	few().set("cc", "stranger@outside.test").press("action", "send").want(422).says("[role=alert]", "stranger@outside.test was not part")
	v.form("form[data-compose]").press("action", "send").want(200) // pressed again
	v.get("/settings/general").want(200).form("form[action=/settings/general]").set("nudges").set("answer_below", "1").press("", "").want(200)
	few().set("cc", "another@outside.test").press("action", "send").want(200)

	few()
	if body := rawText(v.one("textarea[name=body]")); !strings.HasSuffix(body, ":\n> text\n\n") {
		t.Errorf("the answer is not written below: %q", body)
	}
	v.get("/compose?in=INBOX&uid=1&reply=1&quote=only+%3Cthis%3E").want(200)
	if body, rich := rawText(v.one("textarea[name=body]")), rawText(v.one("textarea[name=html]")); !strings.Contains(body, "> only <this>") || strings.Contains(body, "> text") || !strings.Contains(rich, "only &lt;this&gt;") {
		t.Errorf("it quotes %q %q", body, rich)
	}
	v.get("/compose?to=x@y.test&subject=s&body=Die+Datei+liegt+im+Anhang").want(200).form("form[data-compose]").press("action", "send").want(422).says("[role=alert]", "attachment")
}
