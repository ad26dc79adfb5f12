package disguise

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// likeOneOf is the domain, of those a person has or writes to, that this one nearly is. "" for none, and for one of them.
func likeOneOf(domain string, c Circle) string {
	here := site(domain)
	known := make([]string, 0, len(c.Own)+len(c.Domains))
	for _, a := range c.Own {
		known = append(known, site(domainOf(a)))
	}
	for _, d := range c.Domains {
		known = append(known, site(d))
	}
	like := ""
	for _, k := range known {
		if k == here {
			return ""
		}
		if like == "" && !providers[here] && alike(here, k) {
			like = k
		}
	}
	return like
}

// providers are real ones whose names are nearly those of others.
var providers = map[string]bool{"gmail.com": true, "ymail.com": true, "email.com": true, "mail.com": true, "gmx.de": true, "gmx.at": true, "gmx.ch": true}

// fewest is how long a name must be for one letter to be a slip that nobody sees.
const fewest = 5

// alike says whether two registrable domains are easily taken for one another: by letters that look alike, by one
// letter more, less, other or out of its place, or by an ending that is nearly "com".
func alike(a, b string) bool {
	a, b = unicodeOf(a), unicodeOf(b)
	if skeleton(a) == skeleton(b) {
		return true
	}
	x, xEnd, _ := strings.Cut(a, ".")
	y, yEnd, _ := strings.Cut(b, ".")
	if x == y {
		slips := map[string]bool{"co": true, "cm": true, "om": true, "con": true, "comm": true}
		return slips[xEnd] && yEnd == "com" || slips[yEnd] && xEnd == "com"
	}
	return xEnd == yEnd && min(len(x), len(y)) >= fewest && oneEdit([]rune(x), []rune(y))
}

// oneEdit says whether one insertion, deletion, change or swap of neighbours makes a of b.
func oneEdit(a, b []rune) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	equal := func(x, y []rune) bool { return string(x) == string(y) }
	switch len(a) - len(b) {
	case 0:
		return i < len(a) && (equal(a[i+1:], b[i+1:]) || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && equal(a[i+2:], b[i+2:]))
	case 1:
		return equal(a[i+1:], b[i:])
	}
	return false
}

// popular are domains that many people write to; static/js/domains.js has the same.
var popular = []string{"gmail.com", "googlemail.com", "outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "yahoo.com", "yahoo.de", "icloud.com", "me.com",
	"aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "fastmail.com"}

// Meant is the popular domain that was probably meant by one that is almost its name, "" for none. Short ones differ by
// a letter for good reasons.
func Meant(domain string) string {
	domain = strings.ToLower(domain)
	if len(domain) < 8 || slices.Contains(popular, domain) {
		return ""
	}
	for _, p := range popular {
		if len(p) > 8 && oneEdit([]rune(domain), []rune(p)) {
			return p
		}
	}
	return ""
}

// looks are letters of other scripts, and digits, that are drawn like Latin small letters (after UTS 39, those that
// name registries let in most).
var looks = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "і", "i", "ј", "j", "ѕ", "s", "һ", "h", "ԁ", "d", "ԛ", "q",
	"ԝ", "w", "к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "г", "r", "п", "n", "ӏ", "l", "ь", "b", "α", "a", "ο", "o", "ρ", "p", "ν", "v", "υ", "u",
	"ι", "i", "κ", "k", "τ", "t", "ε", "e", "χ", "x", "γ", "y", "η", "n", "ω", "w", "օ", "o", "ո", "n", "ս", "u", "ք", "p", "ı", "i", "ł", "l", "ø", "o", "đ", "d",
	"0", "o", "1", "l", "rn", "m", "vv", "w")

// skeleton is a name as it looks at a glance.
func skeleton(s string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
	return strings.ReplaceAll(looks.Replace(plain), "i", "l")
}

// OddScript says whether a domain has a label whose letters are of scripts that do not go together, or all look like
// Latin ones though they are not (UTS 39, "highly restrictive"). It gives the domain as computers spell it.
func OddScript(domain string) (ascii string, odd bool) {
	for label := range strings.SplitSeq(unicodeOf(domain), ".") {
		odd = odd || oddLabel(label)
	}
	if !odd {
		return "", false
	}
	ascii, err := idna.Punycode.ToASCII(domain)
	if err != nil {
		return domain, true
	}
	return ascii, true
}

// together are scripts that one word may be written in.
var together = map[string]string{"Han": "east", "Hiragana": "east", "Katakana": "east", "Bopomofo": "east", "Hangul": "east"}

func oddLabel(label string) bool {
	groups := map[string]bool{} // of scripts that go together
	latin := true               // at a glance
	for _, r := range label {
		if r < 0x80 {
			groups["Latin"] = groups["Latin"] || unicode.IsLetter(r)
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		g := scriptOf(r)
		if g == "Common" || g == "Inherited" {
			continue
		}
		if t := together[g]; t != "" {
			g = t
		}
		groups[g] = true
		if s := skeleton(string(r)); s == "" || s[0] >= 0x80 {
			latin = false
		}
	}
	switch {
	case len(groups) == 0 || len(groups) == 1 && groups["Latin"]: // with marks at most
		return false
	case len(groups) == 1:
		return latin
	}
	return len(groups) > 2 || !groups["Latin"] || !groups["east"]
}

func scriptOf(r rune) string {
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}

// unicodeOf is a domain as it is shown; one that is no domain stands for itself.
func unicodeOf(domain string) string {
	u, err := idna.Punycode.ToUnicode(strings.ToLower(domain))
	if err != nil {
		return domain
	}
	return u
}

// site is the registrable domain, or the domain itself.
func site(domain string) string {
	domain = strings.Trim(domain, ".")
	if ascii, err := idna.Punycode.ToASCII(domain); err == nil {
		domain = ascii
	}
	if s, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return s
	}
	return domain
}
