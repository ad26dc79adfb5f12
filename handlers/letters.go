package handlers

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"restante/internal/sanitize"
	"restante/mailclient"
	"restante/mailclient/message"
)

const (
	maxLetters = 4 << 20         // bytes of all letters kept, as they are sent
	maxLetter  = 1 << 20         // of one
	letterTime = 5 * time.Second // for making one
	maxPadding = 64              // bytes
)

// letter is a mail as a safe document of its own, while it is being made and after.
type letter struct {
	counted chan struct{}    // closed once kept is known
	kept    sanitize.Blocked // what is kept out of it

	written chan struct{} // closed once packed is there
	packed  []byte        // the document, as gzip (RFC 1952)
}

// letterKey is all that a letter depends on. The links in it are signed for one session.
type letterKey struct {
	session, language string
	path, query       string // of the mail
	theme             string
	remote, locked    bool
}

// letters keeps the letters made last. Making a large one takes longer than all else about it, and it is needed
// twice: the page tells what was blocked, then the frame shows it.
type letters struct {
	mu    sync.Mutex
	kept  map[letterKey]*letter // with those that are being made
	order []letterKey           // the oldest first, of those that are made
	size  int
}

// get gives a letter, and whether it is a new one, which is the caller's to make and to put or to drop.
func (l *letters) get(k letterKey) (doc *letter, mine bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	doc, ok := l.kept[k]
	if ok {
		return doc, false
	}
	doc = &letter{counted: make(chan struct{}), written: make(chan struct{})}
	if l.kept == nil {
		l.kept = map[letterKey]*letter{}
	}
	l.kept[k] = doc
	return doc, true
}

// put keeps a letter that is made.
func (l *letters) put(k letterKey, doc *letter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.order = append(l.order, k)
	for l.size += len(doc.packed); l.size > maxLetters; l.order = l.order[1:] {
		l.size -= len(l.kept[l.order[0]].packed)
		delete(l.kept, l.order[0])
	}
}

// drop forgets a letter that is not to be kept.
func (l *letters) drop(k letterKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.kept, k)
}

// letter gives the safe document of a mail: the one that was made before, or one that is made from now on, within
// letterTime, whether or not this request waits for it: the page that names it is followed by the request for it.
func (s *Server) letter(p *person, pl place, open *mailclient.Open, theme string, remote, locked bool) *letter {
	at := mailAt(p, pl, open)
	key := letterKey{p.Hash, p.L.Lang, at.base, at.q.Encode(), theme, remote, locked}
	doc, mine := s.letters.get(key)
	if !mine {
		return doc
	}
	partURL := func(section string) string { return at.part(section) }
	inline := map[string]string{}
	for _, f := range open.Message.Files {
		if f.ContentID != "" {
			inline["cid:"+f.ContentID] = partURL(f.Section)
		}
		if f.Location != "" {
			inline[f.Location] = partURL(f.Section)
		}
	}
	o := sanitize.Options{
		Theme: theme, Quoted: p.L.T("message.quoted"), NoLinks: locked,
		Part:  func(ref string) string { return inline[ref] },
		Leave: func(u string) string { return "/leave?" + url.Values{"u": {u}, "s": {s.sign("leave", p, u)}}.Encode() },
	}
	if remote {
		o.Remote = func(u string) string {
			return "/proxy?" + url.Values{"of": {at.base}, "u": {u}, "s": {s.sign("proxy-url", p, at.base+" "+u)}}.Encode()
		}
	}
	parts := letterParts(open.Message, partURL)
	go func() {
		whole := s.makeLetter(doc, parts, o)
		if whole && len(doc.packed) <= maxLetter && open.UIDValidity != 0 {
			s.letters.put(key, doc)
		} else {
			s.letters.drop(key)
		}
	}()
	return doc
}

// makeLetter makes what a letter has, and says whether it is whole: nothing was cut for want of time.
func (s *Server) makeLetter(doc *letter, parts []sanitize.Part, o sanitize.Options) (whole bool) {
	ctx, cancel := context.WithTimeout(context.Background(), letterTime)
	counted := sync.OnceFunc(func() { close(doc.counted) })
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("panic", "at", "letter", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			whole = false
		}
		cancel()
		counted()
		close(doc.written)
	}()
	made := sanitize.Make(ctx, parts, o)
	doc.kept = made.Blocked()
	counted()
	doc.packed = pack(made.Read().String())
	return ctx.Err() == nil
}

// blocked says what is kept out of the letter, as soon as that is known.
func (l *letter) blocked() sanitize.Blocked {
	<-l.counted
	return l.kept
}

// serve writes the letter once it is there.
func (l *letter) serve(w http.ResponseWriter, r *http.Request) error {
	select {
	case <-l.written:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	if l.packed == nil {
		return errLetter
	}
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		_, err := w.Write(l.packed)
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(l.packed))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, z)
	return err
}

var errLetter = errors.New("the letter could not be made")

// takesGzip says whether who asks reads gzip (RFC 9110 12.5.3).
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(weight, " 0.") != "q="
		}
	}
	return false
}

var packers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // a constant level
	}
	return z
}}

// pack compresses a document. Its length is not quite that of what it holds, as with all that is compressed here.
func pack(doc string) []byte {
	var b bytes.Buffer
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	padding := make([]byte, 1)
	rand.Read(padding)
	z.Comment = strings.Repeat("-", int(padding[0])%maxPadding)
	_, _ = io.WriteString(z, doc)
	_ = z.Close() // neither fails in memory
	return bytes.Clone(b.Bytes())
}

func letterParts(m *message.Message, partURL func(section string) string) (parts []sanitize.Part) {
	for _, b := range m.Blocks {
		switch b.Kind {
		case message.BlockHTML:
			parts = append(parts, sanitize.Part{HTML: b.Text})
		case message.BlockText:
			parts = append(parts, sanitize.Part{Text: b.Text})
		case message.BlockImage:
			parts = append(parts, sanitize.Part{Image: partURL(b.Section)})
		}
	}
	return parts
}
