package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Slug spells a mailbox name as one path segment that survives proxies and routers: letters, digits, "-", "_", "."
// and UTF-8 letters stand as they are, the hierarchy delimiter is "~", every other byte (and "~" itself) is "~XX" in hex.
func Slug(name, delimiter string) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		switch {
		case delimiter != "" && strings.HasPrefix(name[i:], delimiter):
			n = len(delimiter)
			if rest := name[i+n:]; len(rest) >= 2 && hexDigit(rest[0]) >= 0 && hexDigit(rest[1]) >= 0 { // "~BE" would be read as a byte
				for _, c := range []byte(delimiter) {
					fmt.Fprintf(&b, "~%02X", c)
				}
			} else {
				b.WriteByte('~')
			}
		case plain(r, n):
			b.WriteString(name[i : i+n])
		default:
			for _, c := range []byte(name[i : i+n]) {
				fmt.Fprintf(&b, "~%02X", c)
			}
		}
		i += n
	}
	s := b.String()
	switch {
	case strings.Trim(s, ".") == "": // "." and ".." mean something else in a path
		s = strings.ReplaceAll(s, ".", "~2E")
	case s == "mailboxes": // our own page
		s = "~6Dailboxes"
	}
	return s
}

func plain(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size <= 1:
		return false
	case r < utf8.RuneSelf:
		return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_' || r == '.'
	}
	return unicode.IsLetter(r)
}

// Unslug is the other way. A "~" that two upper case hex digits do not follow is the delimiter; ok is false for
// what Slug never writes.
func Unslug(slug, delimiter string) (name string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(slug); i++ {
		if slug[i] != '~' {
			b.WriteByte(slug[i])
			continue
		}
		if i+2 < len(slug) && hexDigit(slug[i+1]) >= 0 && hexDigit(slug[i+2]) >= 0 {
			b.WriteByte(byte(hexDigit(slug[i+1])<<4 | hexDigit(slug[i+2])))
			i += 2
			continue
		}
		if delimiter == "" {
			return "", false
		}
		b.WriteString(delimiter)
	}
	return b.String(), b.Len() > 0
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// paths of our own pages: nobody else joins them by hand.

func pathMailbox(account int64, slug string) string {
	return fmt.Sprintf("/mail/%d/%s", account, url.PathEscape(slug))
}

func pathMessage(account int64, slug string, uid uint32) string {
	return fmt.Sprintf("%s/%d", pathMailbox(account, slug), uid)
}

// pathDraftMail is where one goes on with a mail in Drafts.
func pathDraftMail(p *person, slug string, uid uint32) string {
	return with("/compose", p.naming(url.Values{"draft": {slug}, "uid": {fmt.Sprint(uid)}}))
}

func pathFolders(account int64) string { return fmt.Sprintf("/mail/%d/mailboxes", account) }

// ownPath gives next when it is a path of our own, else "/" (SECURITY 3: no open redirects).
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t\x00") {
		return "/"
	}
	return next
}

// seeOther redirects after a POST.
func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, ownPath(path), http.StatusSeeOther)
	return nil
}
