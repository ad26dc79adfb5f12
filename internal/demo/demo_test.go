package demo

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

func start(t *testing.T, o Options) *Servers {
	t.Helper()
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func signedIn(t *testing.T, s *Servers, user string, o *imapclient.Options) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.IMAPAddr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(user, "demo").Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func selected(t *testing.T, c *imapclient.Client, box string) *imap.SelectData {
	t.Helper()
	data, err := c.Select(box, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("still not: %s", what)
}

func mailOf(subject string) []byte {
	return []byte("From: Ben Okafor <ben@demo.test>\nTo: anna@demo.test\nSubject: " + subject +
		"\nMessage-ID: <" + strings.ReplaceAll(subject, " ", "-") + "@demo.test>\nDate: Mon, 02 Mar 2026 10:00:00 +0100\n\nSee you at the harbour.\n")
}

func TestSignIn(t *testing.T) {
	s := start(t, Options{})
	for _, c := range []struct {
		user, password string
		ok             bool
	}{
		{"anna@demo.test", "demo", true},
		{"ANNA@demo.test", "demo", true},
		{"ben", "demo", true},
		{"anna@demo.test", "wrong", false},
		{"carl@demo.test", "demo", false},
	} {
		client, err := imapclient.DialInsecure(s.IMAPAddr, nil)
		must(t, err)
		if err := client.Login(c.user, c.password).Wait(); (err == nil) != c.ok {
			t.Errorf("%s with %q: %v", c.user, c.password, err)
		}
		_ = client.Close()
	}
}

func TestDefaultMailboxesHaveTheirSpecialUse(t *testing.T) {
	s := start(t, Options{})
	c := signedIn(t, s, "anna@demo.test", nil)
	list, err := c.List("", "*", &imap.ListOptions{
		ReturnSpecialUse: true, ReturnSubscribed: true, ReturnChildren: true,
		ReturnStatus: &imap.StatusOptions{NumMessages: true, UIDValidity: true, NumUnseen: true},
	}).Collect()
	must(t, err)
	validities := map[uint32]bool{}
	var got []string
	for _, l := range list {
		got = append(got, fmt.Sprint(l.Mailbox, l.Attrs))
		validities[l.Status.UIDValidity] = true
	}
	want := `INBOX[\HasNoChildren \Subscribed] Archive[\HasNoChildren \Subscribed \Archive] Drafts[\HasNoChildren \Subscribed \Drafts] ` +
		`Junk[\HasNoChildren \Subscribed \Junk] Sent[\HasNoChildren \Subscribed \Sent] Trash[\HasNoChildren \Subscribed \Trash]`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if len(validities) != 6 {
		t.Errorf("UIDVALIDITY is not unique: %v", validities)
	}
}

func TestMailboxesAreMadeRenamedAndDeleted(t *testing.T) {
	s := start(t, Options{})
	c := signedIn(t, s, "anna@demo.test", nil)
	must(t, c.Create("Projects/Bridge/Plans", nil).Wait())
	must(t, c.Create("Späti", nil).Wait())
	must(t, c.Rename("Projects", "Work", nil).Wait())
	must(t, c.Delete("Späti").Wait())
	must(t, c.Create("Old mail", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrFlagged}}).Wait())
	if err := c.Create("More", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrFlagged}}).Wait(); err == nil {
		t.Error("a special use was given twice")
	}
	if err := c.Delete("INBOX").Wait(); err == nil {
		t.Error("INBOX could be deleted")
	}
	want := "Archive Drafts INBOX Junk Old mail Sent Trash Work Work/Bridge Work/Bridge/Plans"
	if got := strings.Join(s.Mailboxes("anna@demo.test"), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSubmissionDeliversAtOnceAndRefusesTheRest(t *testing.T) {
	s := start(t, Options{})
	auth := smtp.PlainAuth("", "ben@demo.test", "demo", "127.0.0.1")
	must(t, smtp.SendMail(s.SMTPAddr, auth, "ben@demo.test", []string{"anna@demo.test"}, mailOf("Harbour walk")))
	got := s.Messages("anna@demo.test", "INBOX")
	if len(got) != 1 || !strings.Contains(string(got[0]), "Subject: Harbour walk\r\n") {
		t.Fatalf("not delivered: %q", got)
	}
	for _, c := range []struct{ from, to, want string }{
		{"ben@demo.test", "nobody@demo.test", "550 5.1.1"},
		{"ben@demo.test", "someone@example.org", "550 5.7.1 this demo sends nothing outside"},
		{"anna@demo.test", "anna@demo.test", "553 5.7.1"},
	} {
		err := smtp.SendMail(s.SMTPAddr, auth, c.from, []string{c.to}, mailOf("No"))
		if err == nil || !strings.HasPrefix(strings.ReplaceAll(err.Error(), `"`, ""), c.want) {
			t.Errorf("%s to %s: %v, want %s", c.from, c.to, err, c.want)
		}
	}
	if err := smtp.SendMail(s.SMTPAddr, nil, "ben@demo.test", []string{"anna@demo.test"}, mailOf("No")); err == nil {
		t.Error("mail was taken without a sign-in")
	}
}

// talk sends lines one by one over a plain connection and returns all that came back.
func talk(t *testing.T, addr string, lines ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	must(t, err)
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

func TestSubmissionOffersItsExtensionsAndLOGIN(t *testing.T) {
	s := start(t, Options{})
	got := talk(t, s.SMTPAddr, "EHLO client.test", "AUTH LOGIN", "YW5uYUBkZW1vLnRlc3Q=", "ZGVtbw==", "QUIT")
	for _, want := range []string{"SIZE 26214400", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN", "235 2.0.0"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
	if got := talk(t, s.SMTPAddr, "EHLO client.test", "AUTH LOGIN YW5uYUBkZW1vLnRlc3Q=", "d3Jvbmc=", "QUIT"); !strings.Contains(got, "535 5.7.8") {
		t.Errorf("a wrong password was not refused:\n%s", got)
	}
}

func TestMailSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Dir: dir})
	must(t, s.Deliver("anna@demo.test", mailOf("Kept")))
	must(t, s.Deliver("anna@demo.test", mailOf("Dropped")))
	c := signedIn(t, s, "anna@demo.test", nil)
	must(t, c.Create("Bücher & Notizen", nil).Wait())
	before := selected(t, c, "INBOX")
	_, err := c.Store(imap.UIDSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged, "$Label1"}}, nil).Collect()
	must(t, err)
	_, err = c.Store(imap.UIDSetNum(2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Collect()
	must(t, err)
	must(t, c.Expunge().Close())
	s.Close()

	s = start(t, Options{Dir: dir})
	if got := s.Messages("anna@demo.test", "INBOX"); len(got) != 1 || !strings.Contains(string(got[0]), "Subject: Kept") {
		t.Errorf("messages after a restart: %q", got)
	}
	if got := fmt.Sprint(s.Flags("anna@demo.test", "INBOX")); got != `[[$Label1 \Flagged]]` {
		t.Errorf("flags after a restart: %s", got)
	}
	if got := strings.Join(s.Mailboxes("anna@demo.test"), " "); !strings.Contains(got, "Bücher & Notizen") {
		t.Errorf("mailboxes after a restart: %s", got)
	}
	after := selected(t, signedIn(t, s, "anna@demo.test", nil), "INBOX")
	if after.UIDValidity != before.UIDValidity || after.UIDNext != 3 {
		t.Errorf("UIDVALIDITY %d, UIDNEXT %d; before %d, %d", after.UIDValidity, after.UIDNext, before.UIDValidity, before.UIDNext)
	}
}
