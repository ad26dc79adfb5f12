package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// smallSite is a site over the embedded servers with a person signed in.
func smallSite(t *testing.T, change func(*config.Config)) (*site, testmail.User, *visitor) {
	t.Helper()
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), change)
	u := s.mail.NewUser(t)
	return s, u, s.signIn(u)
}

func TestAHeaderOf40MBIsRefused(t *testing.T) {
	s, _, v := smallSite(t, nil)
	for _, head := range []string{"GET / HTTP/1.1\r\nHost: x\r\nCookie: ", "GET /", "POST /compose HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary="} {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		go func() {
			_, _ = io.WriteString(c, head)
			block := bytes.Repeat([]byte("x"), 1<<20)
			for range 40 {
				if _, err := c.Write(block); err != nil {
					return
				}
			}
		}()
		answer := make([]byte, 12)
		if _, err := io.ReadFull(c, answer); err == nil && !bytes.HasPrefix(answer, []byte("HTTP/1.1 4")) {
			t.Errorf("%q is answered by %q", head, answer)
		} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%q: no answer within 30 s", head)
		}
		_ = c.Close()
	}
	v.get("/mail/1/INBOX").want(200)
}

func TestAFileOverTheLimitLeavesTheTextInThePage(t *testing.T) {
	_, _, v := smallSite(t, func(c *config.Config) { c.UploadMB = 1 })
	v.get("/compose").form("form[data-compose]").set("to", "ben@demo.test").set("subject", "With a film").set("body", "Here it is.").
		attach("attachments", file{"film.bin", randomBytes(t, 3<<20)}).press("action", "send").want(413)
	v.says("[role=alert]", "more than your admin lets come at once: 1 MB")
	f := v.form("form[data-compose]")
	if f.values.Get("subject") != "With a film" || !strings.Contains(f.values.Get("body"), "Here it is.") {
		t.Errorf("the form holds %q", f.values)
	}
	f.press("action", "send").want(200)
}

func TestAnUploadThatBreaksOffLeavesTheText(t *testing.T) {
	s, _, v := smallSite(t, nil)
	parts := "--cut\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nHalf of it\r\n--cut\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\nThe text.\r\n" +
		"--cut\r\nContent-Disposition: form-data; name=\"attachments\"; filename=\"a.bin\"\r\n\r\nxxxxxxxx"
	kind := "multipart/form-data; boundary=cut"
	for _, body := range []string{parts, strings.TrimSuffix(parts, "xxxxxxxx"), parts[:strings.LastIndex(parts, "--cut")] + "--cu"} {
		if err := v.try(v.newRequest(http.MethodPost, "/compose", strings.NewReader(body), "Content-Type", kind)); err != nil {
			t.Fatal(err)
		}
		v.want(400)
		if f := v.form("form[data-compose]"); f.values.Get("subject") != "Half of it" || strings.TrimSpace(f.values.Get("body")) != "The text." {
			t.Errorf("the form holds %q", f.values)
		}
	}
	t.Run("and so does a line that is cut", func(t *testing.T) {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		half := strings.Replace(parts, "Half of it", "Half of a line", 1)
		_, _ = fmt.Fprintf(c, "POST /compose HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Type: %s\r\nContent-Length: 900000\r\n\r\n%s",
			strings.TrimPrefix(s.base, "http://"), cookieOf(v), kind, half)
		_ = c.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(c)
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400")) || !bytes.Contains(answer, []byte("Half of a line")) {
			t.Errorf("answer: %.300s", answer)
		}
	})
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Error("an error stands in the log")
	}
}

// TestAHalfWrittenMailOutlivesItsSession: the session ends while a person writes; sending it asks for the password
// and goes on. Files have to be added again, and nothing goes out without them.
func TestAHalfWrittenMailOutlivesItsSession(t *testing.T) {
	for name, withFile := range map[string]bool{"text alone": false, "with a file": true} {
		t.Run(name, func(t *testing.T) {
			s, u, v := smallSite(t, func(c *config.Config) { c.UndoSeconds = 60 })
			f := v.get("/compose").form("form[data-compose]").set("to", "person1@demo.test").set("subject", "Long thoughts").set("body", "Line one\n\nLine <three> & \"more\"")
			if withFile {
				f.attach("attachments", file{"a.bin", []byte("abc")})
			}
			s.signIn(u).get("/settings/devices").formAround("button[value=others]").press("action", "others").want(200)
			f.press("action", "send").want(401)
			v.says("[role=status]", "sign in again")
			v.form("form[action=/login]").set("username", u.Address).set("password", "wrong").press("", "").want(401)
			v.form("form[action=/login]").set("username", u.Address).set("password", u.Password).press("", "").want(200)
			v.form("form[method=post]").press("", "")
			if !withFile {
				v.want(200).get("/outbox").says("[data-outbox]", "Long thoughts")
				return
			}
			v.want(422).says("[role=alert]", "did not come along: a.bin")
			if v.tab().get("/outbox").has("[data-outbox]") {
				t.Error("it goes out without its file")
			}
			g := v.form("form[data-compose]")
			if got := strings.ReplaceAll(g.values.Get("body"), "\r\n", "\n"); g.values.Get("subject") != "Long thoughts" || strings.TrimSpace(got) != "Line one\n\nLine <three> & \"more\"" {
				t.Errorf("what came through: %q, %q", g.values.Get("subject"), got)
			}
		})
	}
}

// TestADraftThatIsGoneComesBackWithoutItsNewFile, which is named: it cannot come along.
func TestADraftThatIsGoneComesBackWithoutItsNewFile(t *testing.T) {
	_, _, v := smallSite(t, nil)
	f := v.get("/compose").form("form[data-compose]").set("subject", "Gone").set("body", "Still here.").attach("attachments", file{"a.bin", []byte("abc")})
	f.action = "/compose/0123456789abcdef0123456789abcdef"
	v.do(f.set("action", "save").request()).want(404)
	v.form("form[method=post]").press("", "").want(422).says("[role=alert]", "did not come along: a.bin")
	if got := v.form("form[data-compose]").values.Get("body"); strings.TrimSpace(got) != "Still here." {
		t.Errorf("the form holds %q", got)
	}
}

func TestTwoTabsActOnTheSameMail(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		srv.Deliver(t, u, testmail.Mail("ben@example.test", "Wanted by both", "x"), testmail.Mail("ben@example.test", "Stays", "x"))
		one := s.signIn(u)
		two := one.tab()
		one.get("/mail/1/INBOX").want(200)
		uid := one.row("Wanted by both")
		for action, want := range map[string]int{"trash": 200, "flag": 200, "archive": 200, "delete": 200, "read": 200} {
			two.get("/mail/1/INBOX").want(200)
			f := two.form("form[data-list]").set("uid", uid)
			if one.get("/mail/1/INBOX").row("Wanted by both") != "" {
				one.form("form[data-list]").set("uid", uid).press("action", "trash").want(200)
			}
			f.values.Set("action", action)
			two.do(f.request()).want(want)
		}
		if got := two.texts("[role=status]"); len(got) == 0 {
			t.Error("the second tab is told nothing")
		}
		two.get("/mail/1/INBOX/"+uid).want(404).says("[role=alert]", "no longer here")
		if one.get("/mail/1/INBOX").row("Stays") == "" {
			t.Error("another mail is gone")
		}
	})
}

func TestAFolderThatIsRenewedOrGoneIsToldOf(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		talk.Do("CREATE Work")
		talk.Append("Work", "", testmail.Mail("ben@example.test", "Old", "x"))
		v := s.signIn(u).get("/mail/1/Work").want(200)
		uid := v.row("Old")
		f := v.form("form[data-list]").set("uid", uid)
		f.values.Set("action", "trash")
		talk.Do("DELETE Work")
		v.do(f.request())
		if v.status < 400 || v.status >= 500 {
			t.Errorf("a folder that is gone: status %d", v.status)
		}
		for before := f.values.Get("validity"); ; talk.Do("DELETE Work") { // Dovecot counts in seconds
			talk.Do("CREATE Work")
			if now := strings.Join(talk.Do("STATUS Work (UIDVALIDITY)"), ""); !strings.Contains(now, before) {
				break
			}
		}
		talk.Append("Work", "", testmail.Mail("ben@example.test", "New", "x"))
		v.do(f.request())
		if v.status < 400 || v.status >= 500 {
			t.Errorf("a renewed folder: status %d", v.status)
		}
		eventually(t, "the renewed folder shows what is in it", func() bool { return v.get("/mail/1/Work").status == 200 && v.row("New") != "" })
		if n := talk.Count("Work"); n != 1 {
			t.Errorf("the renewed folder holds %d mails", n)
		}
	})
}
