package document_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"restante/internal/document"
	"restante/internal/limits"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
)

func TestMain(m *testing.M) { testdb.Main(m) }

var ctx = context.Background()

var ring = seal.NewRing()

func secrets() document.Secrets {
	return document.Secrets{Ring: func() (*seal.Ring, error) { return ring, nil }, Getenv: func(name string) string { return map[string]string{"SHIPS": "six ships"}[name] }}
}

// parse reads a text that has no faults.
func parse(t testing.TB, text string, fixed document.Fixed, now document.Document) document.Document {
	t.Helper()
	d, faults := document.Parse(text, fixed, secrets(), now)
	if len(faults) > 0 {
		t.Fatalf("%v in\n%s", faults, text)
	}
	return d
}

// begin makes a database with the newest schema in dir.
func begin(dir string) error {
	s, err := store.Open(ctx, "", dir)
	if err != nil {
		return err
	}
	return s.Close()
}

func opened(t *testing.T, db testdb.DB) *store.Store {
	t.Helper()
	db.Begin(t, db.Dir, begin)
	s, err := store.Open(ctx, db.URL, db.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func export(t *testing.T, s *store.Store, fixed document.Fixed) string {
	t.Helper()
	d, err := document.Read(ctx, s, fixed)
	if err != nil {
		t.Fatal(err)
	}
	return d.Written(fixed)
}

func apply(t *testing.T, s *store.Store, text string, fixed document.Fixed, lose bool) ([]document.Change, error) {
	t.Helper()
	return document.Apply(ctx, s, fixed, func(now document.Document) (document.Document, error) { return parse(t, text, fixed, now), nil }, lose)
}

// authority is a certificate in PEM.
var authority = func() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(crand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}()

// anything makes a state that the pages could have made.
func anything(r *rand.Rand) document.Document {
	d := document.Document{}
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	if r.IntN(3) > 0 {
		d.PublicURL = pick("https://mail.example.org", "http://localhost:8080", "https://[2001:db8::1]:8443")
	}
	names := []string{"a.example", "example.org", "xn--mnchen-3ya.example", "z.test"}
	place := func() discover.Place {
		return discover.Place{Host: pick("imap.example.org", "10.0.0.7", "2001:db8::7", "localhost", "fe80::1%eth0"), Port: 1 + r.IntN(65535),
			Security: mailclient.Security(pick("tls", "starttls", "plain")), Pin: pick("", hex.EncodeToString(make([]byte, 32))), Source: discover.Source(pick("", "srv"))}
	}
	for _, name := range names {
		if r.IntN(2) == 0 {
			continue
		}
		v := discover.Domain{Name: name, IMAP: place(), Submission: place(), Login: pick("", discover.LoginLocal, "%EMAILLOCALPART%.x", `DOM\%EMAILLOCALPART%`), Authserv: pick("", "mx.example.org", `odd "name" ü \ 'x'`, "\t\u0085x")}
		if r.IntN(2) == 0 {
			v.Sieve, v.POP3 = place(), place()
		}
		if kind := pick("", "google", "microsoft", "oidc"); kind != "" {
			v.OAuth = &discover.OAuth{Kind: kind, ClientID: pick("client", "an \"odd\" one"), Issuer: map[string]string{"oidc": "https://id.example.org/realms/a"}[kind], Tenant: map[string]string{"microsoft": pick("", "example.org")}[kind], Scopes: map[string]string{"oidc": pick("", "openid email mail")}[kind]}
			if r.IntN(2) == 0 {
				v.OAuth.Sealed = tokens.SealSecret(ring, name, "six ships")
			}
		}
		v.CA = pick("", authority, strings.ReplaceAll(authority, "\n", "\r\n"), "the \"root\" of ours\n"+authority+"\n\n")
		d.Domains = append(d.Domains, v)
	}
	for _, name := range names {
		if s := (document.Senders{Domain: name, Policy: store.Policy{Lock: pick("", "addresses", "all"), NoTags: r.IntN(2) == 0, NoAny: r.IntN(3) == 0, Name: pick("", "{name} of \"us\""),
			Footer: pick("", "one\ntwo", "odd \"\\"), Signature: pick("", "{name}\n{address}")}}); s.Policy != (store.Policy{}) {
			s.FooterHTML = map[bool]string{true: "<p class=\"x\">one</p>\n"}[s.Footer != "" && r.IntN(2) == 0]
			d.Senders = append(d.Senders, s)
		}
	}
	for _, scope := range []struct {
		limits.Scope
		of string
	}{{limits.Site, ""}, {limits.Domain, "a.example"}, {limits.Domain, "other.example"}, {limits.Person, "anna@a.example"}, {limits.Person, `o'brien+"x"@example.org`}, {limits.Person, "änne@example.org"}} {
		for _, l := range limits.All {
			if r.IntN(3) == 0 && !(l.SiteOnly && scope.Scope != limits.Site) {
				d.Limits = append(d.Limits, limits.Entry{Scope: scope.Scope, Of: scope.of, Name: l.Name, Value: l.Least + r.Int64N(l.Most-l.Least+1)})
			}
		}
	}
	return d
}

// TestWhatIsExportedIsWhatIsApplied: whatever is set, and whatever was before, export, apply and export again is the
// same to the byte, applying twice changes nothing, and each change was announced.
func TestWhatIsExportedIsWhatIsApplied(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := opened(t, db)
		r := rand.New(rand.NewPCG(11, 25))
		for range 60 {
			text := anything(r).Written(document.Fixed{Discover: "off"})
			now, err := document.Read(ctx, s, document.Fixed{})
			if err != nil {
				t.Fatal(err)
			}
			told := document.Changes(now, parse(t, text, document.Fixed{}, now))
			done, err := apply(t, s, text, document.Fixed{Discover: "off"}, true)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(told) != fmt.Sprint(done) {
				t.Fatalf("announced: %v\ndone: %v", told, done)
			}
			if again := export(t, s, document.Fixed{Discover: "off"}); again != text {
				t.Fatalf("applied:\n%s\nexported:\n%s", text, again)
			}
			if done, err := apply(t, s, text, document.Fixed{Discover: "off"}, false); err != nil || len(done) > 0 {
				t.Fatalf("a second time: %v, %v", done, err)
			}
		}
		if broken, err := s.CheckAudit(ctx); broken != 0 || err != nil {
			t.Error(broken, err)
		}
	})
}

// TestEveryFaultIsToldByItsLine, all at once.
func TestEveryFaultIsToldByItsLine(t *testing.T) {
	const text = `format = 7
public_url = "mail.example.org/path"
colour = "blue"
[limits]
mails_per_hour = -1
contacts = "many"
recipients_per_day = 1.5
sails = 3
[limits.domain."example.org"]
imap_connections_per_host = 5
[limits.person."nobody"]
contacts = 5

[[domain]]
name = "example.org"
imap = "https://imap.example.org"
smtp = "smtps://user@smtp.example.org"
ca = """
-----BEGIN
imap = "a line of the text above"
"""
imap_pin = "abc"

[[domain]]
name = "example.org"
imap = "imaps://imap.example.org"

[[domain]]
imap = 5

[[domain]]
name = "b.example"
imap = "imaps://imap.example.org"
smtp = "smtps://smtp.example.org"
oauth = "yahoo"
oauth_client_id = "client"
oauth_client_secret = "six ships"

[[domain]]
name = "c.example"
imap = "imaps://imap.example.org"
smtp = "smtps://smtp.example.org"
oauth = "oidc"
oauth_client_id = "client"
oauth_issuer = "id.example.org"
`
	_, faults := document.Parse(text, document.Fixed{}, secrets(), document.Document{})
	var got []string
	for _, f := range faults {
		got = append(got, f.String())
	}
	for _, want := range []string{
		"line 1: this program reads format 1", `line 2: "mail.example.org/path" is not https://`, `line 3: "colour" is nothing`, "line 5: outside of what this limit may be: 1 to 100000", "line 6: contacts: a whole number",
		"line 7: recipients_per_day: a whole number", `line 8: "sails" is nothing`, "line 10: this limit is the whole site's", `line 11: "nobody" is no mail address`, "line 16: imap server", "line 17: ", "line 18: this is no certificate",
		"line 22: a pin has 64 hex digits", "line 25: the domain example.org stands here twice", "line 25: the domain example.org: a server for reading", "line 28: a domain has a name", "line 29: imap: words in quotes",
		`line 35: "yahoo" is not google`, "line 36: oauth = google, microsoft or oidc is missing", "line 37: a secret never stands in the document", "line 40: the domain c.example: no provider that could be",
	} {
		found := false
		for _, g := range got {
			found = found || strings.HasPrefix(g, want)
		}
		if !found {
			t.Errorf("not told: %s", want)
		}
	}
	if len(got) != 21 {
		t.Errorf("told:\n%s", strings.Join(got, "\n"))
	}
	if _, faults := document.Parse("a = 1\nb = \n", document.Fixed{}, secrets(), document.Document{}); len(faults) != 1 || faults[0].Line != 2 {
		t.Errorf("syntax: %v", faults)
	}
}

// TestNoFaultShowsASecret: whoever applies a document does so in terminals and logs that others read.
func TestNoFaultShowsASecret(t *testing.T) {
	for _, text := range []string{
		"oauth_client_secret = sixships", "[[domain]]\noauth_client_secret = 'x' sixships", "oauth_client_secret = \"sixships", "[[domain]]\nname = \"a.example\"\noauth = \"google\"\noauth_client_secret = \"sixships\"",
		"public_url = \"https://anna:sixships@a.example\"", "[[domain]]\nname = \"a.example\"\nimap = \"imaps://anna:sixships@a.example\"", "[[domain]]\nimap = \"imaps://anna:sixships@a .example\"",
		"[[domain]]\nname = \"a.example\"\nimap = \"imaps://a.example/?password=sixships\"",
	} {
		_, faults := document.Parse(text, document.Fixed{}, secrets(), document.Document{})
		if len(faults) == 0 || strings.Contains(fmt.Sprint(faults), "sixships") {
			t.Errorf("of %q is told: %v", text, faults)
		}
	}
}

// TestAnEmptyFileTakesNothingAway: it is one that was never written, or cut off.
func TestAnEmptyFileTakesNothingAway(t *testing.T) {
	for _, text := range []string{"", "\n \n", "# nothing\n", "\xff\xfe"} {
		if _, faults := document.Parse(text, document.Fixed{}, secrets(), document.Document{}); len(faults) != 1 {
			t.Errorf("%q: %v", text, faults)
		}
	}
	if d := parse(t, "format = 1", document.Fixed{}, document.Document{}); len(d.Limits) > 0 {
		t.Error(d)
	}
}

// TestASecretOfAProviderIsSealedFromItsReference, for the domain alone, and opens where the sign-in needs it.
func TestASecretOfAProviderIsSealedFromItsReference(t *testing.T) {
	s := opened(t, testdb.SQLite(t))
	text := "[[domain]]\nname = \"a.example\"\nimap = \"imaps://a.example\"\nsmtp = \"smtps://a.example\"\noauth = \"google\"\noauth_client_id = \"client\"\noauth_client_secret = \"env:SHIPS\"\n"
	if _, err := apply(t, s, text, document.Fixed{}, false); err != nil {
		t.Fatal(err)
	}
	out := export(t, s, document.Fixed{})
	if strings.Contains(out, "ships") || !strings.Contains(out, "oauth_client_secret = \"sealed:") {
		t.Errorf("it is written as\n%s", out)
	}
	d, err := document.Read(ctx, s, document.Fixed{})
	if err != nil || len(d.Domains) != 1 {
		t.Fatal(d, err)
	}
	if err := tokens.OpenSecret(ring, "a.example", d.Domains[0].OAuth); err != nil || d.Domains[0].OAuth.Secret != "six ships" {
		t.Errorf("%+v, %v", d.Domains[0].OAuth, err)
	}
	if done, err := apply(t, s, text, document.Fixed{}, false); err != nil || len(done) != 0 {
		t.Errorf("the same once more: %v, %v", done, err)
	}
	if _, faults := document.Parse(strings.ReplaceAll(out, "a.example", "b.example"), document.Fixed{}, secrets(), d); len(faults) != 1 {
		t.Errorf("the secret of one domain is another's: %v", faults)
	}
}

// TestWhatTheConfigurationSetsIsAComment and stays as it is below.
func TestWhatTheConfigurationSetsIsAComment(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := opened(t, db)
		mine := `format = 1
public_url = "https://old.example"
[limits]
contacts = 5
mails_per_hour = 7
[[domain]]
name = "example.org"
imap = "imaps://imap.example.org"
smtp = "smtps://smtp.example.org"
`
		if _, err := apply(t, s, mine, document.Fixed{}, false); err != nil {
			t.Fatal(err)
		}
		before := export(t, s, document.Fixed{})
		fixed := document.Fixed{PublicURL: "https://new.example", Domains: []string{"example.org"}, Limits: limits.Set{limits.MailsPerHour: 9}, Discover: "on"}
		text := export(t, s, fixed)
		for _, want := range []string{"# public_url = \"https://new.example\" # by", "# discover = \"on\"", "# the domain example.org is", "# mails_per_hour = 9 # by", "\ncontacts = 5\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		if done, err := apply(t, s, text, fixed, false); err != nil || len(done) > 0 {
			t.Errorf("%v, %v", done, err)
		}
		if after := export(t, s, document.Fixed{}); after != before {
			t.Errorf("what lay below is another:\n%s", after)
		}
		if _, faults := document.Parse(mine, fixed, secrets(), document.Document{}); len(faults) != 3 {
			t.Errorf("three lines are the configuration's: %v", faults)
		}
	})
}

// TestNothingGoesUnasked that people need.
func TestNothingGoesUnasked(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		s := opened(t, db)
		if _, err := apply(t, s, "public_url = \"https://a.example\"\n[[domain]]\nname = \"a.example\"\nimap = \"imaps://a.example\"\nsmtp = \"smtps://a.example\"\n", document.Fixed{}, false); err != nil {
			t.Fatal(err)
		}
		before := export(t, s, document.Fixed{})
		told, err := apply(t, s, "[limits]\ncontacts = 5\n", document.Fixed{}, false)
		if !errors.Is(err, document.ErrLost) || len(told) != 3 || !told[0].Lost || !told[1].Lost || told[2].Lost {
			t.Errorf("%v, %v", told, err)
		}
		if after := export(t, s, document.Fixed{}); after != before {
			t.Errorf("something was changed:\n%s", after)
		}
		if _, err := apply(t, s, "[limits]\ncontacts = 5\n", document.Fixed{}, true); err != nil {
			t.Error(err)
		}
		if after := export(t, s, document.Fixed{}); strings.Contains(after, "a.example") || !strings.Contains(after, "contacts = 5") {
			t.Errorf("it is\n%s", after)
		}
		rows, err := s.Audit(ctx, store.AuditQuery{N: 10})
		if err != nil || len(rows) != 5 || rows[0].Who != "command line" {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

// FuzzParse: whatever comes in, what is taken is written so that it is taken again, and is the same then.
func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		f.Add(anything(r).Written(document.Fixed{}))
	}
	for _, s := range []string{"", "format = 1", "[[domain]]\nname = 'a.example'\nimap='imaps://a.example'\nsmtp='smtps://a.example'", "[limits]\ncontacts = 5\n[limits.person.\"a@b.example\"]\ncontacts = 1", "limits = {contacts = 5}",
		"domain = [{name='a.example'}]", "[limits.person]\n\"a@b.example\".contacts = 4", "[[domain]]\nca = \"\"\"\n[limits]\n\"\"\"", "[[domain.x]]\n[domain.x.y]", "limits.domain.'x.y' = 3", "[\"\"]\n'' = 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, faults := document.Parse(text, document.Fixed{}, secrets(), document.Document{})
		if len(faults) > 0 {
			for _, v := range faults {
				if v.Words == "" || v.Line < 0 || v.Line > 1+strings.Count(text, "\n") {
					t.Errorf("a fault on line %d of %d: %q", v.Line, 1+strings.Count(text, "\n"), v.Words)
				}
			}
			return
		}
		once := d.Written(document.Fixed{})
		again, faults := document.Parse(once, document.Fixed{}, secrets(), document.Document{})
		if len(faults) > 0 {
			t.Fatalf("%v in what was written:\n%s", faults, once)
		}
		if twice := again.Written(document.Fixed{}); twice != once || len(document.Changes(d, again)) > 0 {
			t.Errorf("first\n%s\nthen\n%s", once, twice)
		}
	})
}
