package main

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"restante/internal/testmail"
)

// sending takes the time from POST to delivered, without the time for undo, beside SMTP spoken raw. Both deliver to
// the same inbox, which is asked all the time.
func (b *bench) sending() {
	from, to := b.mail.NewUser(b.t), b.mail.NewUser(b.t)
	v := newBrowser(b.t, b.s.base)
	defer v.close()
	v.signIn(from)
	w := dialWire(b.t, b.mail, to)
	defer w.close()
	arrived := func(subject string) {
		w.say("SELECT INBOX")
		for start := time.Now(); len(w.uids(fmt.Sprintf("HEADER SUBJECT %q", subject))) == 0; time.Sleep(time.Millisecond) {
			if time.Since(start) > 30*time.Second {
				b.t.Fatal("the mail never came")
			}
		}
	}
	text := strings.Repeat("A line of a letter that somebody wrote.\n", 50)
	b.compare("-", "send: from POST to delivered", 0, turns, nil,
		func(i int) {
			subject := fmt.Sprintf("ours %d", i)
			v.post("/compose", url.Values{"to": {to.Address}, "subject": {subject}, "body": {text}, "action": {"send"}})
			arrived(subject)
		},
		func(i int) {
			subject := fmt.Sprintf("raw %d", i)
			sendRaw(b.t, b.mail, from, to, "Subject: "+subject+"\r\n\r\n"+strings.ReplaceAll(text, "\n", "\r\n"))
			arrived(subject)
		})
}

// sendRaw sends a mail by SMTP.
func sendRaw(t testing.TB, mail *testmail.Server, from, to testmail.User, raw string) {
	t.Helper()
	c, err := smtp.DialTLS(mail.Submissions.String(), &tls.Config{RootCAs: mail.CA, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Auth(sasl.NewPlainClient("", from.Address, from.Password)); err != nil {
		t.Fatal(err)
	}
	if err := c.SendMail(from.Address, []string{to.Address}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
}
