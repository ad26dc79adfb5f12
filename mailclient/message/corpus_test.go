package message

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// reached is how many mails of the corpus were wholly as expected last. It only goes up.
const reached = 389

// wrongExpectations are mails whose expected outcome is not what a person should see, with the reason.
var wrongExpectations = map[string]string{
	"enmime/mail-non-mime-missing-charset": "byte 80 of windows-1250 is a euro sign, not the control U+0080",
	"flanker/messages-mailformed-headers":  "an unlabelled byte B4 is shown as the letter it most likely is, not as U+FFFD",
	"nodemailer/088":                       "an attached mail that is only a header: its subject is told in the card, not as a raw field",
	"phpmime/issue250":                     "a line break in a file name becomes a space, not that library's underscore",
	"rspamd/messages-badboundary":          "the letters of the cut delimiter below were decoded as base64 too; the picture has 42 bytes",
	"stalwart/malformed-020":               "of two Content-Types the multipart's boundary occurs: its HTML is shown rather than the source of the parts",
	"stalwart/malformed-021":               "as malformed-020",
	"stalwart/thirdparty-002":              "words after the padding of base64 are no data",
	"webklex/embedded_email":               "the attached mail's last line ends belong to it (RFC 2046 5.1.1); that library trims them",
	"webklex/four_nested_emails":           "as embedded_email",
}

const corpusDir = "testdata/corpus"

type expectation struct {
	Subject      *string
	From, To     [][]*string
	Texts        []string
	HTMLs        []string
	HTMLContains any
	HTMLText     any
	TextContains any
	Atts         []expectedFile
	Natts        *int
	Nested       []struct {
		Subject    *string
		TextPrefix string
	}
}

type expectedFile struct {
	Name        *string
	Size        *int64
	SHA256, MD5 *string
	Contains    any
}

type record struct {
	ID, Path string
	Exp      expectation
}

func corpus(t testing.TB) (out []record) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpusDir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus:", err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 16<<20)
		for sc.Scan() {
			var r record
			if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
				t.Fatal(name, err)
			}
			out = append(out, r)
		}
		_ = f.Close()
	}
	return out
}

func rawMail(t testing.TB, r record) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(corpusDir, filepath.FromSlash(r.Path)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCorpus reads 400 ugly mails and compares what is shown with what their sources' own tests, or most of three
// independent readers, say.
func TestCorpus(t *testing.T) {
	right, all := 0, corpus(t)
	for _, r := range all {
		faults := compare(Read(rawMail(t, r)), r.Exp)
		if len(faults) == 0 {
			right++
			continue
		}
		reason := wrongExpectations[r.ID]
		if reason != "" {
			reason = " [expectation: " + reason + "]"
		}
		t.Logf("%s: %s%s", r.ID, strings.Join(faults, "; "), reason)
	}
	t.Logf("%d of %d mails wholly as expected", right, len(all))
	if right < reached {
		t.Errorf("%d mails are wholly as expected, %d were before", right, reached)
	}
}

// squeeze takes out white space and unifies Unicode, as the corpus compares texts.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' || r == 0 {
			return -1
		}
		return r
	}, norm.NFC.String(s))
}

func compare(m *Message, e expectation) (faults []string) {
	bad := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if e.Subject != nil && squeeze(m.Header.Subject()) != squeeze(*e.Subject) {
		bad("subject %q, not %q", m.Header.Subject(), *e.Subject)
	}
	if e.From != nil && !samePeople(m.Header.From(), e.From) {
		bad("from %q, not %q", m.Header.From(), people(e.From))
	}
	if e.To != nil && !samePeople(m.Header.To(), e.To) {
		bad("to %q, not %q", m.Header.To(), people(e.To))
	}
	text, html := squeeze(shownText(m)), squeeze(shownHTML(m))
	for _, s := range append(e.Texts, list(e.TextContains)...) {
		if !strings.Contains(text, squeeze(s)) {
			bad("text %.300q lacks %.200q", text, squeeze(s))
		}
	}
	for _, s := range append(e.HTMLs, list(e.HTMLContains)...) {
		if !strings.Contains(html, squeeze(s)) {
			bad("HTML %.300q lacks %.200q", html, squeeze(s))
		}
	}
	for _, s := range list(e.HTMLText) {
		if !strings.Contains(squeeze(htmlText(shownHTML(m))), squeeze(s)) {
			bad("HTML's text lacks %.200q", squeeze(s))
		}
	}
	for _, a := range e.Atts {
		if !hasFile(m, a) {
			bad("no file %s among %s", a, fileNames(m))
		}
	}
	for i, n := range e.Nested {
		if i >= len(m.Nested) || n.Subject != nil && squeeze(m.Nested[i].Header.Subject()) != squeeze(*n.Subject) || !strings.HasPrefix(squeeze(shownText(m.Nested[i])), squeeze(n.TextPrefix)) {
			bad("attached mail %d is not as expected", i)
		}
	}
	return faults
}

func list(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, s := range v {
			out = append(out, fmt.Sprint(s))
		}
	}
	return out
}

// shownText is all that a person reads as text: blocks, the plain alternative, cards, and attached mails, which open
// in place.
func shownText(m *Message) string {
	var out strings.Builder
	for _, b := range m.Blocks {
		if b.Kind == BlockText {
			out.WriteString(b.Text + "\n")
		}
	}
	out.WriteString(m.PlainAlt + "\n")
	for _, n := range m.Nested {
		out.WriteString(shownText(n))
	}
	return out.String()
}

func shownHTML(m *Message) string {
	var out strings.Builder
	for _, b := range m.Blocks {
		if b.Kind == BlockHTML {
			out.WriteString(b.Text + "\n")
		}
	}
	for _, n := range m.Nested {
		out.WriteString(shownHTML(n))
	}
	return out.String()
}

func samePeople(got []Address, want [][]*string) bool {
	var list []Address
	for _, a := range got {
		if a.Addr != "" || a.Name != "" {
			list = append(list, a)
		}
	}
	if len(list) != len(want) {
		return false
	}
	for i, w := range want {
		if len(w) > 1 && w[0] != nil && w[1] != nil && *w[0] == *w[1] && list[i].Name == "" && list[i].Addr == *w[1] {
			continue // a name equal to the address is dropped
		}
		if len(w) > 0 && w[0] != nil && squeeze(list[i].Name) != squeeze(*w[0]) || len(w) > 1 && w[1] != nil && squeeze(list[i].Addr) != squeeze(*w[1]) {
			return false
		}
	}
	return true
}

func people(list [][]*string) (out [][]string) {
	for _, p := range list {
		var q []string
		for _, s := range p {
			if s == nil {
				q = append(q, "*")
			} else {
				q = append(q, *s)
			}
		}
		out = append(out, q)
	}
	return out
}

func (f expectedFile) String() string {
	out := "*"
	if f.Name != nil {
		out = *f.Name
	}
	if f.Size != nil {
		out += fmt.Sprintf(" of %d bytes", *f.Size)
	}
	if f.SHA256 != nil {
		out += " " + (*f.SHA256)[:8]
	}
	return out
}

func fileNames(m *Message) string {
	var out []string
	for _, f := range allFiles(m) {
		out = append(out, fmt.Sprintf("%s (%s, %d, %.8s)", f.Name, f.Type, f.Size, hashes(f.Body)[0]))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func allFiles(m *Message) []File {
	out := m.Files
	for _, n := range m.Nested {
		out = append(out[:len(out):len(out)], allFiles(n)...)
	}
	return out
}

func hasFile(m *Message, want expectedFile) bool {
	for _, f := range allFiles(m) {
		if want.Name != nil && !sameName(f.Name, *want.Name) {
			continue
		}
		if sameBody(f, want) {
			return true
		}
	}
	return false
}

// sameName lets through what cleaning does to names: paths, numbers of doubles.
func sameName(got, want string) bool {
	want = squeeze(cleanName(want, "\uFFFD"))
	got = squeeze(got)
	for n := 2; n < 5; n++ {
		stem, ext := splitExt(want)
		if got == stem+fmt.Sprintf("(%d)", n)+ext {
			return true
		}
	}
	return got == want
}

func sameBody(f File, want expectedFile) bool {
	if want.SHA256 != nil && !contains(hashes(f.Body), *want.SHA256) || want.MD5 != nil && !contains(hashes(f.Body), *want.MD5) {
		return false
	}
	if want.SHA256 == nil && want.MD5 == nil && want.Size != nil && !sameSize(f.Body, *want.Size) {
		return false
	}
	for _, s := range list(want.Contains) {
		if !bytes.Contains(f.Body, []byte(s)) {
			return false
		}
	}
	return true
}

func sameSize(b []byte, n int64) bool {
	for _, v := range variants(b) {
		if int64(len(v)) == n {
			return true
		}
	}
	return false
}

// variants of a body that count as the same: CRLF and LF alike.
func variants(b []byte) [][]byte {
	lf := bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return [][]byte{b, lf, bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))}
}

func hashes(b []byte) (out []string) {
	for _, v := range variants(b) {
		s, m := sha256.Sum256(v), md5.Sum(v)
		out = append(out, hex.EncodeToString(s[:]), hex.EncodeToString(m[:]))
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}
