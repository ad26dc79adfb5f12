package mailclient_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"restante/mailclient"
)

// FuzzParseSearch: whatever is typed is a search or a named error.
func FuzzParseSearch(f *testing.F) {
	for _, s := range []string{
		"", "hello", `"two words"`, `"unclosed`, "-", "--", "-from:x", "from:", "from:maria subject:\"a b\"", "has:attachment", "has:file", "has:wings", "before:2026-01-31", "after:2026/1/1", "on:x",
		"before:9999-99-99", "larger:5m", "larger:-1", "larger:99999999999999999999k", "is:unread is:read", "is:odd", "in:Work", "tag:x", "tag:a(b", "cc:a bcc:b to:c body:d", ":", "::", "a:b:c",
		"{5+}\r\nhello", "\x00", "\xff", ") ALL (OR", "from:\"x", "日本語 -한국어", "*", "%", "\\", "larger:", "a\tb",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := mailclient.ParseSearch(s, time.UTC)
		var named *mailclient.QueryError
		if err != nil && !errors.As(err, &named) {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// TestAWordIsTakenOutOfASearch: what is left asks for the rest, as it was typed.
func TestAWordIsTakenOutOfASearch(t *testing.T) {
	for q, want := range map[string][]string{
		"from:maria has:pdf figures":   {"has:pdf figures", "from:maria figures", "from:maria has:pdf"},
		`from: "Maria Keller"  -spam`:  {"-spam", `from: "Maria Keller"`},
		"from:a OR from:b OR from:c x": {"from:b OR from:c x", "from:a OR from:c x", "from:a OR from:b x", "from:a OR from:b OR from:c"},
		"x in:work":                    {"in:work", "x"},
		`one "two th`:                  {`"two th`, "one"},
		"one":                          {""},
		"":                             nil,
	} {
		var got []string
		for _, term := range mailclient.SearchTerms(q, time.UTC) {
			got = append(got, term.Without)
			if _, err := mailclient.ParseSearch(term.Without, time.UTC); err != nil {
				t.Errorf("%s: without %s: %v", q, term.Typed, err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", q, got, want)
		}
	}
}
