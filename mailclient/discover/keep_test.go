package discover_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"restante/mailclient"
	"restante/mailclient/discover"
)

// drawer keeps what was found in memory.
type drawer struct {
	mu   sync.Mutex
	kept map[string]string
	err  error
}

func (d *drawer) Discovered(_ context.Context, domain string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[domain], d.err
}

func (d *drawer) KeepDiscovered(_ context.Context, domain, found string, _ time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept[domain] = found
	return d.err
}

// directory looks into a world and keeps in a drawer.
func directory(w *world, k *drawer) *discover.Directory {
	d := discover.NewDirectory()
	d.Discover(discover.NewFinder(w.options()), k)
	return d
}

// move has the world's servers elsewhere, or nowhere.
func (w *world) move(records ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.srv)
	w.points(records...)
}

func TestWhatWasFoundIsKeptAndSharedAndLookedForAgain(t *testing.T) {
	w, k := newWorld(t), &drawer{kept: map[string]string{}}
	w.serves(discover.IMAP, "srv.example.test:993", "tls")
	w.serves(discover.Submission, "srv.example.test:465", "tls")
	w.serves(discover.IMAP, "new.example.test:993", "tls")
	d, other := directory(w, k), directory(w, k)
	now := time.Now()
	at := func(after time.Duration) {
		d.At(now.Add(after))
		other.At(now.Add(after))
	}
	host := func(d *discover.Directory) string {
		t.Helper()
		f, err := d.Find(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		return f.IMAP.Host
	}

	if _, ok := d.Lookup(address); ok {
		t.Error("known before it was looked for")
	}
	if got := host(d); got != "" {
		t.Errorf("found %q where nothing is", got)
	}
	w.move("imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
	if got := host(d); got != "" {
		t.Errorf("looked again at once: %q", got)
	}
	at(11 * time.Minute)
	if got := host(d); got != "srv.example.test" {
		t.Errorf("later: %q", got)
	}
	if s, ok := other.Lookup("Ben@Example.Test"); !ok || s.IMAP.Host != "srv.example.test" || s.IMAP.Via == nil || s.SMTP.Port != 465 || s.Source != discover.FromSRV {
		t.Errorf("another node knows %+v", s)
	}

	w.move("imaps 0 0 993 new.example.test", "submissions 0 0 465 srv.example.test")
	if at(29 * 24 * time.Hour); host(d) != "srv.example.test" {
		t.Error("looked again within a month")
	}
	w.move()
	if at(40 * 24 * time.Hour); host(d) != "srv.example.test" {
		t.Error("servers were given up for none")
	}
	if _, ok := d.Lookup(address); !ok {
		t.Error("nobody can sign in while DNS is away")
	}
	w.move("imaps 0 0 993 new.example.test", "submissions 0 0 465 srv.example.test")
	if at(40*24*time.Hour + 11*time.Minute); host(d) != "new.example.test" {
		t.Error("servers that moved were not found")
	}
}

func TestServersThatCannotBeReachedAreLookedForAgain(t *testing.T) {
	w, k := newWorld(t), &drawer{kept: map[string]string{}}
	w.serves(discover.IMAP, "srv.example.test:993", "tls")
	w.serves(discover.Submission, "srv.example.test:465", "tls")
	w.serves(discover.IMAP, "new.example.test:993", "tls")
	w.points("imaps 0 0 993 srv.example.test", "submissions 0 0 465 srv.example.test")
	d := directory(w, k)
	now := time.Now()
	host := func(after time.Duration, doubt bool) string {
		t.Helper()
		d.At(now.Add(after))
		if doubt {
			if err := d.Doubt(t.Context(), address); err != nil {
				t.Fatal(err)
			}
		}
		f, err := d.Find(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		return f.IMAP.Host
	}
	host(0, false)
	w.move("imaps 0 0 993 new.example.test", "submissions 0 0 465 srv.example.test")
	for _, c := range []struct {
		after time.Duration
		doubt bool
		want  string
	}{{time.Minute, true, "srv.example.test"}, {time.Hour, false, "srv.example.test"}, {time.Hour, true, "new.example.test"}} {
		if got := host(c.after, c.doubt); got != c.want {
			t.Errorf("after %s, doubted %v: %s, want %s", c.after, c.doubt, got, c.want)
		}
	}
	if err := d.Doubt(t.Context(), "anna@unknown.test"); err != nil {
		t.Error(err)
	}
}

func TestLookingHasBounds(t *testing.T) {
	w, k := newWorld(t), &drawer{kept: map[string]string{}}
	d := directory(w, k)
	d.At(time.Now())
	busy := 0
	for i := range 20 {
		_, err := d.Find(t.Context(), fmt.Sprintf("anna@%d.example.test", i))
		switch {
		case errors.Is(err, mailclient.ErrBusy):
			busy++
		case err != nil:
			t.Error(err)
		}
	}
	if busy == 0 {
		t.Error("twenty domains were looked for at once")
	}
	if _, err := d.Find(t.Context(), "anna@localhost"); !errors.Is(err, discover.ErrAddress) {
		t.Error(err)
	}
	if _, err := discover.NewDirectory().Find(t.Context(), address); !errors.Is(err, discover.ErrOff) {
		t.Error(err)
	}
	k.err = errors.New("the database is away")
	if _, err := d.Find(t.Context(), "anna@other.test"); !errors.Is(err, k.err) {
		t.Error(err)
	}
	if _, ok := d.Lookup("anna@another.test"); ok {
		t.Error("found in a database that is away")
	}
}

func TestWhereLookingIsNotAllowedWhatIsKnownIsTold(t *testing.T) {
	d := discover.NewDirectory(discover.Servers{Domain: domain, IMAP: mailclient.Endpoint{Host: "imap.example.test", Port: 993, Security: mailclient.TLS}})
	for a, want := range map[string]string{address: "imap.example.test", "anna@gmx.de": "imap.gmx.net", "anna@outlook.com": "outlook.office365.com"} {
		if f, err := d.Find(t.Context(), a); err != nil || f.IMAP.Host != want || f.IMAP.Probe != nil || f.Ready() {
			t.Errorf("%s: %+v, %v", a, f, err)
		}
	}
	if f, err := d.Find(t.Context(), "anna@gmx.de"); err != nil || f.POP3.Host != "pop.gmx.net" || f.POP3.Source != discover.FromPreset || f.POP3.Confirm() {
		t.Errorf("%+v, %v", f.POP3, err)
	}
}

func TestWhatAnOlderVersionKeptIsFoundAnew(t *testing.T) {
	w := peopled(t)
	for _, raw := range []string{"{", "[]", `{"imap":{"host":"evil.test","port":993}}`} {
		d := directory(w, &drawer{kept: map[string]string{domain: raw}})
		if f, err := d.Find(t.Context(), address); err != nil || f.IMAP.Host != "imap.example.test" {
			t.Errorf("%s: %+v, %v", raw, f.IMAP, err)
		}
	}
}
