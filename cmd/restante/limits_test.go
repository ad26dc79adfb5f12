package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// limited is a site with an admin who sets limits, and anna, whom they meet.
type limited struct {
	*site
	admin, anna *visitor
	user        testmail.User
}

func newLimited(t *testing.T, mail *testmail.Server, db testdb.DB, change func(*config.Config)) *limited {
	t.Helper()
	l := &limited{site: newSite(t, mail, db, change), user: mail.NewUser(t)}
	l.makeAdmin("owner")
	l.admin = newVisitor(t, l.base)
	l.admin.get("/admin/login").adminTries("owner", adminPassword).want(200)
	l.anna = l.signIn(l.user)
	return l
}

// sets fills the form of limits in: the site's for "", a domain's or a person's.
func (l *limited) sets(of, name, value string) *visitor {
	l.t.Helper()
	path := "/admin/limits"
	switch {
	case strings.Contains(of, "@"):
		path = asked(path, "person", of)
	case of != "":
		path = asked(path, "domain", of)
	}
	return l.admin.get(path).want(200).form("form[class=limits]").set(name, value).press("", "")
}

func asked(path, name, value string) string { return path + "?" + url.Values{name: {value}}.Encode() }

// everywhere tries a limit out that is set for the site, for the domain and for the person, each of them wider than the
// one before: what holds is the narrowest that is set.
func (l *limited) everywhere(name string, values [3]int, holds func(limit int)) {
	l.t.Helper()
	for i, of := range []string{"", l.mail.Domain, l.user.Address} {
		l.sets(of, name, fmt.Sprint(values[i])).want(200).says("[role=status]", "saved")
		holds(values[i])
	}
}

func (l *limited) writes(to ...string) *form {
	l.t.Helper()
	return l.anna.get("/compose").want(200).form("form[data-compose]").set("to", strings.Join(to, ", ")).set("subject", "One of many").set("body", "Kept.")
}

func many(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("p%d@x.test", i))
	}
	return out
}

func TestLimitRecipientsOfAMail(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		l := newLimited(t, testmail.Demo(t), db, nil)
		l.everywhere("recipients_per_mail", [3]int{2, 3, 4}, func(limit int) {
			l.writes(many(limit+1)...).press("action", "send").want(422).says("[role=alert]", fmt.Sprintf("your admin's limit: one mail may have %d", limit))
			l.writes(many(limit)...).press("action", "send").want(200)
		})
	})
}

func TestLimitMailsOfAnHourAndRecipientsOfADay(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	sent := 0
	l.everywhere("mails_per_hour", [3]int{1, 2, 3}, func(limit int) {
		for ; sent < limit; sent++ {
			l.writes("a@x.test").press("action", "send").want(200)
		}
		l.writes("a@x.test").press("action", "send").want(429).says("[role=alert]", "your admin lets one person send: "+[]string{"", "1 mail an hour", "2 mails an hour", "3 mails an hour"}[limit])
	})
	l.sets(l.user.Address, "mails_per_hour", "100").want(200)
	l.everywhere("recipients_per_day", [3]int{4, 5, 6}, func(limit int) {
		for ; sent < limit; sent++ {
			l.writes("a@x.test").press("action", "send").want(200)
		}
		l.writes("a@x.test").press("action", "send").want(429).says("[role=alert]", fmt.Sprintf("%d recipients a day", limit))
	})
}

// TestLimitSizes of a file, an upload, a mail, and the drafts: each one below and one above.
func TestLimitSizes(t *testing.T) {
	const mb = 1 << 20
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	brings := func(action string, sizes ...int) *visitor {
		f := l.writes("a@x.test")
		for i, n := range sizes {
			f.attach("attachments", file{name: fmt.Sprintf("tide %d.bin", i), body: randomBytes(t, n)})
		}
		return f.press("action", action)
	}
	l.everywhere("file_mb", [3]int{1, 2, 3}, func(limit int) {
		brings("save", limit*mb+1).want(413).says("[role=alert]", fmt.Sprintf("tide 0.bin is larger than your admin lets a file be: %d", limit))
		brings("save", limit*mb).want(200)
	})
	l.everywhere("upload_mb", [3]int{2, 3, 4}, func(limit int) {
		brings("save", mb, (limit-1)*mb).want(413).says("[role=alert]", fmt.Sprintf("your admin lets come at once: %d MB", limit))
		brings("save", mb, (limit-1)*mb-9000).want(200)
	})
	l.sets(l.user.Address, "upload_mb", "50").want(200)
	l.everywhere("mail_mb", [3]int{1, 2, 3}, func(limit int) {
		brings("send", limit*mb*3/4).want(422).says("[role=alert]", fmt.Sprintf("your admin lets a mail have %d", limit)) // as base64 it is a third more
		brings("send", limit*mb*2/3).want(200)
	})
	l.sets(l.user.Address, "drafts_mb", "1").want(200)
	brings("save", 1).want(413).says("[role=alert]", "fill the room that your admin gives you: 1")
	if l.anna.form("form[data-compose]").values.Get("body") != "Kept." {
		t.Error("what was written is gone")
	}
	l.sets(l.user.Address, "drafts_mb", "100").want(200)
	brings("save", 1).want(200)
}

func TestLimitContacts(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	kept := 0
	add := func() *visitor {
		return l.anna.get("/contacts/new").want(200).formAround("input[id=c-name]").set("name", fmt.Sprintf("Somebody %d", kept)).press("action", "save")
	}
	l.everywhere("contacts", [3]int{1, 2, 3}, func(limit int) {
		for ; kept < limit; kept++ {
			add().want(200)
		}
		add().want(422).says("[role=alert]", "that is your admin's limit")
	})
	l.sets(l.user.Address, "contacts", "1").want(200)
	l.anna.get("/contacts/1/edit").want(200).formAround("input[id=c-name]").set("name", "Somebody else").press("action", "save").want(200) // more than the limit stay
	add().want(422)
}

func TestLimitSources(t *testing.T) {
	imap, pop := testmail.Demo(t), testmail.Dovecot(t, testmail.DovecotOptions{})
	l := newLimited(t, imap, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	n := 0
	l.everywhere("pop3_sources", [3]int{0, 1, 2}, func(limit int) {
		for ; n < limit; n++ {
			l.anna.filledIn(pop.POP3, pop.NewUser(t)).press("action", "start").want(200)
		}
		l.anna.filledIn(pop.POP3, pop.NewUser(t)).press("action", "start").want(409).says("[role=alert]", fmt.Sprintf("your admin lets you import from %d", limit))
	})
}

// TestLimitRequestsAtOnce: as many as may be are under way; one more waits for its turn, and is told why it had none.
func TestLimitRequestsAtOnce(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	l.sets("", "requests_at_once", "5").want(200)
	l.sets(l.user.Address, "requests_at_once", "4").want(200)
	var ends []*io.PipeWriter
	hold := func() {
		r, w := io.Pipe()
		ends = append(ends, w)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.base+"/compose", r)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", l.base)
		go func() {
			if res, err := l.anna.client.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		if _, err := io.WriteString(w, "subject=x"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		hold()
	}
	l.anna.get("/outbox").want(200)
	hold()
	eventually(t, "there is no turn for one more", func() bool { return l.anna.get("/outbox").status == 429 })
	l.anna.says("[role=alert]", "at most 4 requests at a time, as your admin set it")
	l.sets(l.user.Address, "requests_at_once", "")
	l.anna.get("/outbox").want(200)
	for _, w := range ends {
		_ = w.Close()
	}
}

// TestLimitIMAPConnections: a person's requests share as many as may be, one of them kept for watching.
func TestLimitIMAPConnections(t *testing.T) {
	mail := testmail.Demo(t)
	tap := testmail.NewTap(t, mail.IMAP)
	mail.IMAP, mail.IMAPS = tap.Address, testmail.Address{}
	l := newLimited(t, mail, testdb.SQLite(t), nil)
	l.everywhere("imap_connections", [3]int{2, 3, 5}, func(limit int) {
		l.anna.get("/mail/1/INBOX").want(200)
		eventually(t, "no more stand than may", func() bool { return tap.Open() < limit })
		tap.Forget()
		tap.Mute()
		var all sync.WaitGroup
		for range 8 {
			tab := l.anna.tab()
			all.Go(func() { _ = tab.try(tab.newRequest(http.MethodGet, "/mail/1/INBOX/999/source", strings.NewReader(""))) }) // of which the index knows nothing
		}
		eventually(t, "as many are open as may be", func() bool { return tap.Open() == limit-1 })
		tap.Unmute()
		all.Wait()
		if n := tap.Most(); n != limit-1 {
			t.Errorf("%d worked at once, %d may", n, limit-1)
		}
	})
	l.sets(l.user.Address, "imap_connections", "2").want(200)
	l.anna.get("/mail/1/INBOX").want(200)
	eventually(t, "what is too many is closed", func() bool { return tap.Open() <= 1 })
}

// TestLimitConnectionsOfAHost: with all in use, whoever comes next waits, and is told.
func TestLimitConnectionsOfAHost(t *testing.T) {
	mail := testmail.Demo(t)
	l := newLimited(t, mail, testdb.SQLite(t), nil)
	l.sets("", "imap_connections_per_host", "2").want(200)
	l.signIn(mail.NewUser(t))
	third := mail.NewUser(t)
	v := newVisitor(t, l.base)
	v.get("/login").form("form[action=/login]").set("username", third.Address).set("password", third.Password).press("", "").want(503)
	v.says("[role=alert]", "All 2 connections that your admin lets go to 127.0.0.1 are in use")
	l.sets("", "imap_connections_per_host", "3").want(200)
	l.signIn(third)
}

// TestLimitsThatCannotBe are refused with their field kept, and nothing of the form is taken.
func TestLimitsThatCannotBe(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	for _, bad := range []string{"-1", "0", "many", "1.5", "1e3", "99999999999999999999", "100001", "１０"} {
		f := l.admin.get("/admin/limits").form("form[class=limits]").set("contacts", "77").set("mails_per_hour", bad)
		f.press("", "").want(422).says("[role=alert]", "Nothing was saved")
		if got := l.admin.form("form[class=limits]").values; got.Get("mails_per_hour") != bad || got.Get("contacts") != "77" {
			t.Errorf("%q came back as %q", bad, got)
		}
		l.admin.says("span[class=wrong]", "A whole number from 1 to 100")
	}
	l.admin.get("/admin/limits?domain=no+domain").want(422).says("[role=alert]", "no domain and no address")
	if rows, err := l.house.store.Limits(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("kept: %v, %v", rows, err)
	}
}

// TestLimitsOfTheConfigurationStay: the page says so, and what it sends all the same is not taken.
func TestLimitsOfTheConfigurationStay(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), func(c *config.Config) { c.MailsPerHour = 1; c.UndoSeconds = 60 })
	l.sets("", "mails_per_hour", "5").want(200).says("p", "RESTANTE_MAILS_PER_HOUR")
	l.writes("a@x.test").press("action", "send").want(200)
	l.writes("a@x.test").press("action", "send").want(429)
	l.sets(l.user.Address, "mails_per_hour", "2").want(200) // one person's own still comes before it
	l.writes("a@x.test").press("action", "send").want(200)
	l.writes("a@x.test").press("action", "send").want(429)
}

// TestLimitsAreOfEveryNode and each change is in the audit; a limit that is taken away leaves the wider one.
func TestLimitsAreOfEveryNode(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		l := newLimited(t, testmail.Demo(t), db, nil)
		other := newSite(t, l.mail, db, nil)
		l.sets("", "recipients_per_mail", "2").want(200)
		l.sets(l.user.Address, "recipients_per_mail", "3").want(200)
		if err := other.house.reload(t.Context()); err != nil { // as each minute
			t.Fatal(err)
		}
		l.anna = other.signIn(l.user)
		l.writes(many(4)...).press("action", "send").want(422)
		l.writes(many(3)...).press("action", "send").want(200)
		l.sets(l.user.Address, "recipients_per_mail", "").want(200)
		if err := other.house.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.writes(many(3)...).press("action", "send").want(422)
		l.admin.get("/admin/audit?verb=limit").want(200)
		for _, words := range []string{"recipients_per_mail unset → 2", l.user.Address + ": recipients_per_mail unset → 3", l.user.Address + ": recipients_per_mail 3 → unset"} {
			l.admin.says("tbody", words)
		}
		if broken, err := l.house.store.CheckAudit(t.Context()); broken != 0 || err != nil {
			t.Error(broken, err)
		}
	})
}

// TestTwoAdminsDoNotUndoEachOther: what one has left as it stood is not taken back to that.
func TestTwoAdminsDoNotUndoEachOther(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	form := l.admin.get("/admin/limits").form("form[class=limits]").set("contacts", "7")
	if _, _, err := l.configures("apply", "[limits]\nmails_per_hour = 9\n"); err != nil {
		t.Fatal(err)
	}
	form.press("", "").want(200).says("[role=status]", "saved")
	if got := l.admin.get("/admin/limits").form("form[class=limits]").values; got.Get("mails_per_hour") != "9" || got.Get("contacts") != "7" {
		t.Errorf("mails_per_hour %q, contacts %q", got.Get("mails_per_hour"), got.Get("contacts"))
	}
}

// TestLimitsStandOnThePagesOfWhomTheyAreOf and go with them.
func TestLimitsStandOnThePagesOfWhomTheyAreOf(t *testing.T) {
	l := newLimited(t, testmail.Demo(t), testdb.SQLite(t), nil)
	l.admin.get("/admin/people/1").want(200).form("form[class=limits]").set("contacts", "7").press("", "").want(200).says("[role=status]", "saved")
	if l.admin.url.Path != "/admin/people/1" || l.admin.form("form[class=limits]").values.Get("contacts") != "7" {
		t.Errorf("it led to %s", l.admin.url)
	}
	l.admin.get("/admin/limits").want(200).says("ul[class=admin-rows]", "Contacts of one person: 7 contacts")
	l.admin.get("/admin/people/1").formAround("input[id=x-confirm]").set("confirm", l.user.Address).set("current", adminPassword).press("action", "remove").want(200)
	if rows, err := l.house.store.Limits(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("left: %v, %v", rows, err)
	}
}
