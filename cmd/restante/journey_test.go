package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// letters are the mails that a journey begins with: plain text, HTML with a picture of another site, and a file.
func letters(payload []byte) []string {
	html := testmail.Mail("Maria Keller <maria@keller.example>", "Figures", "PLACE")
	html = strings.Replace(html, "Content-Type: text/plain; charset=utf-8", "Content-Type: text/html; charset=utf-8", 1)
	html = strings.Replace(html, "PLACE", `<h1>Third quarter</h1><p onclick="x()">The <b>last sheet</b> has the totals.</p><img src="https://pictures.example/big.png" width="300" height="200"><script>alert(1)</script>`, 1)
	mixed := "From: Omar Haddad <omar@haddad.example>\r\nTo: somebody@example.test\r\nSubject: The scan\r\nMessage-ID: <scan@haddad.example>\r\n" +
		"Date: Tue, 03 Nov 2026 14:32:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n" +
		"--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHere is the scan.\r\n" +
		"--cut\r\nContent-Type: application/octet-stream; name=\"scan.bin\"\r\nContent-Disposition: attachment; filename=\"scan.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		lines(base64.StdEncoding.EncodeToString(payload)) + "\r\n--cut--\r\n"
	return []string{testmail.Mail("Ben <ben@keller.example>", "Harbour", "Are you still at the harbour?"), html, mixed}
}

func lines(s string) string {
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s
}

func randomBytes(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// everywhere runs f on the embedded servers and on Dovecot with Postfix, each on SQLite and on PostgreSQL.
func everywhere(t *testing.T, f func(t *testing.T, s *site)) {
	t.Helper()
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		testdb.Each(t, func(t *testing.T, db testdb.DB) {
			f(t, newSite(t, srv, db, func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })) // for an old mailbox
		})
	})
}

// TestJourneyWithoutScripts is a person's day: it stands on forms and links alone.
func TestJourneyWithoutScripts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *site) {
		j := &journey{t: t, s: s, payload: randomBytes(t, 300_000), anna: s.mail.NewUser(t), ben: s.mail.NewUser(t)}
		s.mail.Deliver(t, j.anna, letters(j.payload)...)
		j.v = s.signIn(j.anna)
		j.reads()
		j.flagsAndMoves()
		j.makesAFolder()
		j.searches()
		j.keepsADraft()
		j.answers()
		j.keepsAContact()
		j.bringsMailOver()
		j.survivesARestart()
		j.signsOut()
	})
}

type journey struct {
	t         *testing.T
	s         *site
	v         *visitor
	payload   []byte
	anna, ben testmail.User
}

func (j *journey) inbox() *visitor {
	j.t.Helper()
	return j.v.get("/mail/1/INBOX").want(200)
}

func (j *journey) reads() {
	v := j.inbox()
	if n := len(v.all("[data-uid]")); n != 3 {
		j.t.Fatalf("%d mails in the inbox, not 3", n)
	}
	if n := len(v.all("[data-uid][data-unread]")); n != 3 {
		j.t.Errorf("%d unread, not 3", n)
	}
	v.open("Harbour").want(200)
	v.says("[data-message-text]", "Are you still at the harbour?")
	v.says("h1", "Harbour")

	v = j.inbox()
	if n := len(v.all("[data-uid][data-unread]")); n != 2 {
		j.t.Errorf("%d unread after one was read, not 2", n)
	}
	v.open("Figures").want(200)
	if !v.has("[data-allow-remote]") {
		j.t.Error("nothing says that pictures are blocked")
	}
	frame := v.one("iframe[data-message-body]")
	if sandbox := attr(frame, "sandbox"); strings.Contains(sandbox, "allow-scripts") {
		j.t.Errorf("the frame may run scripts: %s", sandbox)
	}
	v.get(attr(frame, "src")).want(200)
	body := string(v.body)
	if !strings.Contains(body, "Third quarter") || strings.Contains(body, "alert(1)") || strings.Contains(body, "onclick") || strings.Contains(body, "pictures.example/big.png\"") {
		j.t.Errorf("the body is not what it should be: %s", body)
	}

	j.inbox().open("The scan").want(200)
	j.v.get(attr(j.v.one("a[data-attachment]"), "href")).want(200)
	if !bytes.Equal(j.v.body, j.payload) {
		j.t.Errorf("the attachment has %d bytes, not the %d that were sent", len(j.v.body), len(j.payload))
	}
}

func (j *journey) flagsAndMoves() {
	v := j.inbox()
	uid := v.row("Figures")
	v.form("form[data-list]").set("uid", uid).press("action", "flag").want(200)
	v.says("[role=status]", "Flagged.")
	if v.get("/mail/1/INBOX?filter=flagged").want(200).row("Figures") == "" {
		j.t.Error("the flagged mail is not among the flagged")
	}

	v = j.inbox()
	v.form("form[data-list]").set("uid", v.row("The scan")).press("action", "trash").want(200)
	if v.row("The scan") != "" {
		j.t.Error("the deleted mail is still in the inbox")
	}
	v.formAround("button[data-undo]").press("", "").want(200)
	if j.inbox().row("The scan") == "" {
		j.t.Error("Undo did not bring the mail back")
	}
	v = j.inbox()
	v.form("form[data-list]").set("uid", v.row("The scan")).press("action", "archive").want(200)
	if v.row("The scan") != "" {
		j.t.Error("the archived mail is still in the inbox")
	}
	v.formAround("button[data-undo]").press("", "").want(200)
	if j.inbox().row("The scan") == "" {
		j.t.Error("Undo did not bring the archived mail back")
	}
}

func (j *journey) makesAFolder() {
	v := j.v.get("/mail/1/mailboxes").want(200)
	const name = "Größe & Co ~ \"100\" 🐟"
	v.form("form[class=card new-folder]").set("name", name).press("action", "create").want(200)
	box := ""
	for _, a := range v.all("a[data-mailbox]") {
		if attr(a, "data-mailbox") == name {
			box = attr(a, "href")
		}
	}
	if box == "" {
		j.t.Fatalf("the new folder is not listed: %q", v.texts("a[data-mailbox]"))
	}
	v = j.inbox()
	v.form("form[data-list]").set("uid", v.row("Figures")).set("to", name).press("action", "move").want(200)
	if j.inbox().row("Figures") != "" {
		j.t.Error("the moved mail is still in the inbox")
	}
	if j.v.get(box).want(200).row("Figures") == "" {
		j.t.Error("the moved mail is not in its folder")
	}
}

func (j *journey) searches() {
	if v := j.v.get("/search?q=harbour").want(200); v.row("Harbour") == "" {
		j.t.Errorf("a search for harbour finds %q", v.texts("[data-uid]"))
	}
	if v := j.v.get("/search?q=from:maria+totals").want(200); v.row("Figures") == "" {
		j.t.Errorf("a search for from:maria totals finds %q", v.texts("[data-uid]"))
	}
	if v := j.v.get("/mail/1/INBOX?q=nothing-like-this").want(200); len(v.all("[data-uid]")) != 0 {
		j.t.Error("a search for nothing finds something")
	}
}

func (j *journey) keepsADraft() {
	v := j.v.get("/compose").want(200)
	v.form("form[data-compose]").set("to", j.ben.Address).set("subject", "Half a thought").set("body", "It begins").press("action", "save").want(200)
	v.get("/mail/1/mailboxes").want(200)
	drafts := ""
	for _, a := range v.all("a[data-mailbox]") {
		if strings.Contains(text(a), "Drafts") {
			drafts = attr(a, "href")
		}
	}
	v.get(drafts).want(200).open("Half a thought").want(200)
	f := v.form("form[data-compose]")
	if got := f.values.Get("body"); strings.TrimSpace(got) != "It begins" {
		j.t.Errorf("the draft goes on with %q", got)
	}
	f.set("subject", "").set("body", "It begins and ends").press("action", "send").want(422)
	v.form("form[data-compose]").set("subject", "A whole thought").press("action", "send").want(200)
	j.arrives(j.ben, "A whole thought", "It begins and ends")
	eventually(j.t, "the draft leaves the Drafts folder", func() bool { return v.get(drafts).want(200).row("thought") == "" })
}

// arrives waits until a mail is in the other person's inbox, and reads it.
func (j *journey) arrives(u testmail.User, subject, words string) *visitor {
	j.t.Helper()
	other := j.s.signIn(u)
	eventually(j.t, subject+" arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row(subject) != "" })
	other.open(subject).want(200).says("[data-message-text]", words)
	return other
}

func (j *journey) answers() {
	v := j.inbox().open("Harbour").want(200)
	v.follow("a[data-command=reply]").want(200)
	f := v.form("form[data-compose]")
	if f.values.Get("to") == "" || f.values.Get("subject") != "Re: Harbour" || !strings.Contains(f.values.Get("body"), "> Are you still at the harbour?") {
		j.t.Errorf("the answer begins with to %q, subject %q, text %q", f.values.Get("to"), f.values.Get("subject"), f.values.Get("body"))
	}
	second := randomBytes(j.t, 50_000)
	f.set("to", j.ben.Address).set("body", "Yes.\n"+f.values.Get("body")).attach("attachments", file{"täglich.bin", second}).press("action", "send").want(200)
	other := j.arrives(j.ben, "Re: Harbour", "Yes.")
	other.get(attr(other.one("a[data-attachment]"), "href")).want(200)
	if !bytes.Equal(other.body, second) {
		j.t.Errorf("the attachment came with %d bytes, not %d", len(other.body), len(second))
	}
	sent := ""
	for _, a := range j.v.get("/mail/1/mailboxes").want(200).all("a[data-mailbox]") {
		if strings.Contains(text(a), "Sent") {
			sent = attr(a, "href")
		}
	}
	count := func() (n int) {
		for _, row := range j.v.get(sent).want(200).texts("[data-uid]") {
			if strings.Contains(row, "Re: Harbour") {
				n++
			}
		}
		return n
	}
	eventually(j.t, "the copy is in Sent", func() bool { return count() > 0 })
	eventually(j.t, "nothing waits in the outbox", func() bool { return !j.v.get("/outbox").want(200).has("[data-outbox]") })
	if n := count(); n != 1 {
		j.t.Errorf("Sent holds the answer %d times", n)
	}
	j.inbox().says("[data-uid]", "answered")
}

// keepsAContact keeps a sender, whose name is enough from then on.
func (j *journey) keepsAContact() {
	j.t.Helper()
	j.inbox().open("Harbour").want(200)
	j.v.formAround("input[name=address][value=ben@keller.example]").press("action", "save").want(200).says("[role=status]", "among your contacts")
	j.v.get("/compose/people?q=ben%20").want(200)
	if got := attr(j.v.one("li[data-address]"), "data-address"); got != "Ben <ben@keller.example>" {
		j.t.Errorf("offered is %q", got)
	}
}

// bringsMailOver imports an old mailbox from another server.
func (j *journey) bringsMailOver() {
	j.t.Helper()
	pop := testmail.Dovecot(j.t, testmail.DovecotOptions{})
	old := pop.NewUser(j.t)
	pop.Deliver(j.t, old, testmail.Mail("Rosa <rosa@ridge.example>", "From long ago", "Still here."), testmail.Mail("Rosa <rosa@ridge.example>", "From longer ago", "Here too."))
	j.v.filledIn(pop.POP3, old).press("action", "start").want(200)
	eventually(j.t, "both are here", func() bool { return strings.Contains(j.v.state(), "All is here: 2 mails") })
	j.inbox().open("From longer ago").want(200).says("[data-message-text]", "Here too.")
}

func (j *journey) survivesARestart() {
	j.s.restart()
	v := j.inbox()
	if v.row("Harbour") == "" {
		j.t.Error("after a restart the inbox is not there")
	}
}

func (j *journey) signsOut() {
	v := j.inbox()
	v.form("form[action=/logout]").press("", "").want(200)
	if v.url.Path != "/login" {
		j.t.Errorf("signing out leads to %s", v.url)
	}
	if v.get("/mail/1/INBOX"); v.url.Path != "/login" {
		j.t.Errorf("after signing out the inbox is at %s", v.url)
	}
}
