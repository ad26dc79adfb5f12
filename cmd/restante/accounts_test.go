package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// adds sends the form of a further account.
func (v *visitor) adds(u testmail.User, password string) *visitor {
	v.t.Helper()
	return v.get("/settings/accounts").want(200).form("form[data-new-account]").set("address", u.Address).set("password", password).press("action", "add")
}

// account is the path of the inbox of one of the person's accounts.
func (v *visitor) account(u testmail.User) string {
	v.t.Helper()
	for _, card := range v.get("/settings/accounts").want(200).all("section[data-account]") {
		if strings.Contains(text(card), u.Address) {
			return "/mail/" + attr(card, "data-account") + "/INBOX"
		}
	}
	v.t.Fatalf("%s is none of the accounts", u.Address)
	return ""
}

// twoAccounts is a person with two accounts of one domain, on servers that send too.
func twoAccounts(t *testing.T, db testdb.DB) (s *site, v *visitor, anna, ben testmail.User) {
	t.Helper()
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s = newSite(t, srv, db, nil)
	anna, ben = srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Carl <carl@x.test>", "To Anna", "text"))
	srv.Deliver(t, ben, testmail.Mail("Dora <dora@x.test>", "To Ben", "text"))
	v = s.signIn(anna)
	v.adds(ben, ben.Password).want(200).says("[role=status]", ben.Address+" is added")
	return s, v, anna, ben
}

func TestAFurtherAccountIsAddedReadAndRemoved(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		srv := testmail.Postfix(t, testmail.PostfixOptions{})
		s := newSite(t, srv, db, nil)
		anna, ben, carl := srv.NewUser(t), srv.NewUser(t), srv.NewUser(t)
		srv.Deliver(t, ben, testmail.Mail("Dora <dora@x.test>", "To Ben", "text"))
		v := s.signIn(anna)
		v.adds(ben, "wrong").want(422).says("[role=alert]", "did not accept this address and password")
		if attr(v.one("input[id=account-address]"), "value") != ben.Address || strings.Contains(string(v.body), "wrong") {
			t.Error("what was typed is gone, or the password is shown")
		}
		v.adds(anna, anna.Password).want(409).says("[role=alert]", "is there already")
		v.adds(ben, ben.Password).want(200).says("[role=status]", ben.Address+" is added")
		v.adds(ben, ben.Password).want(409)

		inbox := v.account(ben)
		v.get(inbox).want(200)
		uid := v.row("To Ben")
		v.open("To Ben").want(200).says("h1", "To Ben")
		v.get("/search?q=subject:Ben").want(200)
		v.follow(`a[href="/search?account=`+strings.Split(inbox, "/")[2]+`&q=subject%3ABen"]`).want(200).says("h1", ben.Address)
		if got := v.subjects(); len(got) != 1 || got[0] != "To Ben" {
			t.Errorf("the same search in the other account finds %q", got)
		}
		for _, path := range []string{"", "/" + uid, "/" + uid + "/source", "/" + uid + "/body", "/" + uid + ".eml", "/" + uid + "/print", "/" + uid + "/parts/1"} {
			s.signIn(carl).get(inbox + path).want(404)
		}
		other := s.signIn(carl)
		other.get(strings.Replace(inbox, "INBOX", "mailboxes", 1)).want(404)
		other.get("/search?q=Ben&account=" + strings.Split(inbox, "/")[2]).want(404)
		other.get("/compose?account=" + strings.Split(inbox, "/")[2]).want(404)
		f := other.get("/mail/" + strings.Split(other.get("/").url.Path, "/")[2] + "/INBOX").form("form[action=/logout]")
		f.action = inbox + "/actions"
		f.set("uid", uid).set("action", "trash").press("", "").want(404)
		if srv.Talk(t, ben).Count("INBOX") != 1 {
			t.Error("somebody else has moved a mail")
		}

		s.restart() // the password is kept beyond it
		v.get(inbox).want(200)
		if v.row("To Ben") == "" {
			t.Errorf("the inbox has %q", v.texts("[data-uid]"))
		}
		file := filepath.Join(s.conf.Data, "index", strings.Split(inbox, "/")[2]+".db")
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
		v.get("/settings/accounts").formAround("button[value=remove]").press("action", "remove").want(200).says("[role=status]", "is removed here")
		v.get(inbox).want(404)
		if _, err := os.Stat(file); err == nil {
			t.Error("its index stays")
		}
		if srv.Talk(t, ben).Count("INBOX") != 1 {
			t.Error("its mail is gone")
		}
		v.adds(ben, ben.Password).want(200) // and again
	})
}

func TestServersOfAFurtherAccountAreNamedByHand(t *testing.T) {
	own, other := testmail.Demo(t), testmail.Demo(t)
	site := func(allow ...string) *site {
		return newSite(t, own, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = allow })
	}
	named := func(v *visitor, u testmail.User) *form {
		return v.get("/settings/accounts").want(200).form("form[data-new-account]").set("address", u.Address).set("password", u.Password).
			set("imap_host", other.IMAP.Host).set("imap_port", fmt.Sprint(other.IMAP.Port)).set("imap_security", "none").
			set("smtp_host", other.Submission.Host).set("smtp_port", fmt.Sprint(other.Submission.Port)).set("smtp_security", "none")
	}
	u := other.NewUser(t)
	u.Address = strings.Replace(u.Address, "@demo.test", "@elsewhere.test", 1)
	login := strings.Replace(u.Address, "@elsewhere.test", "@demo.test", 1)
	v := site().signIn(own.NewUser(t))
	named(v, u).set("username", login).press("action", "add").want(422).says("[role=alert]", "does not answer")
	v = site("127.0.0.1").signIn(own.NewUser(t))
	named(v, u).set("username", login).set("smtp_port", "").set("smtp_host", "").press("action", "add").want(422).says("[role=alert]", "Both servers are needed")
	named(v, u).set("username", login).press("action", "add").want(200).says("[role=status]", "is added")
	v.get(v.account(u)).want(200)

	named(v, testmail.User{Address: "x@elsewhere.test", Password: "x"}).set("imap_host", "169.254.169.254").press("action", "add").want(422)
	for range 12 {
		if v.adds(testmail.User{Address: "x@nowhere.test"}, "x"); v.status == 429 {
			return
		}
	}
	t.Error("servers can be tried without end")
}

func TestLimitFurtherAccounts(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	l.sets("", "further_accounts", "0").want(200)
	l.anna.get("/settings/accounts").want(200).says("p", "switched further accounts off")
	l.sets("", "further_accounts", "1").want(200)
	u := l.mail.NewUser(t)
	l.anna.adds(u, u.Password).want(200)
	l.anna.get("/settings/accounts").says("p", "your admin lets you have 1 beside your own")
	if l.anna.has("form[data-new-account]") {
		t.Error("another can be added")
	}
}

func TestAPasswordOfAFurtherAccountThatChanged(t *testing.T) {
	s, v, _, ben := twoAccounts(t, testdb.SQLite(t))
	inbox := v.account(ben)
	if raw, err := os.ReadFile(filepath.Join(s.conf.Data, "restante.db")); err != nil || strings.Contains(string(raw), `"Password"`) {
		t.Error("the password is not sealed", err)
	}
	f := v.get("/settings/accounts").formAround("button[value=password]")
	f.set("password", "wrong").press("action", "password").want(200).says("[role=alert]", "did not accept")
	v.get(inbox).want(200)
	v.get("/settings/accounts").formAround("button[value=password]").set("password", ben.Password).press("action", "password").want(200).says("[role=status]", "Kept")
	v.get(inbox).want(200)

	v.get("/compose").want(200)
	v.form("form[data-compose]").set("from", v.from(ben.Address)).set("to", "x@y.test").set("subject", "Later").set("body", "x").press("later", attr(v.one("button[name=later]"), "value")).want(200)
	if _, err := s.house.store.DB().ExecContext(t.Context(), `UPDATE accounts SET cred = x'00' WHERE address = '`+ben.Address+`'`); err != nil {
		t.Fatal(err)
	}
	v.get("/outbox").want(200).form("form[class=outbox-acts]").press("action", "sendnow").want(409)
	v.get("/outbox").want(200).form("form[class=outbox-acts]").press("action", "cancel").want(200).says("[role=status]", "back in your drafts")
}

// TestNoOpenPageSignsInWithAPasswordThatWasReplaced: its stream ends, and comes again with the new one.
func TestNoOpenPageSignsInWithAPasswordThatWasReplaced(t *testing.T) {
	_, v, _, ben := twoAccounts(t, testdb.SQLite(t))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Jar: v.client.Jar}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	v.get("/settings/accounts").formAround("button[value=password]").set("password", ben.Password).press("action", "password").want(200).says("[role=status]", "Kept")
	soon(t, "the stream's end", func() { _, _ = io.Copy(io.Discard, res.Body) })
}

// TestAFurtherAccountIsReadAndActedOn: folders, search, acts with Undo, and the way between the accounts.
func TestAFurtherAccountIsReadAndActedOn(t *testing.T) {
	s, v, anna, ben := twoAccounts(t, testdb.SQLite(t))
	inbox := v.account(ben)
	box := func(u testmail.User, name string) int { return s.mail.Talk(t, u).Count(name) }
	if own := v.account(anna); v.get("/").want(200).url.Path != own {
		t.Errorf("/ leads to %s", v.url)
	}
	eventually(t, "unread mail of the other account shows", func() bool {
		for _, a := range v.get("/").want(200).all("a") {
			if attr(a, "href") == inbox && strings.Contains(text(a), ben.Address) {
				return strings.Contains(text(a), "unread mail")
			}
		}
		return false
	})
	v.get(inbox).want(200).says("p[class=tree-account]", ben.Address)
	if attr(v.one("a[data-mailbox=INBOX]"), "href") != inbox || v.row("To Anna") != "" {
		t.Error("the folders are those of another account")
	}
	v.does("flag", "To Ben").says("[role=status]", "Flag")
	v.get(inbox).does("archive", "To Ben")
	if box(ben, "INBOX") != 0 || box(ben, "Archive") != 1 || box(anna, "INBOX") != 1 {
		t.Error("the wrong server was asked")
	}
	v.formAround("button[data-undo]").press("", "").want(200)
	if box(ben, "INBOX") != 1 || v.row("To Ben") == "" {
		t.Error("Undo did not bring it back")
	}
	v.get(inbox).form("form[class=search]").set("q", "Ben").set("in", "").press("", "").want(200)
	if v.row("To Ben") == "" || v.row("To Anna") != "" || v.url.Query().Get("account") == "" {
		t.Errorf("%s found %q", v.url, v.texts("[data-uid]"))
	}
	v.does("trash", "To Ben")
	if box(ben, "Trash") != 1 {
		t.Error("a hit did not go to the trash")
	}
	v.formAround("button[data-undo]").press("", "").want(200)
	v.get(strings.Replace(inbox, "INBOX", "mailboxes", 1)).want(200).form("form[class=card new-folder]").set("name", "Harbour").press("action", "create").want(200)
	if lines := s.mail.Talk(t, ben).Do(`LIST "" Harbour`); len(lines) == 0 {
		t.Error("the folder is not there")
	}
	if lines := s.mail.Talk(t, anna).Do(`LIST "" Harbour`); strings.Contains(strings.Join(lines, ""), "Harbour") {
		t.Error("the folder is in another account")
	}
	v.get(inbox).open("To Ben").want(200).form("form[class=message-bar]").press("action", "trash").want(200)
	if box(ben, "INBOX") != 0 {
		t.Error("the opened mail is still there")
	}
}

// elsewhere is a person with a further account on a server of its own, which stands behind a tap.
type elsewhere struct {
	*site
	v           *visitor
	other       *testmail.Server
	tap         *testmail.Tap
	anna, login testmail.User
	inbox       string
}

func newElsewhere(t *testing.T, db testdb.DB) *elsewhere {
	t.Helper()
	own, other := testmail.Postfix(t, testmail.PostfixOptions{}), testmail.Demo(t)
	e := &elsewhere{other: other, tap: testmail.NewTap(t, other.IMAP)}
	e.site = newSite(t, own, db, func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	e.anna, e.login = own.NewUser(t), other.NewUser(t)
	own.Deliver(t, e.anna, testmail.Mail("Carl <carl@x.test>", "To Anna", "text"))
	other.Deliver(t, e.login, testmail.Mail("Dora <dora@x.test>", "To Ben", "text"))
	e.v = e.signIn(e.anna)
	e.v.get("/settings/accounts").want(200).form("form[data-new-account]").set("address", e.login.Address).set("password", e.login.Password).
		set("imap_host", e.tap.Address.Host).set("imap_port", fmt.Sprint(e.tap.Address.Port)).set("imap_security", "none").
		set("smtp_host", other.Submission.Host).set("smtp_port", fmt.Sprint(other.Submission.Port)).set("smtp_security", "none").
		press("action", "add").want(200).says("[role=status]", "is added")
	e.inbox = e.v.account(e.login)
	return e
}

func (e *elsewhere) away(on bool) {
	e.tap.Refuse(on)
	if on {
		e.tap.Cut()
	}
}

// TestWhatIsDoneWhileTheServerOfAFurtherAccountIsAwayWaits, and nothing of the other account does.
func TestWhatIsDoneWhileTheServerOfAFurtherAccountIsAwayWaits(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	e.v.get(e.inbox).want(200)
	e.indexed(t, strings.Split(e.inbox, "/")[2], "the inbox", "SELECT complete FROM boxes WHERE name = 'INBOX'")
	e.away(true)
	e.v.get(e.inbox).want(200).does("flag", "To Ben").says("[data-status]", "when it is back")
	e.v.get(e.inbox)
	if said := e.v.banner(); !strings.Contains(said, "1 change waits") {
		t.Errorf("the banner says %q", said)
	}
	e.v.get("/").want(200)
	if e.v.banner() != "" || e.v.row("To Anna") == "" {
		t.Errorf("the other account says %q", e.v.banner())
	}
	e.away(false)
	e.v.get(e.inbox).form(`form[action="/retry?account=`+strings.Split(e.inbox, "/")[2]+`"]`).press("", "").want(200).says("[data-status]", "back")
	if flags := fmt.Sprint(e.other.Talk(t, e.login).Flags("INBOX")); !strings.Contains(flags, "Flagged") {
		t.Errorf("the server has %s", flags)
	}
}

// TestServersOfAFurtherAccountAreFound and shown, before a password goes there.
func TestServersOfAFurtherAccountAreFound(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	net := newInternet(srv)
	s := lookingSite(t, testdb.SQLite(t), net)
	v := s.signIn(s.mail.NewUser(t))
	u := srv.NewUser(t)
	v.adds(u, u.Password).want(200).says("[role=status]", "Found: mail.example.test:993")
	v.says("[role=status]", "Found: mail.example.test:465")
	v.says("[role=status]", "Nothing went there yet")
	f := v.form("form[data-new-account]")
	if f.values.Get("imap_host") != "mail.example.test" || f.values.Get("smtp_port") != "465" || f.values.Get("password") != "" || f.values.Get("address") != u.Address {
		t.Errorf("the form has %v", f.values)
	}
	f.set("password", u.Password).press("action", "add").want(422).says("[role=alert]", "mail.example.test") // a name that nobody knows out there
	v.adds(testmail.User{Address: "x@nowhere.test"}, "x").want(422).says("[role=alert]", "Not all servers of nowhere.test were found")
}
