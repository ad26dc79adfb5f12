package handlers

import (
	"strings"
	"testing"
)

var oddNames = []string{
	"INBOX", "a/b", "a/BEEF", "a/B", "Work/2019", "~", "~~", "a~b", "100 % sure", `say "hi"`, `back\slash`, "?", "#", "a&b", "a+b", ".", "..", "a.", "Bücher & Notizen",
	"日本語", "مرحبا", "📬 post", "e\u0301", "é", "mailboxes", "\xff\xfe", "a//b", "/a", "a/", strings.Repeat("long ", 40), "tab\there",
}

func TestM20_SlugRoundTrip(t *testing.T) {
	for _, delimiter := range []string{"/", ".", "|", `\`, ""} {
		seen := map[string]string{}
		for _, name := range oddNames {
			slug := Slug(name, delimiter)
			if strings.ContainsAny(slug, "/?#%\\ &+\"") || slug == "." || slug == ".." || slug == "mailboxes" {
				t.Errorf("Slug(%q, %q) = %q does not survive a proxy", name, delimiter, slug)
			}
			if got, ok := Unslug(slug, delimiter); !ok || got != name {
				t.Errorf("Unslug(Slug(%q, %q) = %q) = %q, %v", name, delimiter, slug, got, ok)
			}
			if other, double := seen[slug]; double {
				t.Errorf("%q and %q share the slug %q", name, other, slug)
			}
			seen[slug] = name
		}
	}
}

func TestOwnPathRefusesOtherPlaces(t *testing.T) {
	for next, want := range map[string]string{
		"/mail/1/INBOX?page=2": "/mail/1/INBOX?page=2", "": "/", "https://evil.test/": "/", "//evil.test": "/",
		`/\evil.test`: "/", "javascript:alert(1)": "/", "/a\r\nX: y": "/", "mail": "/",
	} {
		if got := ownPath(next); got != want {
			t.Errorf("ownPath(%q) = %q, want %q", next, got, want)
		}
	}
}

func FuzzSlug(f *testing.F) {
	for _, n := range oddNames {
		f.Add(n, "/")
	}
	f.Fuzz(func(t *testing.T, name, delimiter string) {
		if name == "" || len(delimiter) > 1 || strings.ContainsAny(delimiter, "~0123456789ABCDEF") {
			return
		}
		if got, ok := Unslug(Slug(name, delimiter), delimiter); !ok || got != name {
			t.Errorf("%q with %q came back as %q, %v", name, delimiter, got, ok)
		}
	})
}
