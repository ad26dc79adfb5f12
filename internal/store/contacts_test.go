package store_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"restante/internal/contacts"
	"restante/internal/store"
)

// kept is a contact as the handlers write it.
func kept(name string, addresses ...string) store.Contact {
	c := contacts.Contact{Name: name}
	for _, a := range addresses {
		c.Addresses = append(c.Addresses, contacts.Value{Text: a})
	}
	return store.Contact{Name: c.Shown(), Sort: c.Sort(), Initial: c.Initial(), Words: c.Words(), Card: `{"name":` + strconv.Quote(name) + `}`, Addresses: addresses}
}

func names(list []store.Contact) (out []string) {
	for _, c := range list {
		out = append(out, c.Name)
	}
	return out
}

func save(t *testing.T, s *store.Store, userID int64, list ...store.Contact) []int64 {
	t.Helper()
	ids, _, err := s.ChangeContacts(ctx, userID, store.ContactChange{Save: list})
	ok(t, err)
	return ids
}

func TestNoSearchOfContactsStaysInMemory(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		before := s.Prepared()
		var words []string
		for n := range 20 {
			words = append(words, "o'brien")
			q := store.ContactQuery{Words: words, From: n, N: 10}
			_, _, err := s.Contacts(ctx, anna.ID, q)
			ok(t, err)
			must(s.ContactInitials(ctx, anna.ID, q))(t)
			must(s.ContactAddresses(ctx, anna.ID, words, n+1))(t)
		}
		if after := s.Prepared(); after != before {
			t.Errorf("%d statements are kept, %d were before", after, before)
		}
	})
}

func TestContactsStandUnderTheirLettersAndAreFound(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		save(t, s, anna.ID, kept("Zoë Ångström", "zoe@x.test"), kept("bob 100%", "b_b@x.test"), kept("Émile", "e@x.test", "emile@home.test"), kept("3M"), kept("¿Quién?"), kept("Ärmel"), kept("Eve"))
		save(t, s, ben.ID, kept("Secret", "secret@x.test"))
		list, total, err := s.Contacts(ctx, anna.ID, store.ContactQuery{})
		ok(t, err)
		if want := []string{"3M", "¿Quién?", "Ärmel", "bob 100%", "Émile", "Eve", "Zoë Ångström"}; total != 7 || !slices.Equal(names(list), want) {
			t.Errorf("%d: %q", total, names(list))
		}
		initials, err := s.ContactInitials(ctx, anna.ID, store.ContactQuery{})
		ok(t, err)
		if want := []store.Initial{{"#", 0}, {"A", 2}, {"B", 3}, {"E", 4}, {"Z", 6}}; !slices.Equal(initials, want) {
			t.Errorf("headings %v", initials)
		}
		list, total, err = s.Contacts(ctx, anna.ID, store.ContactQuery{From: 3, N: 2})
		ok(t, err)
		if total != 7 || !slices.Equal(names(list), []string{"bob 100%", "Émile"}) {
			t.Errorf("a page of %d: %q", total, names(list))
		}
		for words, want := range map[string][]string{"zo": {"Zoë Ångström"}, "ang": {"Zoë Ångström"}, "b_": {"bob 100%"}, "home": {"Émile"}, "ome": nil, "emile@h": {"Émile"}, "%": nil, `\`: nil, "secret": nil} {
			list, _, err := s.Contacts(ctx, anna.ID, store.ContactQuery{Words: []string{words}})
			ok(t, err)
			if !slices.Equal(names(list), want) {
				t.Errorf("%q finds %q", words, names(list))
			}
		}
		people, err := s.ContactAddresses(ctx, anna.ID, []string{"e"}, 10)
		ok(t, err)
		if !slices.Equal(addresses(people), []string{"e@x.test", "emile@home.test"}) {
			t.Errorf("addresses %q", addresses(people))
		}
	})
}

func TestAChangeOfContactsIsTakenBackByWhatItGives(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		choir := must(s.MakeGroup(ctx, anna.ID, "Choir", "choir"))(t)
		foreign := must(s.MakeGroup(ctx, ben.ID, "Choir", "choir"))(t)
		one, two := kept("One", "one@x.test"), kept("Two", "two@x.test")
		one.Groups = []int64{choir, foreign}
		ids := save(t, s, anna.ID, one, two)
		both := one
		both.ID, both.Addresses = ids[0], []string{"one@x.test", "two@x.test"}
		saved, before, err := s.ChangeContacts(ctx, anna.ID, store.ContactChange{Delete: ids[1:], Save: []store.Contact{both}})
		ok(t, err)
		if len(saved) != 1 || saved[0] != ids[0] || !slices.Equal(names(before), []string{"Two", "One"}) || !slices.Equal(before[1].Groups, []int64{choir}) {
			t.Fatalf("saved %v, before %+v", saved, before)
		}
		if id := must(s.ContactOf(ctx, anna.ID, "TWO@x.test"))(t); id != ids[0] {
			t.Errorf("two@x.test is of %d", id)
		}
		save(t, s, anna.ID, before...)
		list, _, err := s.Contacts(ctx, anna.ID, store.ContactQuery{Group: choir})
		ok(t, err)
		if id := must(s.ContactOf(ctx, anna.ID, "two@x.test"))(t); id != ids[1] || !slices.Equal(names(list), []string{"One"}) {
			t.Errorf("taken back, two@x.test is of %d, the choir %q", id, names(list))
		}
		if _, _, err := s.ChangeContacts(ctx, ben.ID, store.ContactChange{Delete: ids}); err != nil {
			t.Error(err)
		}
		if _, err := s.Contact(ctx, ben.ID, ids[0]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a contact of another: %v", err)
		}
		if _, total, _ := s.Contacts(ctx, anna.ID, store.ContactQuery{}); total != 2 {
			t.Errorf("%d contacts are left after another's try to delete them", total)
		}
	})
}

func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ids := save(t, s, anna.ID, kept("One", "one@x.test", "uno@x.test"), kept("Two"), kept("Three", "three@x.test"))
		g := must(s.MakeGroup(ctx, anna.ID, "Choir", "choir"))(t)
		if again := must(s.MakeGroup(ctx, anna.ID, "CHOIR", "choir"))(t); again != g {
			t.Error("there are two groups of one name")
		}
		work := must(s.MakeGroup(ctx, anna.ID, "Work", "work"))(t)
		if were := must(s.ChangeMembers(ctx, anna.ID, g, append(ids, 999_999), true))(t); !slices.Equal(were, ids) {
			t.Errorf("put in %v", were)
		}
		if were := must(s.ChangeMembers(ctx, anna.ID, g, ids[1:2], false))(t); !slices.Equal(were, ids[1:2]) {
			t.Errorf("taken out %v", were)
		}
		if got := addresses(must(s.GroupAddresses(ctx, anna.ID, g))(t)); !slices.Equal(got, []string{"one@x.test", "three@x.test"}) {
			t.Errorf("its addresses %q", got)
		}
		if done := must(s.RenameGroup(ctx, anna.ID, work, "choir", "choir"))(t); done {
			t.Error("two groups are called alike")
		}
		if done := must(s.RenameGroup(ctx, anna.ID, work, "Office", "office"))(t); !done {
			t.Error("not renamed")
		}
		groups := must(s.ContactGroups(ctx, anna.ID))(t)
		if len(groups) != 2 || groups[0] != (store.ContactGroup{ID: g, Name: "Choir", Members: 2}) || groups[1].Name != "Office" {
			t.Errorf("groups %+v", groups)
		}
		name, members, err := s.DeleteGroup(ctx, anna.ID, g)
		ok(t, err)
		if _, total, _ := s.Contacts(ctx, anna.ID, store.ContactQuery{}); name != "Choir" || len(members) != 2 || total != 3 {
			t.Errorf("deleted %q of %v, %d contacts left", name, members, total)
		}
	})
}

func TestWhoIsKeptIsNoStranger(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ok(t, s.AddPeople(ctx, anna.ID, []store.Person{{Address: "one@x.test", Name: "One"}, {Address: "Two@x.test"}}))
		save(t, s, anna.ID, kept("Two", "TWO@x.test"), kept("Ada Keller", "ada@x.test"))
		list, total, err := s.Strangers(ctx, anna.ID, 0, 10)
		ok(t, err)
		if total != 1 || !slices.Equal(addresses(list), []string{"one@x.test"}) {
			t.Errorf("strangers %q", addresses(list))
		}
		met := must(s.Acquainted(ctx, anna.ID, "Ada@x.test", "Ada Keller"))(t)
		if id := must(s.ContactOf(ctx, anna.ID, "ada@x.test"))(t); !met.Known || met.Contact != id || len(met.Namesakes) > 0 {
			t.Errorf("a contact is known: %+v", met)
		}
		met = must(s.Acquainted(ctx, anna.ID, "ada@evil.test", "Ada Keller"))(t)
		if met.Known || met.Contact != 0 || !slices.Equal(met.Namesakes, []string{"ada@x.test"}) {
			t.Errorf("a stranger by a contact's name: %+v", met)
		}
		ok(t, s.ForgetPerson(ctx, anna.ID, "ONE@x.test"))
		if _, total, _ := s.Strangers(ctx, anna.ID, 0, 10); total != 0 {
			t.Error("somebody forgotten is still there")
		}
	})
}

func TestFilesOfContactsWaitForADecision(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		id := must(s.KeepContactFile(ctx, anna.ID, "people.vcf", "[]"))(t)
		name, data, err := s.ContactFile(ctx, anna.ID, id)
		if err != nil || name != "people.vcf" || data != "[]" {
			t.Errorf("%q, %q, %v", name, data, err)
		}
		if _, _, err := s.ContactFile(ctx, ben.ID, id); err != store.ErrNotFound {
			t.Errorf("of another: %v", err)
		}
		ok(t, s.DropContactFile(ctx, anna.ID, id))
		if _, _, err := s.ContactFile(ctx, anna.ID, id); err != store.ErrNotFound {
			t.Errorf("dropped: %v", err)
		}
	})
}

func TestNamesWithMarksInThemAreFoundAsTheyAreWritten(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		save(t, s, anna.ID, kept("Jean-Luc O'Brien", "jl@x.test"), kept("J. R. Ewing"), kept("Jean", "jean-marie@x.test"), kept("Luc"))
		for word, want := range map[string][]string{"jean-luc": {"Jean-Luc O'Brien"}, "o'br": {"Jean-Luc O'Brien"}, "o’brien": {"Jean-Luc O'Brien"}, "j.r.": {"J. R. Ewing"}, "jean-m": {"Jean"}, "jean@luc": nil, "-": nil} {
			list, _, err := s.Contacts(ctx, anna.ID, store.ContactQuery{Words: []string{word}})
			ok(t, err)
			if !slices.Equal(names(list), want) {
				t.Errorf("%q finds %q", word, names(list))
			}
		}
	})
}
