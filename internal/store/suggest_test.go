package store_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"restante/internal/contacts"
	"restante/internal/store"
	"restante/mailclient/message"
)

// cpu is what this process has used so far, whatever else the machine does.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSuggest finds whom a few letters mean among 50,000 contacts and 5,000 people written to, as each letter that
// is typed into a field of recipients does.
func BenchmarkSuggest(b *testing.B) {
	s, err := store.Open(ctx, "", b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	u, _, err := s.EnsureUser(ctx, "anna@example.test", "anna")
	if err != nil {
		b.Fatal(err)
	}
	first, last := strings.Fields("Anna Ben Clara Dörte Émile Fatima Göran Hana Iris Jonas Katja Leo Mário Nadia Olga Pavel Rosa Søren Tomás Uwe Vera Wanda Xaver Yara Zoë"), strings.Fields("Adler Berg Cohen Dürr Evans Fuchs Grün Hofer Iwanow Jansen Keller Lang Müller Novák Okoye Peters Quist Rossi Schäfer Tanaka Ude Vogel Weiß Yılmaz Zöllner")
	ch := store.ContactChange{}
	for i := range 50_000 {
		c := contacts.Contact{Name: fmt.Sprintf("%s %s", first[i%len(first)], last[i/len(first)%len(last)]), Addresses: []contacts.Value{{Text: fmt.Sprintf("%s.%s%d@firm%d.example", message.Fold(first[i%len(first)]), message.Fold(last[i/len(first)%len(last)]), i, i%300)}}}
		ch.Save = append(ch.Save, store.Contact{Name: c.Name, Sort: c.Sort(), Initial: c.Initial(), Words: c.Words(), Card: "{}", Addresses: []string{c.Addresses[0].Text}})
	}
	for part := range slices.Chunk(ch.Save, 5000) {
		if _, _, err := s.ChangeContacts(ctx, u.ID, store.ContactChange{Save: part}); err != nil {
			b.Fatal(err)
		}
	}
	var people []store.Person
	for i := range 5000 {
		p := store.Person{Address: fmt.Sprintf("writer%d@other%d.example", i, i%50), Name: fmt.Sprintf("%s %s", last[i%len(last)], first[i/7%len(first)])}
		if i%5 == 0 {
			p.Address = ch.Save[i*7].Addresses[0]
		}
		people = append(people, p)
	}
	if err := s.AddPeople(ctx, u.ID, people); err != nil {
		b.Fatal(err)
	}
	if _, err := s.FindPeople(ctx, u.ID, nil, 1); err != nil { // as the page to write on does
		b.Fatal(err)
	}
	for _, q := range []string{"a", "mül", "keller", "anna kel", "writer42", "nobody"} {
		b.Run(q, func(b *testing.B) {
			before := cpu()
			defer func() { b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }()
			for b.Loop() {
				words := strings.Fields(message.Fold(q))
				if _, err := s.FindPeople(ctx, u.ID, func(p store.Person) bool { return contacts.Begins(p.Name, p.Address, message.Fold(q)) }, 200); err != nil {
					b.Fatal(err)
				}
				if _, err := s.ContactAddresses(ctx, u.ID, words, 200); err != nil {
					b.Fatal(err)
				}
				if _, err := s.ContactGroups(ctx, u.ID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestWhatIsLookedThroughIsNew: a change of contacts or people is found at once.
func TestWhatIsLookedThroughIsNew(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		found := func(want ...string) {
			t.Helper()
			got := addresses(must(s.ContactAddresses(ctx, anna.ID, []string{"zoe"}, 9))(t))
			got = append(got, addresses(must(s.FindPeople(ctx, anna.ID, nil, 9))(t))...)
			if !slices.Equal(got, want) {
				t.Errorf("found %q, not %q", got, want)
			}
		}
		found()
		ids := save(t, s, anna.ID, kept("Zoë", "zoe@x.test"), kept("Zoe B", "zoeb@x.test"))
		found("zoe@x.test", "zoeb@x.test")
		ok(t, s.AddPeople(ctx, anna.ID, []store.Person{{Address: "zoeb@x.test"}}))
		found("zoeb@x.test", "zoe@x.test", "zoeb@x.test")
		ok(t, s.ForgetPerson(ctx, anna.ID, "zoeb@x.test"))
		found("zoe@x.test", "zoeb@x.test")
		_, _, err := s.ChangeContacts(ctx, anna.ID, store.ContactChange{Delete: ids[:1]})
		ok(t, err)
		found("zoeb@x.test")
	})
}
