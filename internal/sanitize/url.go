package sanitize

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// web is an http or https URL, written anew.
type web struct {
	url  string
	host string // ASCII, lower case, without port
	user string // what stood before an @, dropped from url
}

// stripURL drops what browsers drop: white space and controls around, tabs and line ends inside.
func stripURL(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] > ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0xa0 || r == 0xfeff })
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, s)
}

// schemeOfURL is what stands before the first colon when it has the form of a scheme, in lower case.
func schemeOfURL(s string) string {
	name, _, ok := strings.Cut(s, ":")
	if !ok || name == "" {
		return ""
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '+' || r == '-' || r == '.')) {
			return ""
		}
	}
	return strings.ToLower(name)
}

// webURL reads an absolute URL of the web. It is taken apart by hand and put together from what was understood, so
// that no reader of URLs can find another host in it.
func webURL(raw string) (web, bool) {
	s := stripURL(raw)
	if strings.HasPrefix(s, "//") {
		s = "https:" + s
	}
	scheme := schemeOfURL(s)
	if scheme != "http" && scheme != "https" || len(s) > maxValue || !strings.HasPrefix(s[len(scheme)+1:], "//") {
		return web{}, false
	}
	s = s[len(scheme)+3:]
	end := strings.IndexAny(s, `/?#\`)
	if end < 0 {
		end = len(s)
	}
	authority, rest := s[:end], s[end:]
	if strings.HasPrefix(rest, `\`) {
		return web{}, false
	}
	var w web
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		w.user, authority = authority[:at], authority[at+1:]
	}
	host, port, ok := hostPort(authority)
	if !ok {
		return web{}, false
	}
	w.host = host
	w.url = scheme + "://" + host + port + percentEncode(rest)
	u, err := url.Parse(w.url)
	return w, err == nil && u.Scheme == scheme && u.Host == host+port && u.User == nil
}

// hostPort gives the host in ASCII and ":port" or "".
func hostPort(s string) (host, port string, ok bool) {
	if strings.HasPrefix(s, "[") {
		in, after, found := strings.Cut(s[1:], "]")
		a, err := netip.ParseAddr(in)
		return "[" + a.String() + "]", portOf(after), found && err == nil && a.Is6() && a.Zone() == "" && portOf(after) == after
	}
	host, after, found := strings.Cut(s, ":")
	if found && after != "" {
		if port = portOf(":" + after); port == "" {
			return "", "", false
		}
	}
	host, ok = asciiHost(host)
	return host, port, ok
}

func portOf(s string) string {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' || strings.Trim(s[1:], "0123456789") != "" {
		return ""
	}
	return s
}

// asciiHost is a host name in ASCII and lower case.
func asciiHost(s string) (string, bool) {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
	}
	s = strings.ToLower(s)
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) >= 0 || strings.Contains(s, "xn--") {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", false
		}
		s = a
	}
	bad := s == "" || len(s) > 253 || strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) >= 0 || strings.Trim(s, ".") == "" || strings.Contains(s, "..")
	return s, !bad
}

// percentEncode escapes what may not stand in a path or query, and lone percent signs.
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	isHex := func(i int) bool {
		return i < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[i]) >= 0
	}
	var b strings.Builder
	fragment, done := false, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 || c == '%' && !(isHex(i+1) && isHex(i+2)) || c == '#' && fragment {
			b.WriteString(s[done:i])
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			done = i + 1
		}
		fragment = fragment || c == '#'
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// mailtoFields are what a link may fill in; the rest (attach, from, bcc) is for the writer alone to say.
var mailtoFields = set("to cc subject body")

// mailto cleans a mailto: URL (RFC 6068).
func mailto(s string) (string, bool) {
	s = stripURL(s)
	to, query, _ := strings.Cut(s[len("mailto:"):], "?")
	query, _, _ = strings.Cut(query, "#")
	var kept []string
	for _, f := range strings.Split(query, "&") {
		f = strings.TrimPrefix(f, "amp;")
		if key, val, ok := strings.Cut(f, "="); ok && mailtoFields[strings.ToLower(key)] {
			kept = append(kept, strings.ToLower(key)+"="+percentEncode(val))
		}
	}
	out := "mailto:" + percentEncode(strings.ReplaceAll(to, "#", "%23"))
	if len(kept) > 0 {
		out += "?" + strings.Join(kept, "&")
	}
	return out, len(out) > len("mailto:") && len(out) <= maxValue
}

// dial cleans a tel: or sms: URL: digits and what people write between them.
func dial(s string) (string, bool) {
	scheme, to, _ := strings.Cut(stripURL(s), ":")
	var b strings.Builder
	for _, r := range strings.ReplaceAll(to, "%20", " ") {
		switch {
		case r >= '0' && r <= '9', r == '+', r == '*', r == '-', r == '.', r == ',', r == ';', r == '=':
			b.WriteRune(r)
		case r == ' ', r == '(', r == ')', r == '/':
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		default:
			return "", false
		}
	}
	return strings.ToLower(scheme) + ":" + b.String(), b.Len() > 0 && b.Len() <= 100
}

// magic is how pictures of the kinds that may stand in a data: URL begin.
func magic(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "image/gif"
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}

var dataTypes = set("image/png image/jpeg image/jpg image/pjpeg image/gif image/webp")

// dataImage reads a data: URL of a picture and writes it anew with the type that its bytes have.
func dataImage(s string) (out string, size int, ok bool) {
	s = stripURL(s)
	if len(s) > maxDataOne*2 {
		return "", 0, false
	}
	head, body, found := strings.Cut(s[len("data:"):], ",")
	head = strings.ToLower(head)
	if !found || !strings.HasSuffix(head, ";base64") || !dataTypes[strings.TrimSpace(strings.TrimSuffix(head, ";base64"))] {
		return "", 0, false
	}
	body = strings.TrimRight(strings.NewReplacer(" ", "", "%2B", "+", "%2b", "+", "%2F", "/", "%2f", "/", "%3D", "", "%3d", "", "%0A", "", "%0D", "").Replace(body), "=")
	raw, err := base64.RawStdEncoding.DecodeString(body)
	kind := magic(raw)
	if err != nil || kind == "" || len(raw) > maxDataOne {
		return "", 0, false
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(raw), len(raw), true
}

// cssURL writes an address of our own into CSS, or gives "" when it holds what could end it.
func cssURL(u string) string {
	if u == "" || strings.ContainsAny(u, "\"'\\<>()\n\r\t ") || strings.Contains(u, "/*") {
		return ""
	}
	return `url("` + u + `")`
}
