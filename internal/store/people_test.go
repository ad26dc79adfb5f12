package store_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"restante/internal/store"
)

func addresses(people []store.Person) (out []string) {
	for _, p := range people {
		out = append(out, p.Address)
	}
	return out
}

func TestPeopleAreFoundByWhoAsks(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		people := []store.Person{
			{Address: "Zoe@x.test", Name: "Zoë Ångström"}, {Address: "o_k@x.test", Name: `100% "Sure"`}, {Address: "ok@x.test", Name: "Émile O'Neil"},
		}
		ok(t, s.AddPeople(ctx, anna.ID, people))
		ok(t, s.AddPeople(ctx, anna.ID, []store.Person{{Address: "ok@x.test"}}))
		ok(t, s.AddPeople(ctx, ben.ID, []store.Person{{Address: "secret@x.test"}}))
		fits := func(p store.Person) bool { return strings.HasPrefix(p.Address, "o") || p.Address == "secret@x.test" }
		if got := addresses(must(s.FindPeople(ctx, anna.ID, fits, 10))(t)); !slices.Equal(got, []string{"ok@x.test", "o_k@x.test"}) {
			t.Errorf("found %q", got)
		}
		all := must(s.FindPeople(ctx, anna.ID, nil, 2))(t)
		if len(all) != 2 || all[0].Address != "ok@x.test" || all[0].Written != 2 || all[0].Name != "Émile O'Neil" || all[0].LastAt.IsZero() {
			t.Errorf("%+v", all)
		}
	})
}

func TestTrustedSenders(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		ok(t, s.TrustSender(ctx, anna.ID, "News@X.test"))
		ok(t, s.TrustSender(ctx, anna.ID, "news@x.test"))
		if !must(s.SenderTrusted(ctx, anna.ID, "NEWS@x.test"))(t) || must(s.SenderTrusted(ctx, ben.ID, "news@x.test"))(t) {
			t.Error("trust is not anna's alone")
		}
		if all := must(s.TrustedSenders(ctx, anna.ID))(t); !slices.Equal(all, []string{"news@x.test"}) {
			t.Error(all)
		}
		missing(t, "another's trust", s.DistrustSender(ctx, ben.ID, "news@x.test"))
		ok(t, s.DistrustSender(ctx, anna.ID, "News@x.test"))
		if must(s.SenderTrusted(ctx, anna.ID, "news@x.test"))(t) {
			t.Error("still trusted")
		}
	})
}

func TestAnActIsTakenOnceByItsUser(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		first := must(s.AddAct(ctx, anna.ID, "move", `{"n":0}`))(t)
		_, err := s.TakeAct(ctx, ben.ID, first)
		missing(t, "another's act", err)
		a := must(s.TakeAct(ctx, anna.ID, first))(t)
		if a.Kind != "move" || a.Undo != `{"n":0}` || a.Created.IsZero() || a.ID != first {
			t.Errorf("%+v", a)
		}
		_, err = s.TakeAct(ctx, anna.ID, first)
		missing(t, "an act taken twice", err)
		second := must(s.AddAct(ctx, anna.ID, "move", "{}"))(t)
		for i := range 50 {
			must(s.AddAct(ctx, anna.ID, "flag", strconv.Itoa(i)))(t)
		}
		_, err = s.TakeAct(ctx, anna.ID, second)
		missing(t, "an act older than the last 50", err)
	})
}

func TestColoursAreKeptForASender(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		ok(t, s.KeepColours(ctx, anna.ID, "News@X.test", true))
		ok(t, s.KeepColours(ctx, anna.ID, "news@x.test", true))
		if !must(s.ColoursKept(ctx, anna.ID, "NEWS@x.test"))(t) || must(s.ColoursKept(ctx, ben.ID, "news@x.test"))(t) {
			t.Error("the wish is not anna's alone")
		}
		if all := must(s.KeptColours(ctx, anna.ID))(t); !slices.Equal(all, []string{"news@x.test"}) {
			t.Error(all)
		}
		ok(t, s.KeepColours(ctx, anna.ID, "news@x.test", false))
		if must(s.ColoursKept(ctx, anna.ID, "news@x.test"))(t) {
			t.Error("still kept")
		}
	})
}

func TestAcquaintedIsWhoWasWrittenTo(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _ := user(t, s, "a@x.test")
		ben, _ := user(t, s, "b@x.test")
		ok(t, s.AddPeople(ctx, anna.ID, []store.Person{{Address: "Maria@Keller.test", Name: "Maria Keller"}, {Address: "m@work.test", Name: "Maria Keller"}, {Address: "x@work.test"}}))
		for _, c := range []struct {
			user       int64
			addr, name string
			known      bool
			namesakes  int
		}{
			{anna.ID, "maria@keller.test", "", true, 0}, {anna.ID, "MARIA@keller.test", "Maria Keller", true, 1}, {anna.ID, "new@else.test", "Maria Keller", false, 2},
			{anna.ID, "new@else.test", "", false, 0}, {ben.ID, "maria@keller.test", "Maria Keller", false, 0},
		} {
			met, err := s.Acquainted(ctx, c.user, c.addr, c.name)
			ok(t, err)
			if met.Known != c.known || len(met.Namesakes) != c.namesakes {
				t.Errorf("%+v: %+v", c, met)
			}
		}
		if all := must(s.WrittenDomains(ctx, anna.ID))(t); !slices.Equal(all, []string{"keller.test", "work.test"}) {
			t.Error(all)
		}
	})
}
