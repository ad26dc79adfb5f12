package mailclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

const (
	maxRead    = 8 << 20  // a mail read whole because its structure makes no sense
	maxShown   = 2 << 20  // of one part that is shown
	guessBytes = 64 << 10 // fetched with the structure, in the hope that it is what is shown
	window     = 256 << 10
	maxOpened  = 20
)

// opened is what never changes of a mail that was opened: how its parts are to be had.
type opened struct {
	structure *message.Structure
	byBytes   bool // its structure makes no sense: parts come from reading it whole
}

type openCache struct {
	mails map[rowKey]opened
	order []rowKey
}

func (c *openCache) put(k rowKey, o opened) {
	if c.mails == nil {
		c.mails = map[rowKey]opened{}
	}
	if _, ok := c.mails[k]; !ok {
		c.order = append(c.order, k)
		if len(c.order) > maxOpened {
			delete(c.mails, c.order[0])
			c.order = c.order[1:]
		}
	}
	c.mails[k] = o
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
		head := imapx.Cmd("UID FETCH", uid, fmt.Sprintf("(UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[1]<0.%d>)", guessBytes))
		if err := meet(ctx, c, raw, uid); err != nil {
			return err
		}
		b, err := selectBox(ctx, c, raw, head)
		if err != nil {
			return err
		}
		if err := b.check(validity); err != nil {
			return err
		}
		f, err := one(c, head, uid)
		if err != nil {
			return err
		}
		b.saw([]imapx.Fetch{f})
		out, err = s.assemble(ctx, c, b, mailbox, f)
		return err
	})
	return out, err
}

// one is the answer for uid; ErrGone when there was none.
func one(c *imapx.Conn, cmd *imapx.Command, uid uint32) (imapx.Fetch, error) {
	for _, f := range collect(cmd.Data) {
		if f.UID == uid && (f.Header != nil || f.Structure != nil || len(f.Bodies) > 0) {
			return f, nil
		}
	}
	if cmd.Status != "OK" && cmd.Code != "" && cmd.Code != "NONEXISTENT" {
		return imapx.Fetch{}, cmd.Err(c.Host)
	}
	return imapx.Fetch{}, ErrGone
}

// assemble decides what is shown, fetches that, and decodes it.
func (s *Session) assemble(ctx context.Context, c *imapx.Conn, b *box, mailbox string, f imapx.Fetch) (*Open, error) {
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
	parts, mime, err := wanted(ctx, c, f, plan.Wanted())
	if err != nil {
		return nil, err
	}
	o.Message = plan.Assemble(parts, mime)
	if plan.Implausible() { // what was fetched shows it
		return o, s.readWhole(ctx, c, key, o)
	}
	s.mu.Lock()
	s.opened.put(key, opened{structure: f.Structure})
	s.mu.Unlock()
	return o, nil
}

func (s *Session) readWhole(ctx context.Context, c *imapx.Conn, key rowKey, o *Open) error {
	whole := imapx.Cmd("UID FETCH", key.uid, fmt.Sprintf("(UID BODY.PEEK[]<0.%d>)", maxRead))
	if err := c.Do(ctx, whole); err != nil {
		return err
	}
	f, err := one(c, whole, key.uid)
	if err != nil {
		return err
	}
	o.Message = message.Read(f.Bodies[""])
	s.mu.Lock()
	s.opened.put(key, opened{structure: o.Structure, byBytes: true})
	s.mu.Unlock()
	return nil
}

// wanted fetches the parts to be shown and their headers, in one flight, except for what is there already.
func wanted(ctx context.Context, c *imapx.Conn, f imapx.Fetch, wants []message.Want) (parts, mime map[string][]byte, err error) {
	parts, mime = map[string][]byte{}, map[string][]byte{}
	var items []string
	for _, w := range wants {
		limit := int64(maxShown)
		if w.Max > 0 {
			limit = w.Max
		}
		have, ok := f.Bodies[strings.ToUpper(w.Section)]
		if ok && w.Section == "1" && len(have) < guessBytes {
			parts["1"] = have
		} else if !w.HeaderOnly {
			items = append(items, fmt.Sprintf("BODY.PEEK[%s]<0.%d>", w.Section, limit))
		}
		if w.MIME {
			items = append(items, fmt.Sprintf("BODY.PEEK[%s.MIME]", w.Section))
		}
	}
	if len(items) == 0 {
		return parts, mime, nil
	}
	cmd := imapx.Cmd("UID FETCH", f.UID, "(UID "+strings.Join(items, " ")+")")
	if err := c.Do(ctx, cmd); err != nil {
		return nil, nil, err
	}
	for _, g := range collect(cmd.Data) {
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
	return s.stream(ctx, mailbox, validity, uid, "", w)
}

// Part writes one part of a mail, decoded. section is one of message.File.Section. ErrGone if there is none.
func (s *Session) Part(ctx context.Context, mailbox string, validity, uid uint32, section string, w io.Writer) error {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return err
	}
	o, validity, err := s.how(ctx, raw, mailbox, validity, uid)
	if err != nil {
		return err
	}
	if o.byBytes || strings.Contains(section, "!") {
		return s.partOfBytes(ctx, mailbox, validity, uid, section, w)
	}
	part := find(o.structure, section)
	if part == nil || part.Type == "multipart" {
		return ErrGone
	}
	r, pw := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := s.stream(ctx, mailbox, validity, uid, section, pw)
		sent <- err
		_ = pw.CloseWithError(err) // nil is the end
	}()
	_, err = io.Copy(w, message.NewDecoder(r, part.Encoding))
	_ = r.CloseWithError(err)
	if e := <-sent; e != nil && err == nil {
		err = e
	}
	return err
}

// how says how the parts of a mail are to be had, from the cache or by opening it, and under which validity.
func (s *Session) how(ctx context.Context, raw, mailbox string, validity, uid uint32) (opened, uint32, error) {
	s.mu.Lock()
	o, ok := s.opened.mails[rowKey{raw, validity, uid}]
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
	return s.opened.mails[rowKey{raw, m.UIDValidity, uid}], m.UIDValidity, nil
}

func (s *Session) partOfBytes(ctx context.Context, mailbox string, validity, uid uint32, section string, w io.Writer) error {
	buf := limited{left: maxRead}
	if err := s.Raw(ctx, mailbox, validity, uid, &buf); err != nil && buf.left > 0 {
		return err
	}
	return writeFile(message.Read(buf.Bytes()), section, w)
}

func writeFile(m *message.Message, section string, w io.Writer) error {
	for _, f := range m.Files {
		if f.Section == section {
			_, err := w.Write(f.Body)
			return err
		}
	}
	return ErrGone
}

// limited is a buffer that refuses more than left bytes.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left <= 0 {
		l.left = 0
		return 0, ErrTooLarge
	}
	return l.Buffer.Write(p)
}

func find(s *message.Structure, section string) *message.Structure {
	if s == nil {
		return nil
	}
	if s.Section == section && s.Type != "multipart" {
		return s
	}
	for _, c := range s.Children {
		if f := find(c, section); f != nil {
			return f
		}
	}
	return nil
}

// stream fetches a section window by window, two in one flight (F5).
func (s *Session) stream(ctx context.Context, mailbox string, validity, uid uint32, section string, w io.Writer) error {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return err
	}
	for off := int64(0); ; {
		var got [][]byte
		err := s.do(ctx, raw, true, func(c *imapx.Conn) error {
			var cmds []*imapx.Command
			for i := range int64(2) {
				cmds = append(cmds, imapx.Cmd("UID FETCH", uid, fmt.Sprintf("(UID BODY.PEEK[%s]<%d.%d>)", section, off+i*window, window)))
			}
			if err := meet(ctx, c, raw, uid); err != nil {
				return err
			}
			b, err := selected(ctx, c, raw, cmds)
			if err != nil {
				return err
			}
			if err := b.check(validity); err != nil {
				return err
			}
			got = windows(cmds, uid, strings.ToUpper(section), off)
			if got[0] == nil { // gone, perhaps in the middle: never a whole file that is not
				_, err = one(c, cmds[0], uid)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, body := range got {
			if _, err := w.Write(body); err != nil {
				return err
			}
			if len(body) < window {
				return nil
			}
			off += int64(len(body))
		}
	}
}

// windows puts the bodies that came for some commands in order. The order of the answers does not tell which command
// they are for: Dovecot holds back the OK of one until the next has run. Where they begin does.
func windows(cmds []*imapx.Command, uid uint32, section string, off int64) [][]byte {
	got, next := make([][]byte, len(cmds)), 0
	for _, cmd := range cmds {
		for _, r := range cmd.Data {
			f := imapx.ParseFetch(r)
			body, ok := f.Bodies[section]
			if !ok || f.UID != uid {
				continue
			}
			i := next
			if at, told := f.Origins[section]; told {
				i = int((at - off) / window)
			}
			if i >= 0 && i < len(got) {
				got[i], next = body, i+1
			}
		}
	}
	return got
}

// selected is selectBox without the NOOP: what is streamed does not change.
func selected(ctx context.Context, c *imapx.Conn, raw string, cmds []*imapx.Command) (*box, error) {
	if b := boxOf(c); b != nil && b.raw == raw {
		return b, c.Do(ctx, cmds...)
	}
	return selectBox(ctx, c, raw, cmds...)
}
