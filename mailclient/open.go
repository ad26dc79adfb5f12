package mailclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

const (
	maxRead    = 8 << 20   // a mail read whole because its structure makes no sense
	maxShown   = 2 << 20   // of one part that is shown
	guessBytes = 64 << 10  // of the first part, fetched with the structure in the hope that it is what is shown
	partBytes  = 512 << 10 // of a part that is shown, as the structure that came with the list tells
	maxOpened  = 20
)

// opened is what never changes of a mail that was opened: how its parts are to be had.
type opened struct {
	structure *message.Structure
	byBytes   bool // its structure makes no sense: parts come from reading it whole
	uneven    bool // lines of a part are not of one length, though it had seemed so
}

type openCache struct {
	mails bounded[rowKey, opened]

	kept []keptOpen // what was opened lately, the newest last
	size int        // of all of them together
}

// keptOpen is a mail as it was opened: all but its flags can never change.
type keptOpen struct {
	key  rowKey
	open Open
	size int
	at   time.Time
}

const (
	keepOpen = 5 * time.Minute
	maxKept  = 512 << 10 // bytes of all mails kept, and so of one
)

// keep holds on to a mail as it was opened: what it shows is asked for next, and people come back to a mail.
func (c *openCache) keep(k rowKey, o *Open) {
	c.forget(func(have keptOpen) bool { return have.key == k })
	mail := *o // a copy: the caller may change its own
	mail.pieces = nil
	size := len(o.RawHeader) + len(o.Message.PlainAlt)
	for _, b := range o.Message.Blocks {
		size += len(b.Text)
	}
	if size > maxKept {
		return
	}
	c.kept = append(c.kept, keptOpen{k, mail, size, time.Now()})
	for c.size += size; c.size > maxKept || len(c.kept) > maxOpened; c.kept = slices.Delete(c.kept, 0, 1) {
		c.size -= c.kept[0].size
	}
}

// have is a copy of a mail that is kept; under validity 0, whatever the validity was.
func (c *openCache) have(k rowKey) (Open, bool) {
	for _, o := range slices.Backward(c.kept) {
		if o.key.raw == k.raw && o.key.uid == k.uid && (k.validity == 0 || k.validity == o.key.validity) {
			return o.open, true
		}
	}
	return Open{}, false
}

func (c *openCache) tidy() {
	c.forget(func(o keptOpen) bool { return time.Since(o.at) > keepOpen })
}

func (c *openCache) forget(which func(keptOpen) bool) {
	c.kept = slices.DeleteFunc(c.kept, which)
	c.size = 0
	for _, o := range c.kept {
		c.size += o.size
	}
}

// Open reads one mail as it is to be shown, without marking it read. validity 0 means whatever the mailbox has now.
// ErrGone if the mail is not there, ErrUIDValidity if the mailbox is another one by now.
func (s *Session) Open(ctx context.Context, mailbox string, validity, uid uint32) (*Open, error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return nil, err
	}
	var out *Open
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		out, _, err = s.openOn(ctx, c, raw, mailbox, validity, uid, plan{})
		return err
	})
	return out, err
}

// Reopen is Open for what belongs to a mail that is shown: its letter, its files. It may come from memory, as it was
// within the last minutes.
func (s *Session) Reopen(ctx context.Context, mailbox string, validity, uid uint32) (*Open, error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.opened.tidy()
	o, ok := s.opened.have(rowKey{raw, validity, uid})
	s.mu.Unlock()
	if ok {
		return &o, nil
	}
	return s.Open(ctx, mailbox, validity, uid)
}

// OpenInList is Open and List at once: mostly one round trip.
func (s *Session) OpenInList(ctx context.Context, mailbox string, uid uint32, q ListQuery) (*Open, List, error) {
	q = q.Tidy()
	raw, err := s.rawName(mailbox)
	if err != nil {
		return nil, List{}, err
	}
	if !q.byArrival() || s.displaced(raw) {
		out, err := s.Open(ctx, mailbox, 0, uid)
		if err != nil {
			return nil, List{}, err
		}
		l, err := s.List(ctx, mailbox, q)
		return out, l, err
	}
	var out *Open
	var l List
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		l = List{}
		p := s.plan(c, raw, mailbox, q)
		var got []imapx.Fetch
		if out, got, err = s.openOn(ctx, c, raw, mailbox, 0, uid, p); err != nil {
			return err
		}
		return s.fill(ctx, c, boxOf(c), mailbox, p, got, &l)
	})
	if err == nil && s.displaced(raw) {
		l, err = s.List(ctx, mailbox, q)
		return out, l, err
	}
	l.HideDeleted()
	return out, l, err
}

// OpenBeside is OpenInList for who has the list: its rows are as they were listed before, but for those of the mail and
// of its neighbours, which are asked for. Where these are not there still, it is OpenInList.
func (s *Session) OpenBeside(ctx context.Context, mailbox string, uid uint32, q ListQuery) (*Open, List, error) {
	q = q.Tidy()
	raw, err := s.rawName(mailbox)
	if err != nil {
		return nil, List{}, err
	}
	page, at := s.listed(shown{raw, q.Page, q.PerPage, q.Ascending}, uid)
	if at < 1 || at == len(page)-1 || !q.byArrival() {
		return s.OpenInList(ctx, mailbox, uid, q)
	}
	var out *Open
	l := List{Page: q.Page, Pages: q.Page}
	there := 0 // of the three
	err = s.do(ctx, raw, true, func(c *imapx.Conn) (err error) {
		near := imapx.Cmd("UID FETCH", fmt.Sprintf("%d,%d", page[at-1], page[at+1]), "(UID FLAGS)")
		var got []imapx.Fetch
		if out, got, err = s.openOn(ctx, c, raw, mailbox, 0, uid, plan{fetch: near}); err != nil {
			return err
		}
		got = slices.DeleteFunc(got, func(f imapx.Fetch) bool { return !slices.Contains(page[at-1:at+2], f.UID) })
		b := boxOf(c)
		l.Mailbox, l.ReadOnly = s.boxState(mailbox, b, int(c.Exists())), b.readOnly
		fresh, err := s.rowsFrom(ctx, c, b, mailbox, got) // which keeps them
		there = len(slices.DeleteFunc(fresh, func(r Row) bool { return r.Flags.Deleted }))
		l.Rows = s.keptRows(raw, b.validity, page)
		return err
	})
	if l.HideDeleted(); err == nil && there < 3 {
		return s.OpenInList(ctx, mailbox, uid, q)
	}
	return out, l, err
}

// Sender is the first author of a mail that was listed lately; false where none is known.
func (s *Session) Sender(mailbox string, uid uint32) (message.Address, bool) {
	raw, err := s.rawName(mailbox)
	m, known := s.known(mailbox)
	if err != nil || !known {
		return message.Address{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows.get(rowKey{raw, m.UIDValidity, uid})
	if !ok || len(row.From) == 0 {
		return message.Address{}, false
	}
	return row.From[0], true
}

// openOn fetches a mail, and in the same flight what p asks for; got is all that came.
func (s *Session) openOn(ctx context.Context, c *imapx.Conn, raw, mailbox string, validity, uid uint32, p plan) (out *Open, got []imapx.Fetch, err error) {
	items, limit := s.guessParts(c, raw, uid)
	items = "UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER] " + items
	before, again := s.openedBefore(c, raw, uid, len(p.behind()) == 0)
	if again {
		items = "UID FLAGS"
	}
	head := imapx.Cmd("UID FETCH", uid, "("+items+")")
	if err := meet(ctx, c, raw, uid); err != nil {
		return nil, nil, err
	}
	b, err := selectBox(ctx, c, raw, append([]*imapx.Command{head}, p.behind()...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := b.check(validity); err != nil {
		return nil, nil, err
	}
	if again && b.validity != before.UIDValidity { // it was of another life of the mailbox
		return s.openOn(ctx, c, raw, mailbox, validity, uid, p)
	}
	got = fetched(append([]*imapx.Command{head}, p.behind()...)...)
	f, err := one(c, got, head, uid, again)
	if errors.Is(err, ErrGone) && head.Status == "OK" { // or it was done before all was told (O102)
		head = imapx.Cmd("UID FETCH", uid, "("+items+")")
		if err := c.Do(ctx, head); err != nil {
			return nil, nil, err
		}
		f, err = one(c, collect(head.Data), head, uid, again)
	}
	if err != nil {
		return nil, nil, err
	}
	b.saw([]imapx.Fetch{f})
	if again {
		before.Flags, before.ReadOnly = flagsOf(f.Flags), b.readOnly
		return before, got, nil
	}
	out, err = s.assemble(ctx, c, b, mailbox, f, limit)
	return out, got, err
}

// openedBefore is a mail that was opened lately, in the mailbox that the connection has selected; where it has none, and
// that is to be guessed, of whatever UIDVALIDITY.
func (s *Session) openedBefore(c *imapx.Conn, raw string, uid uint32, guess bool) (*Open, bool) {
	b, validity := boxOf(c), uint32(0)
	switch {
	case b != nil && b.raw == raw && b.validity != 0:
		validity = b.validity
	case b != nil && b.raw == raw || !guess:
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened.tidy()
	o, ok := s.opened.have(rowKey{raw, validity, uid})
	return &o, ok && o.UIDValidity != 0
}

// maxItems is how many parts are asked for at once in the hope that they are what is shown.
const maxItems = 12

// shownItems are FETCH items of the parts that a mail of this structure shows, "" when that is its first part alone.
func shownItems(s *message.Structure) string {
	if s.Type != "multipart" {
		return ""
	}
	wants := message.NewPlan(message.Header{}, s).Wanted()
	if len(wants) > maxItems {
		return ""
	}
	var items []string
	for _, w := range wants {
		if !w.HeaderOnly {
			limit := int64(partBytes)
			if w.Max > 0 {
				limit = min(limit, w.Max)
			}
			items = append(items, fmt.Sprintf("BODY.PEEK[%s]<0.%d>", w.Section, limit))
		}
		if w.MIME {
			items = append(items, fmt.Sprintf("BODY.PEEK[%s.MIME]", w.Section))
		}
	}
	return strings.Join(items, " ")
}

// guessParts are FETCH items of what a mail probably shows, and how many bytes of each part they ask for.
func (s *Session) guessParts(c *imapx.Conn, raw string, uid uint32) (items string, limit int) {
	if b := boxOf(c); b != nil && b.raw == raw {
		s.mu.Lock()
		row, ok := s.rows.get(rowKey{raw, b.validity, uid})
		s.mu.Unlock()
		if ok && row.parts != "" {
			return row.parts, partBytes
		}
	}
	return fmt.Sprintf("BODY.PEEK[1]<0.%d>", guessBytes), guessBytes
}

// MarkSeen marks a mail read that was shown and was not. It is SetFlags in one round trip: the number of unread mails
// is taken down by our own reckoning, and the server is not asked for it.
func (s *Session) MarkSeen(ctx context.Context, o *Open) error {
	raw, err := s.rawName(o.Mailbox)
	if err != nil {
		return err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		cmd := imapx.Cmd("UID STORE", o.UID, `+FLAGS.SILENT (\Seen)`)
		b, err := selected(ctx, c, raw, nil)
		if err != nil {
			return err
		}
		if err := b.check(o.UIDValidity); err != nil {
			return err
		}
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		return cmd.Err(c.Host)
	})
	if err == nil {
		o.Flags.Seen = true
		s.reads(o.Mailbox, 1)
	}
	return err
}

// reads takes as many from the unread mails of a mailbox, as last heard, or adds them where there are fewer than none.
func (s *Session) reads(mailbox string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.tree.boxes, func(m Mailbox) bool { return m.Name == mailbox })
	if n == 0 || i < 0 {
		return
	}
	s.tree.boxes = slices.Clone(s.tree.boxes) // those given out never change
	s.tree.boxes[i].Unseen = uint32(max(0, int64(s.tree.boxes[i].Unseen)-int64(n)))
}

// one is the answer for uid among those to cmd, which asked for more than flags unless it says so; ErrGone when there
// was none.
func one(c *imapx.Conn, got []imapx.Fetch, cmd *imapx.Command, uid uint32, flags bool) (imapx.Fetch, error) {
	for _, f := range got {
		if f.UID == uid && (flags || f.Header != nil || f.Structure != nil || len(f.Bodies) > 0) {
			return f, nil
		}
	}
	if cmd.Status != "OK" && cmd.Code != "" && cmd.Code != "NONEXISTENT" {
		return imapx.Fetch{}, cmd.Err(c.Host)
	}
	return imapx.Fetch{}, ErrGone
}

// assemble decides what is shown, fetches what did not come yet, and decodes it. limit is how much of each part was asked
// for: one that is shorter is whole.
func (s *Session) assemble(ctx context.Context, c *imapx.Conn, b *box, mailbox string, f imapx.Fetch, limit int) (*Open, error) {
	h := message.ReadHeader(f.Header)
	o := &Open{Row: rowOf(mailbox, b.validity, f), ReadOnly: b.readOnly, Structure: f.Structure, RawHeader: f.Header}
	key := rowKey{b.raw, b.validity, f.UID}
	var plan *message.Plan
	if f.Structure != nil {
		plan = message.NewPlan(h, f.Structure)
	}
	if plan == nil || plan.Implausible() {
		return o, s.readWhole(ctx, c, key, o)
	}
	parts, mime, err := wanted(ctx, c, f, limit, plan.Wanted())
	if err != nil {
		return nil, err
	}
	o.Message, o.pieces = plan.Assemble(parts, mime), &pieces{Parts: parts, MIME: mime}
	if plan.Implausible() { // what was fetched shows it
		return o, s.readWhole(ctx, c, key, o)
	}
	s.mu.Lock()
	s.opened.mails.put(key, opened{structure: f.Structure}, maxOpened)
	s.opened.keep(key, o)
	s.mu.Unlock()
	return o, nil
}

func (s *Session) readWhole(ctx context.Context, c *imapx.Conn, key rowKey, o *Open) error {
	whole := imapx.Cmd("UID FETCH", key.uid, fmt.Sprintf("(UID BODY.PEEK[]<0.%d>)", maxRead))
	if err := c.Do(ctx, whole); err != nil {
		return err
	}
	f, err := one(c, collect(whole.Data), whole, key.uid, false)
	if err != nil {
		return err
	}
	o.Message, o.pieces = message.Read(f.Bodies[""]), &pieces{Whole: f.Bodies[""]}
	s.mu.Lock()
	s.opened.mails.put(key, opened{structure: o.Structure, byBytes: true}, maxOpened)
	s.mu.Unlock()
	return nil
}

// wanted fetches the parts to be shown and their headers, in one flight, except for what is there already.
func wanted(ctx context.Context, c *imapx.Conn, f imapx.Fetch, asked int, wants []message.Want) (parts, mime map[string][]byte, err error) {
	parts, mime = map[string][]byte{}, map[string][]byte{}
	var items []string
	for _, w := range wants {
		limit := int64(maxShown)
		if w.Max > 0 {
			limit = w.Max
		}
		name := strings.ToUpper(w.Section)
		if have, ok := f.Bodies[name]; ok && (len(have) < asked || w.Max > 0 && int64(len(have)) >= w.Max) {
			parts[name] = have
		} else if !w.HeaderOnly {
			items = append(items, fmt.Sprintf("BODY.PEEK[%s]<0.%d>", w.Section, limit))
		}
		if have, ok := f.Bodies[name+".MIME"]; ok {
			mime[name] = have
		} else if w.MIME {
			items = append(items, fmt.Sprintf("BODY.PEEK[%s.MIME]", w.Section))
		}
	}
	if len(items) == 0 {
		return parts, mime, nil
	}
	got, err := askTwice(ctx, c, []uint32{f.UID}, func(uids []uint32) (cmds []*imapx.Command) {
		for _, uid := range uids {
			cmds = append(cmds, imapx.Cmd("UID FETCH", uid, "(UID "+strings.Join(items, " ")+")"))
		}
		return cmds
	})
	if err != nil {
		return nil, nil, err
	}
	for _, g := range got {
		if g.UID != f.UID {
			continue
		}
		for section, body := range g.Bodies {
			if name, ok := strings.CutSuffix(section, ".MIME"); ok {
				mime[name] = body
			} else {
				parts[section] = body
			}
		}
	}
	return parts, mime, nil
}

// Raw writes the mail as the server has it, byte for byte, in windows: no connection is held while w is slow.
func (s *Session) Raw(ctx context.Context, mailbox string, validity, uid uint32, w io.Writer) error {
	return s.stream(ctx, mailbox, validity, uid, "", 0, w)
}

// how says how the parts of a mail are to be had, from the cache or by opening it, and under which validity.
func (s *Session) how(ctx context.Context, raw, mailbox string, validity, uid uint32) (opened, uint32, error) {
	s.mu.Lock()
	o, ok := s.opened.mails.get(rowKey{raw, validity, uid})
	s.mu.Unlock()
	if ok {
		return o, validity, nil
	}
	m, err := s.Open(ctx, mailbox, validity, uid)
	if err != nil {
		return opened{}, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, _ = s.opened.mails.get(rowKey{raw, m.UIDValidity, uid})
	return o, m.UIDValidity, nil
}
