package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

const adminPassword = "four harbours in the rain"

// makeAdmin makes an admin without a second factor.
func (s *site) makeAdmin(name string) store.Admin {
	s.t.Helper()
	if _, err := s.house.store.AddAdmin(s.t.Context(), store.Admin{Name: name, Hash: seal.HashPassword(adminPassword)}, nil); err != nil {
		s.t.Fatal(err)
	}
	a, err := s.house.store.AdminByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// setupToken makes a set-up link, and gives what stands at its end.
func (s *site) setupToken() string {
	s.t.Helper()
	token := seal.NewToken()
	if err := s.house.store.NewSetupLink(s.t.Context(), seal.Digest(token), time.Hour); err != nil {
		s.t.Fatal(err)
	}
	return token
}

// adminTries signs in as an admin by the form as it stands.
func (v *visitor) adminTries(name, password string) *visitor {
	v.t.Helper()
	return v.form("form[action=/admin/login]").set("username", name).set("password", password).press("", "")
}

// key is that of a second factor, as it stands on the page.
func (v *visitor) key() string {
	v.t.Helper()
	return strings.ReplaceAll(text(v.one("code[class=secret]")), " ", "")
}

// codeOf is what an app shows for a key at a time.
func codeOf(t testing.TB, key string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(key, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAnAdminSignsInWithTwoFactors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, testmail.Demo(t), db, nil)
		s.makeAdmin("Owner")
		v := newVisitor(t, s.base)
		v.get("/admin/audit").want(200)
		if v.url.Path != "/admin/login" {
			t.Fatalf("the audit without a sign-in led to %s", v.url)
		}
		v.adminTries("owner", "something else altogether").want(401)
		v.says("[role=alert]", "not right")
		v.adminTries("owner", adminPassword).want(200)
		if v.url.Path != "/admin/audit" {
			t.Errorf("the sign-in led to %s", v.url)
		}

		v.get("/admin/account").want(200)
		v.formAround("button[value=factor]").set("current", adminPassword).press("action", "factor").want(200)
		key, began := v.key(), time.Now()
		v.formAround("button[value=confirm]").set("code", "000000").press("action", "confirm").want(422)
		v.formAround("button[value=confirm]").set("code", codeOf(t, key, began)).press("action", "confirm").want(200)
		codes := v.texts("code")
		if len(codes) != 10 {
			t.Fatalf("the recovery codes are %q", codes)
		}
		recovery := codes[0]
		v.formAround("form[action=/admin/logout]").press("", "").want(200)

		v.get("/admin/login").adminTries("owner", adminPassword).want(200)
		if v.url.Path != "/admin/factor" {
			t.Fatalf("the password led to %s", v.url)
		}
		for _, path := range []string{"/admin", "/admin/domains", "/admin/audit.csv", "/admin/people", "/admin/account"} {
			if v.get(path).want(200); v.url.Path != "/admin/factor" {
				t.Errorf("without the second factor %s led to %s", path, v.url)
			}
		}
		v.formAround("input[name=code]").set("code", codeOf(t, key, began)).press("", "").want(401) // it was used to set the factor up
		v.formAround("input[name=code]").set("code", codeOf(t, key, began.Add(30*time.Second))).press("", "").want(200)
		if v.url.Path != "/admin" {
			t.Fatalf("the second factor led to %s", v.url)
		}

		w := newVisitor(t, s.base)
		w.get("/admin/login").adminTries("owner", adminPassword).want(200)
		w.formAround("input[name=code]").set("code", strings.ToUpper(recovery)).press("", "").want(200)
		if w.url.Path != "/admin" {
			t.Fatalf("the recovery code led to %s", w.url)
		}
		again := newVisitor(t, s.base)
		again.get("/admin/login").adminTries("owner", adminPassword).want(200)
		again.formAround("input[name=code]").set("code", recovery).press("", "").want(401)

		v.get("/admin/audit").want(200)
		v.says("tbody", "Used a recovery code")
		v.says("tbody", "Set a second factor")
	})
}

func TestWrongTriesOfAnAdminAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, testmail.Demo(t), testdb.SQLite(t), nil)
	s.makeAdmin("owner")
	v := newVisitor(t, s.base)
	v.get("/admin/login").want(200)
	for range 6 {
		v.adminTries("owner", "wrong wrong wrong").want(401)
	}
	if v.adminTries("owner", adminPassword).want(429); v.has("nav") {
		t.Error("the right password after too many wrong ones opened the pages")
	}
}

// TestNoRouteOfAnAdminLeadsToMail: to everything that is a user's, an admin is nobody; to everything that is an admin's,
// a user, somebody who sets the site up, and an admin before the second factor are nobody.
func TestNoRouteOfAnAdminLeadsToMail(t *testing.T) {
	h := newHeaderSite(t, "")
	pending := h.pending(t)
	for _, name := range table(t) {
		r, method := routes[name], strings.Fields(name)[0]
		path := h.fill.Replace(r.path)
		switch {
		case r.who == "admin" && !r.open && path != "/admin/login" && path != "/admin/factor" && path != "/admin/logout":
			for who, v := range map[string]*visitor{"none": h.out, "user": h.in, "set-up": h.setup, "pending": pending} {
				if status, to := answer(t, v, method, path, r.form); status != 303 || !strings.HasPrefix(to, "/admin/login") && !strings.HasPrefix(to, "/admin/factor") {
					t.Errorf("%s as %s: status %d to %q", name, who, status, to)
				}
			}
		case r.who == "" && !r.open:
			for who, v := range map[string]*visitor{"admin": h.admin, "pending": pending} {
				if status, to := answer(t, v, method, path, r.form); status != 401 && !(status == 303 && strings.HasPrefix(to, "/login")) {
					t.Errorf("%s as %s: status %d to %q", name, who, status, to)
				}
			}
		}
	}
}

// pending is an admin who has given the password, not the second factor.
func (h *headerSite) pending(t *testing.T) *visitor {
	t.Helper()
	a := h.site.makeAdmin("second")
	key := seal.NewFactor()
	sealed := h.site.house.ring.Seal("admin-factor/1", "admins/totp", []byte(key))
	if err := h.site.house.store.SetAdminFactor(t.Context(), a.ID, sealed, 0, nil, ""); err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, h.site.base)
	v.get("/admin/login").adminTries("second", adminPassword).want(200)
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return v
}

func answer(t *testing.T, v *visitor, method, path, form string) (status int, to string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := v.client.Do(v.newRequest(method, path, strings.NewReader(form), "Content-Type", "application/x-www-form-urlencoded").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, res.Header.Get("Location")
}

// TestAnAdminEndsSessions: who is signed out by an admin is out at once.
func TestAnAdminEndsSessions(t *testing.T) {
	t.Parallel()
	mail := testmail.Demo(t)
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := newSite(t, mail, db, nil)
		s.makeAdmin("owner")
		u := mail.NewUser(t)
		first, second := s.signIn(u), s.signIn(u)
		v := newVisitor(t, s.base)
		v.get("/admin/login").adminTries("owner", adminPassword).want(200)
		v.get("/admin/sessions").want(200)
		if n := len(v.all("form[action=/admin/sessions]")); n != 2 {
			t.Fatalf("%d sessions, not 2", n)
		}
		v.form("form[action=/admin/sessions]").press("", "").want(200)
		v.says("[role=status]", u.Address)
		out := 0
		for _, b := range []*visitor{first, second} {
			if b.get("/mail/1/INBOX").want(200); b.url.Path == "/login" {
				out++
			}
		}
		if out != 1 {
			t.Errorf("%d browsers are out, not 1", out)
		}
		v.get("/admin/people?q=person").want(200)
		people, err := s.house.store.UsersSeen(t.Context(), u.Address, "", 1)
		if err != nil || len(people) != 1 {
			t.Fatal(people, err)
		}
		page := fmt.Sprintf("/admin/people/%d", people[0].ID)
		v.get(page).want(200).says("main", "Last seen "+people[0].SeenAt.UTC().Format("2006-01-02 15:04")) // as the list has it
		v.form("form[action="+page+"]").press("action", "out").want(200)
		for _, b := range []*visitor{first, second} {
			if b.get("/mail/1/INBOX").want(200); b.url.Path != "/login" {
				t.Error("a browser is still signed in")
			}
		}
		v.get("/admin/audit?verb=user-sign-out").want(200)
		v.says("tbody", u.Address)

		v.get(page).want(200)
		v.form("form[action="+page+"]").press("action", "lock").want(200)
		newVisitor(t, s.base).get("/login").want(200).tries(u.Address, u.Password).want(403).says("[role=alert]", "locked your access")
		newVisitor(t, s.base).get("/login").want(200).tries(u.Address, "wrong").want(401)
		v.form("form[action="+page+"]").press("action", "unlock").want(200)
		again := s.signIn(u)
		v.formAround("input[name=confirm]").set("confirm", "somebody@else.test").set("current", adminPassword).press("action", "remove").want(422)
		v.formAround("input[name=confirm]").set("confirm", u.Address).set("current", "wrong").press("action", "remove").want(422)
		v.formAround("input[name=confirm]").set("confirm", u.Address).set("current", adminPassword).press("action", "remove").want(200)
		v.says("[role=status]", "is removed")
		if again.get("/mail/1/INBOX").want(200); again.url.Path != "/login" {
			t.Error("who was removed is still signed in")
		}
		s.signIn(u)

		v.get("/admin/audit.csv").want(200)
		if !strings.Contains(string(v.body), "user-sign-out,"+u.Address) {
			t.Errorf("the audit as CSV: %s", v.body)
		}
	})
}
