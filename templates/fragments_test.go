package templates

import (
	"strings"
	"testing"

	"restante/internal/i18n"
)

func TestARowIsRenderedAnewWhenAnythingOfItHasChanged(t *testing.T) {
	page := func(r Row) string {
		var b strings.Builder
		frame := Frame{Head: Head{L: i18n.For("en", "")}}
		if err := Render(&b, Mail{Frame: frame, List: List{Rows: []Row{r}}}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	row := Row{Key: "1-2", UID: 2, Subject: `<b>"Plans" & more</b>`, Unread: true}
	first := page(row)
	if !strings.Contains(first, "&lt;b&gt;&#34;Plans&#34; &amp; more&lt;/b&gt;</bdi>") || strings.Contains(first, "<b>") {
		t.Errorf("the subject is not escaped: %s", first)
	}
	if page(row) != first {
		t.Error("the same row is another one the second time")
	}
	row.Unread = false
	if strings.Contains(page(row), "data-unread>") {
		t.Error("a row that was read stays unread")
	}
	for i := range 3 * maxFragments { // it does not grow for ever
		page(Row{UID: uint32(i)})
	}
}
