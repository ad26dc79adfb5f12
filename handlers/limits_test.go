package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restante/internal/config"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// door is the limits with a clock of the test's own.
type door struct {
	t     *testing.T
	db    testdb.DB
	ring  *seal.Ring
	clock time.Time
	*signInLimits
}

func newDoor(t *testing.T, db testdb.DB) *door {
	d := &door{t: t, db: db, ring: seal.NewRing(), clock: time.Date(2026, 5, 4, 14, 0, 0, 0, time.UTC)}
	d.restart()
	return d
}

// restart is another process, or another node, on the same database and key.
func (d *door) restart() {
	d.t.Helper()
	s, err := store.Open(context.Background(), d.db.URL, d.db.Dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = s.Close() })
	d.signInLimits = newSignInLimits(s, d.ring, func() time.Time { return d.clock })
}

// try knocks; a zero time is a try that is let through.
func (d *door) try(from int, account, device string) (attempt, time.Time) {
	d.t.Helper()
	a, until, err := d.allow(context.Background(), far(from), account, device)
	if err != nil {
		d.t.Fatal(err)
	}
	return a, until
}

// far is one of many networks that have nothing in common.
func far(i int) network {
	return network{fmt.Sprintf("10.%d.%d.7/32", i/256, i%256), fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)}
}

func TestASpreadAttackOnOneAccountIsSlowedAndItsOwnerIsNot(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		const networks, owner, stranger = 40, 5000, 6000
		d := newDoor(t, db)
		device := "0123"
		a, _ := d.try(owner, "anna", device)
		if err := d.right(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		tried, promised, waited := 0, time.Time{}, time.Duration(0)
		for second := range 3600 { // the attacker knocks from somewhere each second
			d.clock = d.clock.Add(time.Second)
			if _, until := d.try(second%networks, "anna", ""); until.IsZero() {
				tried++
			}
			if second == 600 {
				d.restart()
			}
			if second%600 == 599 {
				a, until := d.try(owner, "anna", device)
				if !until.IsZero() {
					t.Fatalf("the owner's browser waits until %s", until)
				}
				if err := d.right(context.Background(), a); err != nil {
					t.Fatal(err)
				}
			}
			if second >= 1800 && waited == 0 { // the owner has a new telephone
				if d.clock.Before(promised) {
					continue
				}
				_, until := d.try(stranger, "anna", "")
				if until.IsZero() {
					waited = time.Duration(second-1800+1) * time.Second
				}
				promised = until
			}
		}
		if most := accountTries + int(time.Hour/slotEvery); tried > most || tried < accountTries {
			t.Errorf("%d tries went through in an hour, of at most %d", tried, most)
		}
		if waited == 0 || waited > 15*time.Minute {
			t.Errorf("a new device of the owner got in after %s", waited)
		}
		if _, until := d.try(7000, "ben", ""); !until.IsZero() {
			t.Error("another account waits too")
		}
		d.clock = d.clock.Add(forget + time.Minute)
		for i := range accountTries { // it is over
			if _, until := d.try(8000+i, "anna", ""); !until.IsZero() {
				t.Fatalf("try %d after a quiet time waits until %s", i, until)
			}
		}
	})
}

func TestAKnownBrowserHasTriesOfItsOwnAndNoMore(t *testing.T) {
	d := newDoor(t, testdb.SQLite(t))
	for i := range deviceTries + pairTries {
		if _, until := d.try(1, "anna", "0123"); !until.IsZero() {
			t.Fatalf("try %d waits", i) // its own, then those of any stranger
		}
	}
	if _, until := d.try(1, "anna", "0123"); until.IsZero() {
		t.Error("a stolen device cookie tries without end")
	}
	if _, until := d.try(1, "anna", "4567"); !until.IsZero() {
		t.Error("another device of the owner waits")
	}
}

func TestManyAtOnceDoNotSlipThrough(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		d := newDoor(t, db)
		var all sync.WaitGroup
		var through atomic.Int64
		for i := range 120 {
			all.Go(func() {
				_, until, err := d.allow(context.Background(), far(i), "anna", "")
				if err != nil {
					t.Error(err)
				}
				if until.IsZero() {
					through.Add(1)
				}
			})
		}
		all.Wait()
		if n := through.Load(); n != accountTries+1 { // and one for the first slot
			t.Errorf("%d of 120 tries at once went through", n)
		}
	})
}

func TestATryThatSaidNothingIsTakenBack(t *testing.T) {
	d := newDoor(t, testdb.SQLite(t))
	for range 10 * pairTries { // the mail server is away
		a, until := d.try(1, "anna", "")
		if !until.IsZero() {
			t.Fatal("waits")
		}
		if err := d.undo(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWiderNetworkIsCountedTogether(t *testing.T) {
	d := newDoor(t, testdb.SQLite(t))
	through := 0
	for i := range 400 { // one IPv6 site with many blocks, and many accounts
		_, until, err := d.allow(context.Background(), network{fmt.Sprintf("2001:db8:0:%x::/64", i), "2001:db8::/48"}, fmt.Sprint("user", i), "")
		if err != nil {
			t.Fatal(err)
		}
		if until.IsZero() {
			through++
		}
	}
	if through != wideTries {
		t.Errorf("%d tries went through", through)
	}
}

func TestTheNetworkOfAClient(t *testing.T) {
	s := New(Options{Config: config.Config{TrustedProxies: []string{"127.0.0.1", "fd00::/8"}}})
	for _, c := range []struct{ peer, forwarded, block, wide string }{
		{"192.0.2.7:9", "", "192.0.2.7/32", "192.0.2.0/24"},
		{"192.0.2.7:9", "198.51.100.1", "192.0.2.7/32", "192.0.2.0/24"}, // not from a trusted proxy
		{"127.0.0.1:9", "203.0.113.9, 198.51.100.1", "198.51.100.1/32", "198.51.100.0/24"},
		{"127.0.0.1:9", "203.0.113.9, 127.0.0.1", "203.0.113.9/32", "203.0.113.0/24"},
		{"127.0.0.1:9", "nonsense", "127.0.0.1/32", "127.0.0.0/24"},
		{"[2001:db8:1:2:3::4]:9", "", "2001:db8:1:2::/64", "2001:db8:1::/48"},
		{"[fd00::1]:9", "::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"},
		{"[fe80::1%eth0]:9", "", "fe80::/64", "fe80::/48"},
		{"@", "", "unknown", "unknown"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.clientNetwork(r); got != (network{c.block, c.wide}) {
			t.Errorf("%s for %q is %v", c.peer, c.forwarded, got)
		}
	}
}

func TestADeviceCookieIsForItsAccountsAlone(t *testing.T) {
	s := New(Options{Ring: seal.NewRing()})
	r := httptest.NewRequest(http.MethodPost, "/login", nil)
	for i := range deviceTokens + 1 {
		w := httptest.NewRecorder()
		s.rememberDevice(w, r, fmt.Sprintf("user%d@demo.test", i))
		s.rememberDevice(w, r, fmt.Sprintf("user%d@demo.test", i)) // twice is once
		cookies := w.Result().Cookies()
		c := cookies[len(cookies)-1]
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge < 1 {
			t.Errorf("the cookie is %s", c)
		}
		r = httptest.NewRequest(http.MethodPost, "/login", nil)
		r.AddCookie(c)
	}
	for i := range deviceTokens + 1 {
		known := s.device(r, fmt.Sprintf("user%d@demo.test", i)) != ""
		if known != (i > 0) { // the oldest has made room
			t.Errorf("user%d is known: %v", i, known)
		}
	}
	if s.device(r, "eve@demo.test") != "" {
		t.Error("known to another account")
	}
	token := s.deviceTokens(r)[0]
	other := "0" // a digit that the token does not start with
	if token[0] == '0' {
		other = "1"
	}
	for _, forged := range []string{"", token[:10], token[:len(token)-1] + "x", other + token[1:], token + "00"} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.AddCookie(&http.Cookie{Name: deviceCookie, Value: forged})
		if s.device(r, fmt.Sprintf("user%d@demo.test", deviceTokens)) != "" {
			t.Errorf("%q is believed", forged)
		}
	}
}
