package mailclient_test

import (
	"strings"
	"testing"

	"restante/mailclient"
)

// TestLabelsAreKeptAsKeywords: words of any language come back as they were written, and a server gets an atom.
func TestLabelsAreKeptAsKeywords(t *testing.T) {
	for label, keyword := range map[string]string{"todo": "todo", "to do": "to_do", "Ünlü & Co": "&ANw-nl&APw-_&-_Co", "R&D": "R&-D", "📬": "&2D3c7A-", "$Label1": "$Label1"} {
		got, ok := mailclient.Keyword(label)
		if got != keyword || !ok || mailclient.Label(got) != label {
			t.Errorf("%q is kept as %q (%v), and read as %q", label, got, ok, mailclient.Label(got))
		}
	}
	for _, label := range []string{"", "  ", `\Deleted`, "a(b", "50%", "x\x00", "x\r\ny", "a\u2028b", "\xff", strings.Repeat("é", 41)} {
		if got, ok := mailclient.Keyword(label); ok {
			t.Errorf("%q is a label, kept as %q", label, got)
		}
	}
	if got := mailclient.Label("R&D"); got != "R&D" {
		t.Errorf("another program's keyword is read as %q", got)
	}
}
