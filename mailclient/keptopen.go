package mailclient

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"

	"restante/mailclient/message"
)

// maxPieces is how many bytes a mail may have that is written down as it was opened.
const maxPieces = 4 << 20

// pieces are what was fetched of a mail so that it could be shown: parts and their headers, or all of it.
type pieces struct {
	Parts, MIME map[string][]byte
	Whole       []byte
}

func (p *pieces) size() (n int) {
	for _, part := range p.Parts {
		n += len(part)
	}
	return n + len(p.Whole)
}

// keptMail is what never changes of a mail that was opened, as it is written down. What a structure has in odd octets is
// read from the parts' own headers.
type keptMail struct {
	Mailbox               string
	UIDValidity, UID      uint32
	Flags                 Flags
	From, To              []message.Address
	Subject, MessageID    string
	Date, Received        time.Time
	Size                  int64
	HasAttachment         bool
	InReplyTo, References []string
	Structure             *message.Structure
	Sections, MIME        []string // whose octets follow, in this order, then the mail's header, then the mail if it was read whole
	Lengths               []int
}

// ErrNotKept is a mail that cannot be written down: it was not just fetched, or is too large.
var ErrNotKept = errors.New("mail is not to be kept")

// MarshalBinary writes down a mail that was just opened.
func (o *Open) MarshalBinary() ([]byte, error) {
	if o.pieces == nil || o.UIDValidity == 0 || o.pieces.size()+len(o.RawHeader) > maxPieces {
		return nil, ErrNotKept
	}
	k := keptMail{
		Mailbox: o.Mailbox, UIDValidity: o.UIDValidity, UID: o.UID, Flags: o.Flags, From: o.From, To: o.To, Subject: o.Subject, MessageID: o.MessageID,
		Date: o.Date, Received: o.Received, Size: o.Size, HasAttachment: o.HasAttachment, InReplyTo: o.InReplyTo, References: o.References, Structure: o.Structure,
	}
	var octets [][]byte
	for _, list := range []struct {
		of    map[string][]byte
		names *[]string
	}{{o.pieces.Parts, &k.Sections}, {o.pieces.MIME, &k.MIME}} {
		for _, name := range slices.Sorted(maps.Keys(list.of)) {
			*list.names, octets = append(*list.names, name), append(octets, list.of[name])
		}
	}
	octets = append(octets, o.RawHeader)
	if o.pieces.Whole != nil {
		octets = append(octets, o.pieces.Whole)
	}
	for _, piece := range octets {
		k.Lengths = append(k.Lengths, len(piece))
	}
	head, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := s2.NewWriter(&out, s2.WriterConcurrency(1))
	for _, piece := range append([][]byte{binary.AppendUvarint(nil, uint64(len(head))), head}, octets...) {
		if _, err := w.Write(piece); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

var errKept = errors.New("what was kept of a mail cannot be read")

// UnmarshalBinary reads what MarshalBinary wrote.
func (o *Open) UnmarshalBinary(b []byte) error {
	all, err := io.ReadAll(io.LimitReader(s2.NewReader(bytes.NewReader(b)), 4*maxPieces))
	if err != nil {
		return err
	}
	n, used := binary.Uvarint(all)
	if used <= 0 || n > uint64(len(all)-used) {
		return errKept
	}
	all = all[used:]
	var k keptMail
	if err := json.Unmarshal(all[:n], &k); err != nil {
		return err
	}
	all = all[n:]
	next := func() []byte {
		if len(k.Lengths) == 0 || k.Lengths[0] < 0 || k.Lengths[0] > len(all) {
			err = errKept
			return nil
		}
		n := k.Lengths[0]
		piece := all[:n:n]
		k.Lengths, all = k.Lengths[1:], all[n:]
		return piece
	}
	parts, mime := map[string][]byte{}, map[string][]byte{}
	for _, name := range k.Sections {
		parts[name] = next()
	}
	for _, name := range k.MIME {
		mime[name] = next()
	}
	header := next()
	if err != nil {
		return err
	}
	*o = Open{Row: Row{
		Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, UID: k.UID, Flags: k.Flags, From: k.From, To: k.To, Subject: k.Subject, MessageID: k.MessageID,
		Date: k.Date, Received: k.Received, Size: k.Size, HasAttachment: k.HasAttachment, InReplyTo: k.InReplyTo, References: k.References,
	}, Structure: k.Structure, RawHeader: header}
	if o.byBytes = len(k.Lengths) > 0; o.byBytes {
		whole := next()
		o.Message = message.Read(whole)
		return err
	}
	o.Message = message.NewPlan(message.ReadHeader(header), k.Structure).Assemble(parts, mime)
	return nil
}

// HasOpen says whether a mail is in memory as it was opened; under validity 0, whatever the validity was.
func (s *Session) HasOpen(mailbox string, validity, uid uint32) bool {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.opened.have(rowKey{raw, validity, uid})
	return ok
}

// KeepOpen takes a mail that was kept elsewhere: to open it takes no more than its flags then.
func (s *Session) KeepOpen(o *Open) {
	raw, err := s.rawName(o.Mailbox)
	if err != nil {
		return
	}
	key := rowKey{raw, o.UIDValidity, o.UID}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened.mails.put(key, opened{structure: o.Structure, byBytes: o.byBytes}, maxOpened)
	if !o.byBytes { // which may be of any size
		s.opened.keep(key, o)
	}
}
