package mailclient

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// Known is what somebody who keeps the rows of a mailbox knows of it. The zero value is nothing.
type Known struct {
	UIDValidity, UIDNext uint32
	Messages             int
	ModSeq               uint64   // up to which flags are known; 0 for a server that has none (RFC 7162)
	Look                 []uint32 // mails whose flags are asked for where the server cannot tell which have changed
	Marks                bool     // ask there which of all are unread and which are flagged
	Plain                bool     // the server has mod-sequences, and answers no question that goes by them
}

// News is how a mailbox is, and what in it is not as Known says.
type News struct {
	UIDValidity, UIDNext uint32
	Messages             int
	ModSeq               uint64
	ReadOnly             bool

	Renewed bool             // nothing that was known holds: another UIDVALIDITY, or UIDs that are given out once more
	Unsure  bool             // the flags of any mail may have changed
	Plain   bool             // the server refused a question that went by mod-sequences
	Flags   map[uint32]Flags // as far as they were told: of mails that changed, came, or were looked at
	Fresh   []uint32         // mails that came, rising, where All is nil
	All     []uint32         // all UIDs, rising, where mails went; nil where none did

	Unread, Flagged []uint32 // all that are, where Marks were asked for: nil where they were not
}

// News asks the server what has become of a mailbox: two round trips at most where nothing has, one where the mailbox
// is opened for it (PROTOCOLS S6 to S9).
func (s *Session) News(ctx context.Context, mailbox string, k Known) (n News, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return n, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		n = News{}
		asks := k.asks(c)
		b := boxOf(c)
		opens := b == nil || b.raw != raw
		if opens {
			b, err = selectBox(ctx, c, raw, asks...)
		} else if b, err = selectBox(ctx, c, raw); err == nil && len(asks) > 0 {
			err = c.Do(ctx, asks...) // behind its NOOP: what that tells may be news to the server's own view
		}
		if err != nil {
			return err
		}
		n.UIDValidity, n.UIDNext, n.Messages, n.ReadOnly = b.validity, b.uidnext, int(c.Exists()), b.readOnly
		if n.Plain = k.Plain || k.ModSeq > 0 && unanswered(asks); !n.Plain {
			n.ModSeq = b.modseq
		}
		n.Renewed = b.validity == 0 || k.UIDValidity != b.validity || opens && b.uidnext != 0 && b.uidnext < k.UIDNext
		if n.Renewed {
			k = Known{}
		}
		told := fetched(asks...)
		if k.ModSeq == 0 && k.Marks && n.Messages > 0 && !n.Renewed {
			n.Unread, n.Flagged, err = marked(ctx, c)
		}
		if err != nil {
			return err
		}
		b.saw(told)
		n.learn(told, k, opens || n.Renewed)
		backwards := k.ModSeq > n.ModSeq || k.ModSeq == 0 && n.ModSeq > 0 // a backup came back; or the server has learned to count
		n.Unsure = !n.Renewed && (backwards || n.Plain && !k.Plain)
		if n.Messages == 0 {
			n.All = []uint32{}
			return nil
		}
		n.Fresh = n.fresh(k)
		if n.Renewed || n.Messages != k.Messages+len(n.Fresh) {
			n.All, _, err = searchBox(ctx, c, []any{"ALL"})
		}
		for _, uids := range [][]uint32{n.All, n.Fresh} {
			if len(uids) > 0 {
				n.UIDNext = max(n.UIDNext, uids[len(uids)-1]+1)
			}
		}
		return err
	})
	return n, err
}

func unanswered(cmds []*imapx.Command) bool {
	return slices.ContainsFunc(cmds, func(cmd *imapx.Command) bool { return cmd.Status != "OK" })
}

// marked are the mails of the selected mailbox that are unread, and those that are flagged.
func marked(ctx context.Context, c *imapx.Conn) (unread, flagged []uint32, err error) {
	first, second := searchCommand(c, []any{"UNSEEN"}), searchCommand(c, []any{"FLAGGED"})
	if err := c.Do(ctx, first); err != nil { // one after the other: their answers look alike
		return nil, nil, err
	}
	if err := c.Do(ctx, second); err != nil || first.Status != "OK" || second.Status != "OK" {
		return nil, nil, err
	}
	return append([]uint32{}, found(first.Data)...), append([]uint32{}, found(second.Data)...), nil
}

// asks are the questions for flags that changed and for mails that came.
func (k Known) asks(c *imapx.Conn) (cmds []*imapx.Command) {
	if k.UIDValidity == 0 || k.UIDNext == 0 {
		return nil
	}
	if k.ModSeq > 0 && c.Has("CONDSTORE") {
		return []*imapx.Command{imapx.Cmd("UID FETCH", "1:*", fmt.Sprintf("(UID FLAGS) (CHANGEDSINCE %d)", k.ModSeq))}
	}
	cmds = append(cmds, imapx.Cmd("UID FETCH", fmt.Sprintf("%d:*", k.UIDNext), "(UID FLAGS)"))
	for _, set := range uidSets(k.Look) {
		cmds = append(cmds, imapx.Cmd("UID FETCH", set, "(UID FLAGS)"))
	}
	return cmds
}

// learn takes flags, and up to where they are known: as the server said when the mailbox was opened, or else as far as it
// has told of changes.
func (n *News) learn(told []imapx.Fetch, k Known, opened bool) {
	if !opened && k.ModSeq > 0 && n.ModSeq > 0 {
		n.ModSeq = k.ModSeq
	}
	n.Flags = make(map[uint32]Flags, len(told))
	for _, f := range told {
		if f.HasFlags {
			n.Flags[f.UID] = flagsOf(f.Flags)
		}
		if seq := f.Items["MODSEQ"]; len(seq) == 1 && len(seq[0].List) == 1 && !opened && n.ModSeq > 0 {
			n.ModSeq = max(n.ModSeq, uint64(seq[0].List[0].Number()))
		}
	}
}

// fresh are mails that came since, rising.
func (n *News) fresh(k Known) (uids []uint32) {
	for uid := range n.Flags {
		if uid >= k.UIDNext {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// FreshRows reads rows of mails from the server, with previews or without, in no order; ones that are gone are left out.
// It is for who keeps them: at most 500 at once.
func (s *Session) FreshRows(ctx context.Context, mailbox string, validity uint32, uids []uint32, previews bool) (rows []Row, err error) {
	items := func(c *imapx.Conn) string {
		if previews {
			return "(" + itemsFor(c) + guessItem + ")"
		}
		return "(" + itemsFor(c) + ")"
	}
	err = s.fetching(ctx, mailbox, validity, uids, items, func(c *imapx.Conn, got []imapx.Fetch) {
		rows = rows[:0]
		made := map[uint32]Row{}
		for _, f := range got {
			if f.Header != nil {
				made[f.UID] = guessed(rowOf(mailbox, validity, f), f)
			}
		}
		if previews {
			s.previews(ctx, c, made)
		}
		for _, r := range made {
			rows = append(rows, r)
		}
	})
	return rows, err
}

// FreshFlags are the flags of mails; ones that are gone are left out.
func (s *Session) FreshFlags(ctx context.Context, mailbox string, validity uint32, uids []uint32) (flags map[uint32]Flags, err error) {
	err = s.fetching(ctx, mailbox, validity, uids, func(*imapx.Conn) string { return "(UID FLAGS)" }, func(_ *imapx.Conn, got []imapx.Fetch) {
		flags = make(map[uint32]Flags, len(got))
		for _, f := range got {
			if f.HasFlags {
				flags[f.UID] = flagsOf(f.Flags)
			}
		}
	})
	return flags, err
}

// fetching fetches items of mails.
func (s *Session) fetching(ctx context.Context, mailbox string, validity uint32, uids []uint32, items func(*imapx.Conn) string, take func(*imapx.Conn, []imapx.Fetch)) error {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return err
	}
	return s.do(ctx, raw, true, func(c *imapx.Conn) error {
		b, err := selectBox(ctx, c, raw)
		if err != nil {
			return err
		}
		if err := b.check(validity); err != nil {
			return err
		}
		var cmds []*imapx.Command
		for _, set := range uidSets(uids) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", set, items(c)))
		}
		if err := c.Do(ctx, cmds...); err != nil {
			return err
		}
		for _, cmd := range cmds {
			if cmd.Status != "OK" && len(cmd.Data) == 0 {
				return cmd.Err(c.Host)
			}
		}
		got := fetched(cmds...)
		b.saw(got)
		take(c, got)
		return nil
	})
}

type behindKey struct{}

// Behind is a context for what nobody waits for: it lets others pass, and opens no connection beside those that work.
func Behind(ctx context.Context) context.Context { return context.WithValue(ctx, behindKey{}, true) }

func isBehind(ctx context.Context) bool { return ctx.Value(behindKey{}) != nil }

const (
	passTime = 2 * time.Second // how long what is done behind lets others pass at most
	passStep = 20 * time.Millisecond
)

// letPass waits while a person's own requests are under way, but not for ever.
func (s *Session) letPass(ctx context.Context) {
	for began := time.Now(); s.asked.Load() > 0 && time.Since(began) < passTime; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(passStep):
		}
	}
}

// Previews asks for the previews of rows that have none yet; a failure leaves them without.
func (s *Session) Previews(ctx context.Context, mailbox string, validity uint32, rows []Row) error {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return err
	}
	byUID := map[uint32]Row{}
	for _, r := range rows {
		byUID[r.UID] = r
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		b, err := selectBox(ctx, c, raw)
		if err != nil {
			return err
		}
		if err := b.check(validity); err != nil {
			return err
		}
		s.previews(ctx, c, byUID)
		return nil
	})
	for i, r := range rows {
		rows[i] = byUID[r.UID]
	}
	return err
}

// Keep takes rows that were kept elsewhere: to open their mails takes no more than one flight then.
func (s *Session) Keep(mailbox string, rows []Row) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		r.Conversation = nil // that is of one list
		s.rows.put(rowKey{raw, r.UIDValidity, r.UID}, r)
	}
}

// Kept is the row of a mail that was listed lately; its flags may be old.
func (s *Session) Kept(mailbox string, validity, uid uint32) (Row, bool) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return Row{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows.get(rowKey{raw, validity, uid})
}

// Tell tells those who watch that a mailbox has changed, where somebody else has seen it.
func (s *Session) Tell(mailbox string) {
	if w := s.watcher(); w != nil {
		s.tell(w, Event{Kind: EventChanged, Mailbox: mailbox})
	}
}

// Watched says whether somebody is told of what happens in INBOX, as it happens.
func (s *Session) Watched() bool {
	w := s.watcher()
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hears && len(w.listeners) > 0
}

// Heard counts what has happened to the account's mail: the events of this session, and what was done through it.
func (s *Session) Heard() uint64 { return s.changes.Load() + s.acted.Load() }

// Host is the name of the account's server.
func (s *Session) Host() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ep.Host
}

// HasPreview says whether the row's preview was asked for, or there is none to be had.
func (r Row) HasPreview() bool { return r.previewed || r.text == nil }

// keptRow is what never changes of a row, as it is written down. Of addresses, the name stands before the rest.
type keptRow struct {
	From      []string `json:"f,omitempty"`
	To        []string `json:"t,omitempty"`
	Subject   string   `json:"s,omitempty"`
	Date      int64    `json:"d,omitempty"`
	MessageID string   `json:"m,omitempty"`
	Parts     string   `json:"p,omitempty"`
	Text      []string `json:"x,omitempty"` // of the part with the preview: section, type, subtype, encoding, and its parameters
}

// maxKeptPeople is how many recipients of a mail are written down: a list shows three.
const maxKeptPeople = 20

func keptPeople(list []message.Address) (out []string) {
	for _, a := range list[:min(len(list), maxKeptPeople)] {
		out = append(out, a.Name, a.Addr)
	}
	return out
}

func peopleKept(list []string) (out []message.Address) {
	for pair := range slices.Chunk(list, 2) {
		if len(pair) == 2 {
			out = append(out, message.Address{Name: pair[0], Addr: pair[1]})
		}
	}
	return out
}

// MarshalBinary writes down what never changes of a row, but for where it stands, its preview, arrival and size.
func (r Row) MarshalBinary() ([]byte, error) {
	k := keptRow{From: keptPeople(r.From), To: keptPeople(r.To), Subject: r.Subject, MessageID: r.MessageID, Parts: r.parts}
	if !r.Date.IsZero() {
		k.Date = r.Date.Unix()
	}
	if t := r.text; t != nil {
		k.Text = []string{t.Section, t.Type, t.Subtype, t.Encoding}
		for name, value := range t.Params {
			k.Text = append(k.Text, name, value)
		}
	}
	return json.Marshal(k)
}

// UnmarshalBinary reads what MarshalBinary wrote. The row counts as one whose preview was not asked for.
func (r *Row) UnmarshalBinary(b []byte) error {
	var k keptRow
	if err := json.Unmarshal(b, &k); err != nil {
		return err
	}
	r.From, r.To, r.Subject, r.MessageID, r.parts, r.text = peopleKept(k.From), peopleKept(k.To), k.Subject, k.MessageID, k.Parts, nil
	if t := k.Text; len(t) >= 4 {
		r.text = &message.Structure{Section: t[0], Type: t[1], Subtype: t[2], Encoding: t[3], Params: map[string]string{}}
		for pair := range slices.Chunk(t[4:], 2) {
			r.text.Params[pair[0]] = pair[len(pair)-1]
		}
	}
	if k.Date != 0 {
		r.Date = time.Unix(k.Date, 0)
	}
	return nil
}

// WithPreview is the row with its preview, as it was had before.
func (r Row) WithPreview(preview string) Row {
	r.Preview, r.previewed, r.text = preview, true, nil
	return r
}

// SortKey is the text by which a row is sorted: folded, the subject without its reply prefixes.
func (r Row) SortKey(by Sort) string { return strings.TrimSpace(sortText(by, r)) }

// With are the flags once some words were added and then others removed.
func (f Flags) With(add, remove []string) Flags {
	words := slices.Clone(f.Keywords)
	for _, x := range []struct {
		on   bool
		word string
	}{{f.Seen, `\Seen`}, {f.Flagged, `\Flagged`}, {f.Answered, `\Answered`}, {f.Forwarded, "$Forwarded"}, {f.Draft, `\Draft`}, {f.Deleted, `\Deleted`}, {f.Junk, "$Junk"}} {
		if x.on {
			words = append(words, x.word)
		}
	}
	for _, w := range add {
		if !slices.ContainsFunc(words, func(o string) bool { return strings.EqualFold(o, w) }) {
			words = append(words, w)
		}
	}
	return flagsOf(slices.DeleteFunc(words, func(o string) bool {
		return slices.ContainsFunc(remove, func(w string) bool { return strings.EqualFold(o, w) })
	}))
}
