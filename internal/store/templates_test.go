package store_test

import (
	"errors"
	"fmt"
	"testing"

	"restante/internal/store"
)

func TestTemplates(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		anna, _, err := s.EnsureUser(ctx, "anna@x.test", "anna")
		ok(t, err)
		ben, _, err := s.EnsureUser(ctx, "ben@x.test", "ben")
		ok(t, err)
		ok(t, s.SaveTemplate(ctx, store.Template{UserID: anna.ID, Name: "thanks", Shortcut: "t", Subject: "S", Body: "B", HTML: "<b>B</b>"}))
		ok(t, s.SaveTemplate(ctx, store.Template{UserID: anna.ID, Name: "Away", Body: "C"}))
		all := must(s.Templates(ctx, anna.ID))(t)
		if len(all) != 2 || all[0].Name != "Away" || all[1].HTML != "<b>B</b>" || all[1].Shortcut != "t" || all[1].Subject != "S" {
			t.Fatalf("%+v", all)
		}
		stolen := all[1]
		stolen.UserID = ben.ID
		missing(t, "another's", s.SaveTemplate(ctx, stolen))
		missing(t, "another's", s.DeleteTemplate(ctx, ben.ID, stolen.ID))
		ok(t, s.DeleteTemplate(ctx, anna.ID, all[0].ID))
		if left := must(s.Templates(ctx, anna.ID))(t); len(left) != 1 || left[0] != all[1] {
			t.Errorf("%+v", left)
		}
		for i := range store.MaxTemplates - 1 {
			ok(t, s.SaveTemplate(ctx, store.Template{UserID: anna.ID, Name: fmt.Sprint(i), Body: "x"}))
		}
		if err := s.SaveTemplate(ctx, store.Template{UserID: anna.ID, Name: "one more", Body: "x"}); !errors.Is(err, store.ErrEnough) {
			t.Errorf("one more: %v", err)
		}
	})
}
