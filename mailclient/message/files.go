package message

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
)

// list makes the list of files: names, sizes, which of them the HTML shows itself.
func (v *viewer) list() {
	refs := v.references()
	taken := map[string]int{}
	same := map[string]bool{}
	numbers := map[string]int{}
	for _, n := range v.files {
		f := File{Section: n.section, Type: n.kind(), Encoding: n.encoding, ContentID: n.id, Location: n.location, Nested: n.isMail()}
		f.Size, f.Exact = n.decodedSize()
		f.Name = fileName(n, numbers)
		if v.whole || strings.Contains(n.section, "!") {
			f.Body = n.decodedBody()
			f.Looks = looks(f.Body, f.Type)
		}
		f.Inline = refs.has(n)
		f.Technical = n.technical || f.Size == 0 && n.rawName() == "" && !f.Nested
		if f.Body != nil && !f.Technical {
			key := contentKey(f.Name, f.Body)
			f.Technical = same[key] // twice the same: listed once
			same[key] = true
		}
		if !f.Technical {
			f.Name = numbered(f.Name, taken)
		}
		v.m.Files = append(v.m.Files, f)
	}
	v.dropShown()
}

// dropShown takes out the pictures between texts that the HTML shows itself.
func (v *viewer) dropShown() {
	inline := map[string]bool{}
	for _, f := range v.m.Files {
		inline[f.Section] = f.Inline
	}
	v.m.Blocks = slices.DeleteFunc(v.m.Blocks, func(b Block) bool { return b.Kind == BlockImage && inline[b.Section] })
}

func contentKey(name string, body []byte) string {
	sum := sha256.Sum256(body)
	return name + "\x00" + string(sum[:])
}

// numbered tells names apart that a mail gives twice: "a.png", "a (2).png".
func numbered(name string, taken map[string]int) string {
	key := strings.ToLower(name)
	taken[key]++
	if n := taken[key]; n > 1 {
		stem, ext := splitExt(name)
		return stem + " (" + itoa(n) + ")" + ext
	}
	return name
}

// references are what the shown HTML refers to: cid: and other addresses.
type references map[string]bool

// references gathers "cid:" and what stands in src and background attributes, from the HTML that is shown; nothing where
// no file can be meant.
func (v *viewer) references() references {
	refs := references{}
	if !slices.ContainsFunc(v.files, func(n *node) bool { return n.id != "" || n.location != "" }) {
		return refs
	}
	for _, b := range v.m.Blocks {
		if b.Kind == BlockHTML {
			refs.gather(b.Text)
		}
	}
	return refs
}

func (r references) gather(s string) {
	for i := 0; i < len(s) && len(r) < 5000; {
		j := strings.IndexAny(s[i:], ":=")
		if j < 0 {
			return
		}
		i += j + 1
		if s[i-1] == ':' && i >= 4 && strings.EqualFold(s[i-4:i-1], "cid") {
			r[refKey(untilEnd(s[i:]))] = true
		} else if s[i-1] == '=' && (endsFold(s[:i-1], "src") || endsFold(s[:i-1], "background")) {
			r[refKey(untilEnd(strings.TrimLeft(s[i:min(len(s), i+2000)], " \"'")))] = true
		}
	}
}

func endsFold(s, end string) bool {
	s = strings.TrimRight(s[max(0, len(s)-len(end)-2):], " ")
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}

func untilEnd(s string) string {
	if i := strings.IndexAny(s, "\"'<> \n)"); i >= 0 {
		return s[:i]
	}
	return s[:min(len(s), 1000)]
}

// refKey makes references and ids comparable: senders escape one and not the other.
func refKey(s string) string {
	s = strings.ReplaceAll(s, "&amp;", "&")
	return strings.ToLower(string(unpercent(s)))
}

// has says whether a part is shown by the HTML itself (RFC 2392, RFC 2557).
func (r references) has(n *node) bool {
	if len(r) == 0 {
		return false
	}
	return n.id != "" && r[refKey(n.id)] || n.location != "" && r[refKey(n.location)]
}

// signatures are the first bytes of files that go under false names.
var signatures = []struct{ magic, kind string }{
	{"%PDF-", "application/pdf"}, {"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF8", "image/gif"},
	{"MZ", "application/x-msdownload"}, {"\x7fELF", "application/x-executable"}, {"PK\x03\x04", "application/zip"}, {"Rar!", "application/x-rar-compressed"},
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"}, {"\x1f\x8b", "application/gzip"}, {"{\\rtf", "text/rtf"}, {"\xd0\xcf\x11\xe0", "application/x-ole-storage"},
}

// looks gives the type that the first bytes of a file tell, "" when they tell nothing else than what was declared.
func looks(b []byte, declared string) string {
	kind := ""
	for _, s := range signatures {
		if bytes.HasPrefix(b, []byte(s.magic)) && (s.magic != "MZ" || len(b) > 64) {
			kind = s.kind
			break
		}
	}
	if kind == "" && looksHTML(b) {
		kind = "text/html"
	}
	if kind == declared || kind == "image/jpeg" && declared == "image/jpg" {
		return ""
	}
	if kind == "application/zip" && (strings.Contains(declared, "zip") || strings.Contains(declared, "openxml") || strings.Contains(declared, "opendocument")) {
		return ""
	}
	return kind
}
