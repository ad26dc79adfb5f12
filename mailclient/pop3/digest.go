package pop3

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"net/mail"
	"strings"
	"time"
)

// digest reads a mail as it is fetched, with CRLF line ends, and finds what the ledger wants to know of it.
type digest struct {
	head    bytes.Buffer // up to the empty line, at most maxHead
	inBody  bool
	content hash.Hash
	blank   int  // empty lines that may be the last ones
	started bool // in the middle of a line of the body
	facts
}

// facts are what a header says.
type facts struct {
	key     string // P5, P7: what TOP would give
	subject string
	date    time.Time
	read    bool // Status: RO
}

// stable are the fields that no server changes (P8), in the order in which they are hashed.
var stable = []string{"from", "to", "cc", "subject", "date", "message-id", "content-type"}

// keyed are those by which a mail is known from its header alone.
var keyed = []string{"message-id", "date", "from", "received", "subject"}

func newDigest() *digest { return &digest{content: sha256.New()} }

// Write takes the mail in. It never fails.
func (d *digest) Write(b []byte) (int, error) {
	n := len(b)
	if !d.inBody {
		b = d.header(b)
	}
	d.body(b)
	return n, nil
}

// header takes the header's part and gives what is behind it.
func (d *digest) header(b []byte) (rest []byte) {
	from := max(0, d.head.Len()-3)
	d.head.Write(b)
	raw := d.head.Bytes()
	end, cut := -1, 0
	if bytes.HasPrefix(raw, lineEnd) {
		end, cut = 0, 2
	} else if at := bytes.Index(raw[from:], []byte("\r\n\r\n")); at >= 0 {
		end, cut = from+at+2, 2
	} else if len(raw) >= maxHead {
		end = maxHead
	}
	if end < 0 {
		return nil
	}
	rest = bytes.Clone(raw[end+cut:])
	d.head.Truncate(end)
	d.inBody = true
	d.open()
	return rest
}

func (d *digest) open() {
	f := fields(d.head.Bytes())
	d.facts = factsOf(f)
	d.content.Write([]byte(joined(f, stable)))
	d.head = bytes.Buffer{}
}

// body hashes lines, and empty ones only when another follows.
func (d *digest) body(b []byte) {
	for len(b) > 0 {
		line, rest := b, []byte(nil)
		at := bytes.IndexByte(b, '\n')
		if at >= 0 {
			line, rest = b[:at+1], b[at+1:]
		}
		if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 {
			for ; d.blank > 0; d.blank-- {
				d.content.Write(lineEnd)
			}
			d.content.Write(text)
			d.started = true
		}
		if at >= 0 {
			if d.started {
				d.content.Write(lineEnd)
			} else {
				d.blank++
			}
			d.started = false
		}
		b = rest
	}
}

// sum is the content hash (P8), once all was written.
func (d *digest) sum() string {
	if !d.inBody {
		d.inBody = true
		d.open()
	}
	return string(d.content.Sum(nil))
}

// maxDups is how many fields of one name count.
const maxDups = 100

// fields reads a header: by lower-case name, unfolded, spaces collapsed, in order.
func fields(head []byte) map[string][]string {
	out := map[string][]string{}
	name, value := "", ""
	keep := func() {
		if name != "" && len(out[name]) < maxDups {
			out[name] = append(out[name], strings.Join(strings.Fields(value), " "))
		}
	}
	for line := range strings.Lines(string(head)) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			value += line
			continue
		}
		keep()
		var ok bool
		if name, value, ok = strings.Cut(line, ":"); !ok {
			name = ""
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
	}
	keep()
	return out
}

// joined writes fields so that no two headers look alike.
func joined(f map[string][]string, names []string) string {
	var b strings.Builder
	for _, n := range names {
		for _, v := range f[n] {
			b.WriteString(n + ":" + v + "\n")
		}
	}
	b.WriteByte('\n')
	return b.String()
}

const maxSubject = 500

func factsOf(f map[string][]string) facts {
	sum := sha256.Sum256([]byte(joined(f, keyed)))
	out := facts{key: string(sum[:]), date: arrival(f)}
	if s := f["subject"]; len(s) > 0 {
		out.subject = strings.ToValidUTF8(s[0][:min(len(s[0]), maxSubject)], "\uFFFD")
	}
	for _, s := range f["status"] {
		out.read = out.read || strings.Contains(s, "R")
	}
	return out
}

// keyOf is the key hash of a header that TOP gave.
func keyOf(head []byte) string { return factsOf(fields(head)).key }

// arrival is the date of the topmost Received that can be read, else Date; zero if neither can be true (P13).
func arrival(f map[string][]string) time.Time {
	for _, v := range f["received"] {
		if t := plausible(v[strings.LastIndexByte(v, ';')+1:]); !t.IsZero() {
			return t
		}
	}
	for _, v := range f["date"] {
		if t := plausible(v); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func plausible(s string) time.Time {
	t, err := mail.ParseDate(strings.TrimSpace(s))
	if err != nil || t.Year() < 1980 || time.Until(t) > 24*time.Hour {
		return time.Time{}
	}
	return t
}
