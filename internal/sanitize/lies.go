package sanitize

import (
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// lies says whether the text of a link names another site than the link goes to.
func lies(text string, to web) bool {
	if to.user != "" {
		return true
	}
	if !strings.Contains(text, ".") { // which every name of a site has
		return false
	}
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
	fields := strings.Fields(text)
	for _, f := range fields {
		host, ok := claim(f, len(fields) <= 8)
		if ok && site(host) != site(to.host) {
			return true
		}
	}
	return false
}

// claim is the host that a word of a link's text names. A bare "name.example" counts only in a short text: in a long one
// it is more often a full stop without a space.
func claim(word string, short bool) (string, bool) {
	word = strings.Trim(word, `"'<>()[]{},;.!?:*`)
	lower := strings.ToLower(word)
	schemed := false
	for _, p := range []string{"https://", "http://", "//"} {
		if rest, ok := strings.CutPrefix(lower, p); ok {
			lower, schemed = rest, true
			break
		}
	}
	if !schemed && !short && !strings.HasPrefix(lower, "www.") {
		return "", false
	}
	if i := strings.IndexAny(lower, `/?#\`); i >= 0 {
		lower = lower[:i]
	}
	if strings.Contains(lower, "@") {
		if !schemed {
			return "", false // an address of a person
		}
		lower, _, _ = strings.Cut(lower, "@") // what a reader sees first
	}
	lower, _, _ = strings.Cut(lower, ":")
	if !strings.Contains(lower, ".") {
		return "", false
	}
	host, ok := asciiHost(lower)
	if !ok {
		return lower, schemed
	}
	_, icann := publicsuffix.PublicSuffix(host)
	return host, icann || schemed || strings.HasPrefix(host, "www.")
}

// site is the registrable domain of a host, or the host itself.
func site(host string) string {
	host = strings.Trim(strings.ToLower(host), ".")
	if s, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return s
	}
	return host
}
