package handlers

import (
	"context"
	"net/url"
	"strconv"
	"sync"
	"time"

	"restante/internal/sanitize"
	"restante/mailclient"
	"restante/mailclient/message"
)

const (
	maxLetters = 8 << 20 // bytes of all letters kept
	maxLetter  = 1 << 20 // of one
)

// letter is a mail as a safe document of its own.
type letter struct {
	html   string
	images int // of other sites, that it asks for in vain
}

// letterKey is all that a letter depends on. The links in it are signed for one session.
type letterKey struct {
	session, language string
	path, validity    string // of the mail
	theme             string
	remote, locked    bool
}

// letters keeps the letters made last. Making a large one takes longer than all else about it, and it is needed
// twice: the page tells what was blocked, then the frame shows it.
type letters struct {
	mu    sync.Mutex
	kept  map[letterKey]letter
	order []letterKey // the oldest first
	size  int
}

func (l *letters) get(k letterKey) (letter, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	doc, ok := l.kept[k]
	return doc, ok
}

func (l *letters) put(k letterKey, doc letter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.kept[k]; ok || len(doc.html) > maxLetter || k.validity == "0" {
		return
	}
	if l.kept == nil {
		l.kept = map[letterKey]letter{}
	}
	l.kept[k] = doc
	l.order = append(l.order, k)
	for l.size += len(doc.html); l.size > maxLetters; l.order = l.order[1:] {
		l.size -= len(l.kept[l.order[0]].html)
		delete(l.kept, l.order[0])
	}
}

// letter makes the safe document of a mail, or takes the one that was made before.
func (s *Server) letter(ctx context.Context, p *person, pl place, open *mailclient.Open, theme string, remote, locked bool) letter {
	base := pathMessage(p.Account.ID, pl.slug, open.UID)
	validity := strconv.FormatUint(uint64(open.UIDValidity), 10)
	key := letterKey{p.Hash, p.L.Lang, base, validity, theme, remote, locked}
	if doc, ok := s.letters.get(key); ok {
		return doc
	}
	partURL := func(section string) string { return base + "/parts/" + url.PathEscape(section) + "?v=" + validity }
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
			return "/proxy?" + url.Values{"u": {u}, "s": {s.sign("proxy-url", p, u)}}.Encode()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	made := sanitize.Document(ctx, letterParts(open.Message, partURL), o)
	doc := letter{html: made.String(), images: made.Blocked().Images}
	if ctx.Err() == nil { // whole
		s.letters.put(key, doc)
	}
	return doc
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
