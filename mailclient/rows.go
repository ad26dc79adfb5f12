package mailclient

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// rowItems are what a list needs of a mail; the header is read by our own reader, never taken from ENVELOPE (L11).
const rowItems = "UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Date From Sender Reply-To To Cc Subject Message-ID In-Reply-To References Thread-Index Content-Type List-Id)]"

// guessItem is asked for with rowItems: mostly the first part is the text whose beginning is the preview (L4).
const guessItem = " BODY.PEEK[1]<0.2048>"

// threadItem is what Gmail calls a conversation.
const threadItem = " X-GM-THRID"

// itemsFor are rowItems, and what more this server can tell.
func itemsFor(c *imapx.Conn) string {
	if c.Has("X-GM-EXT-1") {
		return rowItems + threadItem
	}
	return rowItems
}

const maxRows = 150 // kept for each session

// rowKey is the identity of a mail in an account (S1).
type rowKey struct {
	raw      string
	validity uint32
	uid      uint32
}

// rowCache keeps what never changes of the mails last listed. The flags in it are as last heard.
type rowCache struct {
	bounded[rowKey, Row]
	shown []listed
}

func (c *rowCache) put(k rowKey, r Row) {
	if k.validity != 0 {
		c.bounded.put(k, r, maxRows)
	}
}

// fetched collects what several commands of one flight were answered. Dovecot may tell all before it says that the
// first is done: which command asked is to be seen from what came alone.
func fetched(cmds ...*imapx.Command) []imapx.Fetch {
	var data []imapx.Response
	for _, cmd := range cmds {
		data = append(data, cmd.Data...)
	}
	return collect(data)
}

// collect unites FETCH responses by UID, in the order they came. What the server tells of the same mails by their
// numbers, amid the answers or behind them, is heard too: other flags (S13), and that they are gone (S10).
func collect(data []imapx.Response) []imapx.Fetch {
	var out []imapx.Fetch
	byUID, bySeq := map[uint32]int{}, map[uint32]int{}
	for _, r := range data {
		switch r.Type {
		case "EXPUNGE":
			out = slices.DeleteFunc(out, func(f imapx.Fetch) bool { return f.Seq == r.Number })
			clear(byUID)
			clear(bySeq)
			for i := range out {
				if out[i].Seq > r.Number {
					out[i].Seq--
				}
				byUID[out[i].UID], bySeq[out[i].Seq] = i, i
			}
		case "FETCH":
			f := imapx.ParseFetch(r)
			i, known := byUID[f.UID]
			if f.UID == 0 {
				i, known = bySeq[f.Seq]
			}
			if known {
				out[i].Merge(f)
			} else if f.UID != 0 {
				byUID[f.UID], bySeq[f.Seq] = len(out), len(out)
				out = append(out, f)
			}
		}
	}
	return out
}

// fetchRows gives the rows of these mails in this order; ones that are gone are left out. What is known is not
// asked for again, but for the flags.
func (s *Session) fetchRows(ctx context.Context, c *imapx.Conn, b *box, name string, uids []uint32) ([]Row, error) {
	rows := make(map[uint32]Row, len(uids))
	known := map[uint32]bool{}
	s.mu.Lock()
	for _, u := range uids {
		if r, ok := s.rows.get(rowKey{b.raw, b.validity, u}); ok {
			rows[u], known[u] = r, true
		}
	}
	s.mu.Unlock()
	all, err := askTwice(ctx, c, uids, func(uids []uint32) (cmds []*imapx.Command) {
		for _, set := range uidSets(slices.DeleteFunc(slices.Clone(uids), func(u uint32) bool { return !known[u] })) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", set, "(UID FLAGS)"))
		}
		for _, set := range uidSets(slices.DeleteFunc(slices.Clone(uids), func(u uint32) bool { return known[u] })) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", set, "("+itemsFor(c)+guessItem+")"))
		}
		return cmds
	})
	if err != nil {
		return nil, err
	}
	alive := map[uint32]bool{}
	b.saw(all)
	for _, f := range all {
		alive[f.UID] = true
		if r, ok := rows[f.UID]; ok && f.HasFlags {
			r.Flags = flagsOf(f.Flags)
			rows[f.UID] = r
		} else if !ok && f.Header != nil && slices.Contains(uids, f.UID) {
			rows[f.UID] = guessed(rowOf(name, b.validity, f), f)
		}
	}
	s.previews(ctx, c, rows)
	out := make([]Row, 0, len(uids))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range uids {
		if r, ok := rows[u]; ok && alive[u] {
			s.rows.put(rowKey{b.raw, b.validity, u}, r)
			out = append(out, r)
		}
	}
	return out, nil
}

// previews fetches the beginning of the text of those mails that have no preview yet. A failure leaves them without.
func (s *Session) previews(ctx context.Context, c *imapx.Conn, rows map[uint32]Row) {
	bySection := map[string][]uint32{}
	for u, r := range rows {
		if r.text != nil && !r.previewed {
			bySection[r.text.Section] = append(bySection[r.text.Section], u)
		}
	}
	var cmds []*imapx.Command
	for section, uids := range bySection {
		for _, set := range uidSets(uids) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", set, fmt.Sprintf("(UID BODY.PEEK[%s]<0.2048>)", section)))
		}
	}
	if len(cmds) == 0 || c.Do(ctx, cmds...) != nil {
		return
	}
	for _, f := range fetched(cmds...) {
		r, ok := rows[f.UID]
		if !ok || r.text == nil {
			continue
		}
		rows[f.UID] = r.preview(f.Bodies[strings.ToUpper(r.text.Section)])
	}
}

// guessed takes the preview from what came with the row, if that is the text.
func guessed(r Row, f imapx.Fetch) Row {
	if body, ok := f.Bodies["1"]; ok && r.text != nil && r.text.Section == "1" {
		return r.preview(body)
	}
	return r
}

func (r Row) preview(begin []byte) Row {
	return r.WithPreview(message.DecodePreview(begin, r.text))
}

func rowOf(name string, validity uint32, f imapx.Fetch) Row {
	h := message.ReadHeader(f.Header)
	r := Row{
		Mailbox: name, UID: f.UID, UIDValidity: validity, Flags: flagsOf(f.Flags), From: h.From(), To: h.To(), Subject: h.Subject(),
		Received: f.Date, Size: f.Size, MessageID: h.MessageID(), InReplyTo: h.InReplyTo(), References: h.References(), Cc: h.Cc(), Thread: threadOf(h, f),
	}
	if len(r.From) == 0 {
		r.From = h.Sender()
	}
	r.Date = bestDate(h.Date(), f.Date)
	if r.Received.IsZero() {
		r.Received = r.Date
	}
	if f.Structure != nil {
		r.Files, r.HasAttachment = message.Attached(f.Structure)
		r.text = message.FirstText(f.Structure)
		r.parts = shownItems(f.Structure)
	} else {
		r.HasAttachment = strings.Contains(strings.ToLower(h.Get("Content-Type")), "multipart/mixed")
	}
	if len(r.References) > 50 {
		r.References = r.References[len(r.References)-50:]
	}
	return r
}

// threadOf is what the server calls a mail's conversation, or the part of Exchange's Thread-Index that all mails of one
// share.
func threadOf(h message.Header, f imapx.Fetch) string {
	if v := f.Items["X-GM-THRID"]; len(v) == 1 && v[0].Number() > 0 {
		return "gm " + v[0].Text
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(h.Get("Thread-Index")))
	if err != nil || len(raw) < 22 {
		return ""
	}
	return "ti " + string(raw[:22])
}

// bestDate is the Date header unless it is impossible or in the future (L6).
func bestDate(header, received time.Time) time.Time {
	if header.IsZero() || header.Year() < 1970 || !received.IsZero() && header.After(received.Add(24*time.Hour)) && header.After(time.Now().Add(24*time.Hour)) {
		return received
	}
	return header
}

// flagsOf reads flags and keywords in any letter case (L13).
func flagsOf(words []string) Flags {
	var f Flags
	for _, w := range words {
		switch strings.ToLower(w) {
		case `\seen`:
			f.Seen = true
		case `\flagged`:
			f.Flagged = true
		case `\answered`:
			f.Answered = true
		case `\draft`:
			f.Draft = true
		case `\deleted`:
			f.Deleted = true
		case `\recent`:
		case "$forwarded", "forwarded":
			f.Forwarded = true
		case "$junk", "junk":
			f.Junk = true
		case "$notjunk", "notjunk", "nonjunk", "$hasattachment", "$hasnoattachment":
		default:
			if !strings.HasPrefix(w, `\`) && len(f.Keywords) < 100 {
				f.Keywords = append(f.Keywords, strings.ToValidUTF8(w, "\uFFFD"))
			}
		}
	}
	return f
}

// flags reads PERMANENTFLAGS.
func (b *box) flags(args string) {
	b.permanent = []string{}
	for _, w := range strings.Fields(strings.Trim(args, "()")) {
		w = strings.TrimSuffix(w, ")")
		if w == `\*` {
			b.star = true
		}
		if !strings.EqualFold(w, "NIL") {
			b.permanent = append(b.permanent, w)
		}
	}
}
