package demo

import (
	"bufio"
	"bytes"
	"mime"
	"net/mail"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// Fetch answers FETCH: what to send is decided under the lock, and sent after it.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	list, marked, err := s.view.fetched(set, reads(o))
	if err != nil {
		return err
	}
	if marked { // RFC 3501 6.4.5: a flag set by reading is part of the answer
		withFlags := *o
		withFlags.Flags = true
		o = &withFlags
	}
	return writeFetch(w, list, o)
}

// reads says whether a FETCH sets \Seen.
func reads(o *imap.FetchOptions) bool {
	for _, b := range o.BodySection {
		if !b.Peek {
			return true
		}
	}
	for _, b := range o.BinarySection {
		if !b.Peek {
			return true
		}
	}
	return false
}

func (v *view) fetched(set imap.NumSet, reads bool) (list []entry, marked bool, err error) {
	v.lock()
	defer v.unlock()
	list = v.entries(set)
	if !reads || v.readOnly {
		return list, false, nil
	}
	for i := range list {
		if !list[i].m.has(imap.FlagSeen) {
			v.setFlags(&list[i], imap.StoreFlagsAdd, []imap.Flag{imap.FlagSeen})
			marked = true
		}
	}
	if marked {
		err = v.account.commit(v.box)
	}
	return list, marked, err
}

func writeFetch(w *imapserver.FetchWriter, list []entry, o *imap.FetchOptions) error {
	for _, e := range list {
		// Reading a message may take a while: it is done before the answer is begun.
		items := prepare(e.m.content.raw, o)
		if err := items.write(w.CreateMessage(e.seq), e, o); err != nil {
			return err
		}
	}
	return nil
}

// items are the parts of a FETCH answer that are read out of the message.
type items struct {
	envelope  *imap.Envelope
	structure imap.BodyStructure
	sections  [][]byte
	binaries  [][]byte
}

func prepare(raw []byte, o *imap.FetchOptions) *items {
	var it items
	if o.Envelope {
		it.envelope = envelopeOf(raw)
	}
	if o.BodyStructure != nil {
		it.structure = structureOf(raw)
	}
	for _, b := range o.BodySection {
		it.sections = append(it.sections, section(raw, b))
	}
	for _, b := range o.BinarySection {
		it.binaries = append(it.binaries, imapserver.ExtractBinarySection(bytes.NewReader(raw), b))
	}
	return &it
}

func (it *items) write(w *imapserver.FetchResponseWriter, e entry, o *imap.FetchOptions) error {
	raw := e.m.content.raw
	if o.UID {
		w.WriteUID(e.m.uid)
	}
	if o.Flags {
		w.WriteFlags(e.flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(e.m.date)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(raw)))
	}
	if o.Envelope {
		w.WriteEnvelope(it.envelope)
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(it.structure)
	}
	for i, b := range o.BodySection {
		wc := w.WriteBodySection(b, int64(len(it.sections[i])))
		_, _ = wc.Write(it.sections[i]) // a broken connection shows at Close
		_ = wc.Close()
	}
	for i, b := range o.BinarySection {
		wc := w.WriteBinarySection(b, int64(len(it.binaries[i])))
		_, _ = wc.Write(it.binaries[i])
		_ = wc.Close()
	}
	for _, b := range o.BinarySectionSize {
		w.WriteBinarySectionSize(b, imapserver.ExtractBinarySectionSize(bytes.NewReader(raw), b))
	}
	return w.Close()
}

// section cuts BODY[...] out; the whole message is sent as it was stored.
func section(raw []byte, b *imap.FetchItemBodySection) []byte {
	if len(b.Part) > 0 || b.Specifier != imap.PartSpecifierNone {
		return imapserver.ExtractBodySection(bytes.NewReader(raw), b)
	}
	if p := b.Partial; p != nil {
		size := int64(len(raw))
		start := min(max(p.Offset, 0), size)
		return raw[start:min(start+p.Size, size)]
	}
	return raw
}

// structureOf describes the parts. A multipart without parts is told as text, since
// BODYSTRUCTURE has no word for it.
func structureOf(raw []byte) imap.BodyStructure {
	bs := imapserver.ExtractBodyStructure(bytes.NewReader(raw))
	return whole(bs, len(raw))
}

func whole(bs imap.BodyStructure, size int) imap.BodyStructure {
	switch bs := bs.(type) {
	case *imap.BodyStructureMultiPart:
		if len(bs.Children) == 0 {
			return &imap.BodyStructureSinglePart{
				Type: "text", Subtype: "plain", Encoding: "7bit", Size: uint32(size),
				Text: &imap.BodyStructureText{}, Extended: &imap.BodyStructureSinglePartExt{},
			}
		}
		for i, child := range bs.Children {
			bs.Children[i] = whole(child, 0)
		}
	case *imap.BodyStructureSinglePart:
		if bs.Type == "" || bs.Subtype == "" {
			bs.Type, bs.Subtype, bs.Text = "text", "plain", &imap.BodyStructureText{}
		}
		if bs.MessageRFC822 != nil {
			bs.MessageRFC822.BodyStructure = whole(bs.MessageRFC822.BodyStructure, int(bs.Size))
		}
	}
	return bs
}

// envelopeOf reads the header fields of ENVELOPE, in whatever charset they are.
func envelopeOf(raw []byte) *imap.Envelope {
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return &imap.Envelope{}
	}
	env := imapserver.ExtractEnvelope(header)
	env.Subject = decodeWords(header.Get("Subject"))
	for field, list := range map[string]*[]imap.Address{
		"From": &env.From, "Sender": &env.Sender, "Reply-To": &env.ReplyTo,
		"To": &env.To, "Cc": &env.Cc, "Bcc": &env.Bcc,
	} {
		if parsed := addresses(header.Get(field)); parsed != nil {
			*list = parsed
		}
	}
	return env
}

func addresses(field string) []imap.Address {
	if field == "" {
		return nil
	}
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charsetReader}}
	parsed, err := parser.ParseList(field)
	if err != nil {
		return nil
	}
	var list []imap.Address
	for _, p := range parsed {
		i := strings.LastIndex(p.Address, "@")
		if i < 0 {
			continue
		}
		list = append(list, imap.Address{Name: p.Name, Mailbox: p.Address[:i], Host: p.Address[i+1:]})
	}
	return list
}
