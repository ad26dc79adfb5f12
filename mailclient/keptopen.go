package mailclient

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
	"time"

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
	Header                []byte
	Pieces                pieces
}

// ErrNotKept is a mail that cannot be written down: it was not just fetched, or is too large.
var ErrNotKept = errors.New("mail is not to be kept")

// MarshalBinary writes down a mail that was just opened.
func (o *Open) MarshalBinary() ([]byte, error) {
	if o.pieces == nil || o.UIDValidity == 0 || o.pieces.size()+len(o.RawHeader) > maxPieces {
		return nil, ErrNotKept
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	err = json.NewEncoder(w).Encode(keptMail{
		Mailbox: o.Mailbox, UIDValidity: o.UIDValidity, UID: o.UID, Flags: o.Flags, From: o.From, To: o.To, Subject: o.Subject, MessageID: o.MessageID,
		Date: o.Date, Received: o.Received, Size: o.Size, HasAttachment: o.HasAttachment, InReplyTo: o.InReplyTo, References: o.References,
		Structure: o.Structure, Header: o.RawHeader, Pieces: *o.pieces,
	})
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (o *Open) UnmarshalBinary(b []byte) error {
	var k keptMail
	if err := json.NewDecoder(io.LimitReader(flate.NewReader(bytes.NewReader(b)), 4*maxPieces)).Decode(&k); err != nil {
		return err
	}
	*o = Open{Row: Row{
		Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, UID: k.UID, Flags: k.Flags, From: k.From, To: k.To, Subject: k.Subject, MessageID: k.MessageID,
		Date: k.Date, Received: k.Received, Size: k.Size, HasAttachment: k.HasAttachment, InReplyTo: k.InReplyTo, References: k.References,
	}, Structure: k.Structure, RawHeader: k.Header}
	if o.byBytes = k.Pieces.Whole != nil; o.byBytes {
		o.Message = message.Read(k.Pieces.Whole)
	} else {
		o.Message = message.NewPlan(message.ReadHeader(k.Header), k.Structure).Assemble(k.Pieces.Parts, k.Pieces.MIME)
	}
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
