package mailclient

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// PartFile is one part of a mail, decoded, as a file that can be read from anywhere.
type PartFile struct {
	Size int64  // -1 when only reading it through would tell
	Head []byte // how it begins: 512 bytes or more, if there are so many

	from func(ctx context.Context, off int64, w io.Writer) error
}

// WriteFrom writes what comes from off on, with no more in memory than is under way. Without a Size off has to be 0.
func (f *PartFile) WriteFrom(ctx context.Context, off int64, w io.Writer) error {
	return f.from(ctx, off, w)
}

// FileOf is a file that is at hand.
func FileOf(body []byte) *PartFile {
	return &PartFile{Size: int64(len(body)), Head: body, from: func(_ context.Context, off int64, w io.Writer) error {
		_, err := w.Write(body[min(off, int64(len(body))):])
		return err
	}}
}

// Keep has what is written of the file handed over, too, once that is all of it and no more than most bytes.
func (f *PartFile) Keep(most int, keep func(body []byte)) {
	from := f.from
	f.from = func(ctx context.Context, off int64, w io.Writer) error {
		if off > 0 || f.Size > int64(most) {
			return from(ctx, off, w)
		}
		c := &Copy{Most: most}
		err := from(ctx, off, io.MultiWriter(w, c))
		left := int64(c.Len()) == f.Size && (errors.Is(err, io.ErrClosedPipe) || errors.Is(err, context.Canceled)) // with all of it
		if !c.Over && (err == nil || left) {
			keep(c.Bytes())
		}
		return err
	}
}

// Copy takes what is written to it, as far as that is no more than Most bytes.
type Copy struct {
	bytes.Buffer
	Most int
	Over bool // it is more
}

// Write never fails.
func (c *Copy) Write(p []byte) (int, error) {
	if c.Over = c.Over || c.Len()+len(p) > c.Most; c.Over {
		c.Buffer = bytes.Buffer{}
		return len(p), nil
	}
	return c.Buffer.Write(p)
}

// place is where a part stands on the server.
type place struct {
	mailbox, raw  string
	validity, uid uint32
	section       string
	uneven        bool // as opened has it
}

// PartFile looks at a part. section is one of message.File.Section. ErrGone if there is none. Its size is known if it
// is not encoded, if it is base64 in lines of one length, or if it is small.
func (s *Session) PartFile(ctx context.Context, mailbox string, validity, uid uint32, section string) (*PartFile, error) {
	at, part, err := s.locate(ctx, mailbox, validity, uid, section)
	if err != nil {
		return nil, err
	}
	if part == nil {
		var whole bytes.Buffer
		err := s.partOfBytes(ctx, at, &whole)
		return FileOf(whole.Bytes()), err
	}
	head, tail, err := s.ends(ctx, at, part.Size)
	if err != nil {
		return nil, err
	}
	begin, err := io.ReadAll(message.NewDecoder(bytes.NewReader(head), part.Encoding))
	if err != nil {
		return nil, err
	}
	if len(head) < probe {
		return FileOf(begin), nil
	}
	f := &PartFile{Size: -1, Head: begin, from: func(ctx context.Context, _ int64, w io.Writer) error { return s.decoded(ctx, at, part.Encoding, w) }}
	switch l, even := layoutOf(part.Size, head, tail); {
	case identity(part.Encoding) && len(tail) == probe:
		f.Size = part.Size
		f.from = func(ctx context.Context, off int64, w io.Writer) error {
			return s.stream(ctx, at.mailbox, at.validity, at.uid, at.section, off, w)
		}
	case strings.EqualFold(part.Encoding, "base64") && even && !at.uneven:
		f.Size = l.size
		f.from = func(ctx context.Context, off int64, w io.Writer) error { return s.evenly(ctx, at, l, off, w) }
	}
	return f, nil
}

// locate finds a part; it is nil if it can be had from the whole mail alone.
func (s *Session) locate(ctx context.Context, mailbox string, validity, uid uint32, section string) (at place, part *message.Structure, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return at, nil, err
	}
	o, validity, err := s.how(ctx, raw, mailbox, validity, uid)
	if err != nil {
		return at, nil, err
	}
	at = place{mailbox, raw, validity, uid, section, o.uneven}
	if o.byBytes || strings.Contains(section, "!") {
		return at, nil, nil
	}
	if part = find(o.structure, section); part == nil || part.Type == "multipart" {
		return at, nil, ErrGone
	}
	return at, part, nil
}

func identity(encoding string) bool {
	var r io.Reader = new(bytes.Reader)
	return message.NewDecoder(r, encoding) == r
}

// ends fetches the first octets of a part and those from probe before its end on: more than probe if the server says
// less than there is.
func (s *Session) ends(ctx context.Context, at place, size int64) (head, tail []byte, err error) {
	err = s.do(ctx, at.raw, true, func(c *imapx.Conn) error {
		cmds := []*imapx.Command{imapx.Cmd("UID FETCH", at.uid, fmt.Sprintf("(UID BODY.PEEK[%s]<0.%d>)", at.section, probe))}
		if size > probe {
			cmds = append(cmds, imapx.Cmd("UID FETCH", at.uid, fmt.Sprintf("(UID BODY.PEEK[%s]<%d.%d>)", at.section, size-probe, probe+1)))
		}
		if err := inBox(ctx, c, at.raw, at.validity, at.uid, cmds); err != nil {
			return err
		}
		if head, tail = at.pieces(cmds); head == nil {
			_, err := one(c, collect(cmds[0].Data), cmds[0], at.uid, false)
			return err
		}
		return nil
	})
	return head, tail, err
}

// pieces picks the begin of a part from what came, nil if there is none, and what is from further behind.
func (at place) pieces(cmds []*imapx.Command) (head, tail []byte) {
	for _, cmd := range cmds {
		for _, r := range cmd.Data {
			if r.Type != "FETCH" {
				continue
			}
			of, pieces := imapx.Windows(r)
			for _, p := range pieces {
				switch {
				case of != at.uid || p.Section != strings.ToUpper(at.section):
				case p.Offset > 0:
					tail = []byte(p.Text)
				default:
					head = append([]byte{}, p.Text...)
				}
			}
		}
	}
	return head, tail
}

// evenly writes a base64 part from a place on. If its middle is not as it seemed, the file ends with an error, and the
// next time nothing is made of its lines.
func (s *Session) evenly(ctx context.Context, at place, l layout, off int64, w io.Writer) error {
	octet, before := l.at(off)
	even := &evenWriter{to: w, layout: l, place: octet, skip: before}
	err := s.stream(ctx, at.mailbox, at.validity, at.uid, at.section, octet, even)
	if err == nil {
		err = even.close()
	}
	var corrupt base64.CorruptInputError
	if errors.Is(err, errUneven) || errors.As(err, &corrupt) {
		s.mu.Lock()
		key := rowKey{at.raw, at.validity, at.uid}
		if o, ok := s.opened.mails.get(key); ok {
			o.uneven = true
			s.opened.mails.put(key, o, maxOpened)
		}
		s.mu.Unlock()
	}
	return err
}

// Part writes one part of a mail, decoded. section is one of message.File.Section. ErrGone if there is none.
func (s *Session) Part(ctx context.Context, mailbox string, validity, uid uint32, section string, w io.Writer) error {
	at, part, err := s.locate(ctx, mailbox, validity, uid, section)
	if err != nil {
		return err
	}
	if part == nil {
		return s.partOfBytes(ctx, at, w)
	}
	return s.decoded(ctx, at, part.Encoding, w)
}

// decoded writes a part that can be read from its begin alone.
func (s *Session) decoded(ctx context.Context, at place, encoding string, w io.Writer) error {
	return s.through(ctx, at, w, func(r io.Reader) io.Reader { return message.NewDecoder(r, encoding) })
}

// through streams a part through a decoder.
func (s *Session) through(ctx context.Context, at place, w io.Writer, decoder func(io.Reader) io.Reader) error {
	r, pw := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := s.stream(ctx, at.mailbox, at.validity, at.uid, at.section, 0, pw)
		sent <- err
		_ = pw.CloseWithError(err) // nil is the end
	}()
	out := bufio.NewWriterSize(w, 64<<10) // a decoder gives a line at a time
	_, err := io.Copy(out, decoder(r))
	err = cmp.Or(err, out.Flush())
	_ = r.CloseWithError(err)
	if e := <-sent; err == nil && !errors.Is(e, io.ErrClosedPipe) { // that is a decoder that has what it wanted
		err = e
	}
	return err
}

func (s *Session) partOfBytes(ctx context.Context, at place, w io.Writer) error {
	buf := limited{left: maxRead}
	if err := s.Raw(ctx, at.mailbox, at.validity, at.uid, &buf); err != nil && buf.left > 0 {
		return err
	}
	return writeFile(message.Read(buf.Bytes()), at.section, w)
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
