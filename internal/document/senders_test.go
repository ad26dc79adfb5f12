package document_test

import (
	"strings"
	"testing"

	"restante/internal/document"
)

func TestFaultsOfSenderAddresses(t *testing.T) {
	const text = `format = 1
[senders."example.org"]
lock = "some"
no_tags = "yes"
name = "two\nlines"
footer_html = "<p>x</p>"
colour = "blue"
[senders."no domain"]
lock = "all"
[senders."EXAMPLE.org"]
lock = "all"
`
	_, faults := document.Parse(text, document.Fixed{}, secrets(), document.Document{})
	want := []string{"line 2: the sender addresses of example.org stand here twice", "line 3: ", "line 4: no_tags", "line 5: name is one line", "line 6: footer is missing", `line 7: "colour"`, `line 8: "no domain"`}
	if len(faults) != len(want) {
		t.Fatal(faults)
	}
	for i, w := range want {
		if !strings.HasPrefix(faults[i].String(), w) {
			t.Errorf("%q, not %q", faults[i], w)
		}
	}
}
