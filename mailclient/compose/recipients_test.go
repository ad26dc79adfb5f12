package compose_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"restante/mailclient/compose"
)

// TestListsOfRecipients: whatever program a list was copied from. A browser reads the same in cmd/restante.
func TestListsOfRecipients(t *testing.T) {
	raw, err := os.ReadFile("testdata/recipients.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text        string
		List, Wrong []string
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		list, wrong := compose.Recipients(c.Text)
		var got []string
		for _, a := range list {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.List) || !slices.Equal(wrong, c.Wrong) {
			t.Errorf("%q: %q, wrong %q; not %q, wrong %q", c.Text, got, wrong, c.List, c.Wrong)
		}
	}
}
