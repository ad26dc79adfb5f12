package mailclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"restante/mailclient/imapx"
)

// acting opens the mailbox of ref for a change: under its validity, and not read-only.
func acting(ctx context.Context, c *imapx.Conn, raw string, ref Ref) (*box, error) {
	b := boxOf(c)
	if b == nil || b.raw != raw {
		var err error
		if b, err = selectBox(ctx, c, raw); err != nil {
			return nil, err
		}
	}
	if err := b.check(ref.UIDValidity); err != nil {
		return nil, err
	}
	if b.readOnly {
		return nil, ErrNoRight
	}
	return b, meet(ctx, c, raw, ref.UIDs...)
}

// taking is acting, for what takes mails elsewhere: the mailbox is selected anew. Dovecot lets another one of that name
// slip under a selection, and moves its mails (S4, A1).
func taking(ctx context.Context, c *imapx.Conn, raw string, ref Ref) error {
	c.Box = nil
	_, err := acting(ctx, c, raw, ref)
	if lost(err) {
		return &notBegun{err}
	}
	return err
}

// notBegun is a connection that ended before anything was asked for that may not be done twice.
type notBegun struct{ error }

func (e *notBegun) Unwrap() error { return e.error }

func flagWord(s string) bool {
	s = strings.TrimPrefix(s, `\`)
	return s != "" && len(s) < 200 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*"\]`, r) })
}

// SetFlags adds and removes flags and keywords; those of others stay (A2). ErrBadInput for what is no flag,
// ErrNoRight for a read-only mailbox. Mails that are gone are passed over.
func (s *Session) SetFlags(ctx context.Context, ref Ref, add, remove []string) error {
	_, err := s.setFlags(ctx, ref, add, remove)
	return err
}

// setFlags is SetFlags, and gives the mails that it changes: what they had before is asked in the same round trip.
func (s *Session) setFlags(ctx context.Context, ref Ref, add, remove []string) (changed []uint32, err error) {
	raw, err := s.rawName(ref.Mailbox)
	if err != nil {
		return nil, err
	}
	for _, f := range slices.Concat(add, remove) {
		if !flagWord(f) {
			return nil, ErrBadInput
		}
	}
	read, again, met := 0, false, map[uint32]bool{}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		if _, err := acting(ctx, c, raw, ref); err != nil {
			return err
		}
		for _, set := range uidSets(ref.UIDs) {
			had := imapx.Cmd("UID FETCH", set, "(UID FLAGS)")
			done := stores(set, add, remove)
			err := c.Do(ctx, append([]*imapx.Command{had}, done...)...)
			for _, f := range collect(had.Data) {
				if had.Status != "OK" || met[f.UID] { // what a connection was told that is lost counts
					continue
				}
				met[f.UID] = true
				if slices.ContainsFunc(remove, func(w string) bool { return holds(f.Flags, w) }) || slices.ContainsFunc(add, func(w string) bool { return !holds(f.Flags, w) }) {
					changed = append(changed, f.UID)
				}
				if seen := holds(f.Flags, `\Seen`); !seen && holds(add, `\Seen`) {
					read++
				} else if seen && holds(remove, `\Seen`) {
					read--
				}
			}
			for _, cmd := range done {
				if err == nil {
					err = cmd.Err(c.Host)
				}
			}
			if err != nil {
				again = true
				return err
			}
		}
		return nil
	})
	if err != nil || again || holds(slices.Concat(add, remove), `\Deleted`) {
		s.stale()
	} else {
		s.reads(ref.Mailbox, read)
	}
	return changed, err
}

func holds(flags []string, word string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return strings.EqualFold(f, word) })
}

// stores are the commands that add and remove flags.
func stores(set string, add, remove []string) (cmds []*imapx.Command) {
	if len(add) > 0 {
		cmds = append(cmds, imapx.Cmd("UID STORE", set, "+FLAGS.SILENT ("+strings.Join(add, " ")+")"))
	}
	if len(remove) > 0 {
		cmds = append(cmds, imapx.Cmd("UID STORE", set, "-FLAGS.SILENT ("+strings.Join(remove, " ")+")"))
	}
	return cmds
}

func numSet(set string) imap.UIDSet {
	var out imap.UIDSet
	for _, piece := range strings.Split(set, ",") {
		var a, z uint32
		if n, _ := fmt.Sscanf(piece, "%d:%d", &a, &z); n == 2 {
			out.AddRange(imap.UID(a), imap.UID(z))
		} else if n == 1 {
			out.AddNum(imap.UID(a))
		}
	}
	return out
}

// Move moves mails to another mailbox. Without MOVE it copies, waits for the OK, and only then marks and removes
// the originals (A6). Mails that were gone already are not in Moved.UIDs. Nothing is lost on any error.
func (s *Session) Move(ctx context.Context, ref Ref, to string) (Moved, error) {
	raw, err := s.rawName(ref.Mailbox)
	if err != nil {
		return Moved{}, err
	}
	target, err := s.rawName(to)
	if err != nil {
		return Moved{}, err
	}
	if target == raw {
		return Moved{To: to}, nil
	}
	defer s.stale()
	m := Moved{To: to, UIDs: map[uint32]uint32{}}
	defer func() { s.follow(ref.Mailbox, m) }()
	left := ref
	for try := 0; ; try++ {
		err = s.do(ctx, raw, false, func(c *imapx.Conn) error { return s.moveOn(ctx, c, raw, target, left, &m) })
		if !lost(err) || try > 0 || ctx.Err() != nil {
			return m, err
		}
		// The connection went while mails were moving: what still stands here was not moved (A14).
		still, e := s.still(ctx, left)
		if e != nil || len(still) == 0 {
			return m, e
		}
		left.UIDs = still
	}
}

// still are those of ref that are in their mailbox.
func (s *Session) still(ctx context.Context, ref Ref) ([]uint32, error) {
	raw, err := s.rawName(ref.Mailbox)
	if err != nil {
		return nil, err
	}
	var out []uint32
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		out = nil
		if _, err := acting(ctx, c, raw, ref); err != nil {
			return err
		}
		out, err = present(ctx, c, ref.UIDs)
		return err
	})
	return out, err
}

// present are those of uids that stand in the selected mailbox, and not marked as deleted.
func present(ctx context.Context, c *imapx.Conn, uids []uint32) ([]uint32, error) {
	if err := c.Do(ctx, imapx.Cmd("NOOP")); err != nil {
		return nil, err
	}
	var out []uint32
	asked := map[uint32]bool{}
	for _, u := range uids {
		asked[u] = true
	}
	for _, set := range uidSets(uids) {
		cmd := imapx.Cmd("UID FETCH", set, "(UID FLAGS)")
		if err := c.Do(ctx, cmd); err != nil {
			return nil, err
		}
		for _, f := range collect(cmd.Data) {
			if asked[f.UID] && !flagsOf(f.Flags).Deleted {
				out = append(out, f.UID)
			}
		}
	}
	return out, nil
}

// take runs a command on a set, and once more on those that are left when the server will not because some are gone.
func take(ctx context.Context, c *imapx.Conn, set string, run func(set string) (*imapx.Command, error)) error {
	cmd, err := run(set)
	if err != nil || cmd.Status == "OK" {
		return err
	}
	if cmd.Code != "EXPUNGEISSUED" {
		return refused(c, cmd)
	}
	left, err := present(ctx, c, uidsOf(set, 1_000_000))
	if err != nil {
		return err
	}
	for _, part := range uidSets(left) {
		if cmd, err = run(part); err != nil {
			return err
		}
		if cmd.Status != "OK" {
			return refused(c, cmd)
		}
	}
	return nil
}

func (s *Session) moveOn(ctx context.Context, c *imapx.Conn, raw, target string, ref Ref, m *Moved) error {
	if err := taking(ctx, c, raw, ref); err != nil {
		return err
	}
	if err := m.identify(ctx, c, ref.UIDs); err != nil {
		return err
	}
	for _, set := range uidSets(ref.UIDs) {
		run := func(set string) (*imapx.Command, error) { return copyThenRemove(ctx, c, set, target, m) }
		if c.Has("MOVE") {
			run = func(set string) (*imapx.Command, error) { return m.do(ctx, c, "UID MOVE", set, target) }
		}
		if err := take(ctx, c, set, run); err != nil {
			return err
		}
	}
	return nil
}

// maxIdentified is how many mails are asked for their Message-IDs before they go.
const maxIdentified = 500

// identify notes the Message-IDs of mails before they go, where the server will not say under which UIDs they arrive:
// by them they are found again (A9).
func (m *Moved) identify(ctx context.Context, c *imapx.Conn, uids []uint32) error {
	if c.Has("UIDPLUS") || len(uids) > maxIdentified || m.MessageIDs != nil {
		return nil
	}
	for _, set := range uidSets(uids) {
		cmd := imapx.Cmd("UID FETCH", set, "(UID BODY.PEEK[HEADER.FIELDS (Message-ID)])")
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		for _, f := range collect(cmd.Data) {
			if id := headerID(f.Header); id != "" {
				m.MessageIDs = append(m.MessageIDs, id)
			}
		}
	}
	return nil
}

// do runs MOVE or COPY and learns where the mails went.
func (m *Moved) do(ctx context.Context, c *imapx.Conn, name, set, target string) (*imapx.Command, error) {
	cmd := imapx.Cmd(name, set, imapx.Str(target))
	err := c.Do(ctx, cmd)
	if err == nil {
		m.learn(cmd)
	}
	return cmd, err
}

func copyThenRemove(ctx context.Context, c *imapx.Conn, set, target string, m *Moved) (*imapx.Command, error) {
	cmd, err := m.do(ctx, c, "UID COPY", set, target)
	if err != nil || cmd.Status != "OK" {
		return cmd, err
	}
	if err := markDeleted(ctx, c, set); err != nil {
		return cmd, err
	}
	return cmd, expunge(ctx, c, set, m)
}

func markDeleted(ctx context.Context, c *imapx.Conn, set string) error {
	cmd := stores(set, []string{`\Deleted`}, nil)[0]
	return cmp.Or(c.Do(ctx, cmd), cmd.Err(c.Host))
}

// expunge removes exactly this set, where the server can do that; elsewhere the mails stay marked.
func expunge(ctx context.Context, c *imapx.Conn, set string, m *Moved) error {
	if !c.Has("UIDPLUS") {
		m.LeftMarked = true
		return nil
	}
	return c.With(ctx, "UID EXPUNGE", 0, func(cl *imapclient.Client) error { return cl.UIDExpunge(numSet(set)).Close() })
}

// learn takes the pairs of COPYUID from the tagged answer, or from an untagged one before it (A5).
func (m *Moved) learn(cmd *imapx.Command) {
	args := ""
	if cmd.Code == "COPYUID" {
		args = cmd.Args
	}
	for _, r := range cmd.Data {
		if r.Code == "COPYUID" && args == "" {
			args = r.Args
		}
	}
	validity, pairs := copied(args)
	for from, to := range pairs {
		m.UIDs[from] = to
		m.UIDValidity = validity
	}
}

func refused(c *imapx.Conn, cmd *imapx.Command) error {
	if cmd.Code == "TRYCREATE" || cmd.Code == "NONEXISTENT" {
		return errors.Join(ErrNoMailbox, cmd.Err(c.Host))
	}
	return cmd.Err(c.Host)
}

// Copy copies mails to another mailbox: all, or none with an error.
func (s *Session) Copy(ctx context.Context, ref Ref, to string) (Moved, error) {
	raw, err := s.rawName(ref.Mailbox)
	if err != nil {
		return Moved{}, err
	}
	target, err := s.rawName(to)
	if err != nil {
		return Moved{}, err
	}
	defer s.stale()
	m := Moved{To: to, UIDs: map[uint32]uint32{}}
	err = s.do(ctx, raw, false, func(c *imapx.Conn) error {
		if err := taking(ctx, c, raw, ref); err != nil {
			return err
		}
		for _, set := range uidSets(ref.UIDs) {
			err := take(ctx, c, set, func(set string) (*imapx.Command, error) { return m.do(ctx, c, "UID COPY", set, target) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	return m, err
}

// Expunge removes mails for ever. Without UIDPLUS they are only marked \Deleted.
func (s *Session) Expunge(ctx context.Context, ref Ref) error {
	raw, err := s.rawName(ref.Mailbox)
	if err != nil {
		return err
	}
	defer s.stale()
	return s.do(ctx, raw, true, func(c *imapx.Conn) error {
		if _, err := acting(ctx, c, raw, ref); err != nil {
			return err
		}
		for _, set := range uidSets(ref.UIDs) {
			if err := markDeleted(ctx, c, set); err != nil {
				return err
			}
			if err := expunge(ctx, c, set, &Moved{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Append puts a mail of exactly size bytes into a mailbox. A zero date means now. uid is 0 when the server did not
// say it. When the connection is lost the mail may be there: look before trying again (A14).
func (s *Session) Append(ctx context.Context, mailbox string, flags []string, date time.Time, size int64, r io.Reader) (validity, uid uint32, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return 0, 0, err
	}
	args := []any{imapx.Str(raw)}
	for _, f := range flags {
		if !flagWord(f) {
			return 0, 0, ErrBadInput
		}
	}
	if len(flags) > 0 {
		args = append(args, "("+strings.Join(flags, " ")+")")
	}
	if !date.IsZero() {
		args = append(args, date.Format(`"_2-Jan-2006 15:04:05 -0700"`))
	}
	defer s.stale()
	err = s.do(ctx, raw, false, func(c *imapx.Conn) error {
		cmd := imapx.Cmd("APPEND", append(args, imapx.Literal{Size: size, R: r})...)
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		if cmd.Status != "OK" {
			return whyRefused(ctx, c, raw, refused(c, cmd))
		}
		if cmd.Code == "APPENDUID" {
			_, _ = fmt.Sscanf(cmd.Args, "%d %d", &validity, &uid)
		}
		return nil
	})
	return validity, uid, err
}

// whyRefused tells whether what is selected on the connection is the mailbox still: Dovecot refuses an APPEND to one that
// was deleted meanwhile, or made anew, without saying so, as long as it stays selected.
func whyRefused(ctx context.Context, c *imapx.Conn, raw string, no error) error {
	b := boxOf(c)
	if b == nil || b.raw != raw {
		return no
	}
	c.Box = nil
	now, err := selectBox(ctx, c, raw)
	if err == nil {
		err = now.check(b.validity)
	}
	if err != nil {
		return err
	}
	return no
}

// FindByMessageID looks for a mail by its Message-ID, without brackets: among the headers of the newest first, for a
// search may lag behind, then by SEARCH (A14).
func (s *Session) FindByMessageID(ctx context.Context, mailbox, id string) (Ref, error) {
	return s.findBy(ctx, mailbox, "Message-ID", id, func(header []byte) bool { return headerID(header) == id })
}

// FindByResentID finds mails that were sent on as they came, by the Resent-Message-ID of that: their Message-ID is that of
// every copy of them.
func (s *Session) FindByResentID(ctx context.Context, mailbox, id string) (Ref, error) {
	named := []byte("<" + id + ">") // in one of several such fields
	return s.findBy(ctx, mailbox, "Resent-Message-ID", id, func(header []byte) bool { return bytes.Contains(header, named) })
}

func (s *Session) findBy(ctx context.Context, mailbox, field, id string, has func(header []byte) bool) (Ref, error) {
	return s.among(ctx, mailbox, field, func(c *imapx.Conn, ref *Ref, newest []imapx.Fetch) (err error) {
		for _, f := range newest {
			if has(f.Header) {
				ref.UIDs = append(ref.UIDs, f.UID)
			}
		}
		if len(ref.UIDs) == 0 && c.Exists() > lookedAt {
			ref.UIDs, _, err = searchBox(ctx, c, []any{"HEADER " + field, imapx.Str(id)})
		}
		return err
	})
}

// Newest gives of the newest mails of a mailbox those whose header field is picked by its value, oldest first.
func (s *Session) Newest(ctx context.Context, mailbox, field string, picked func(value string) bool) (Ref, error) {
	return s.among(ctx, mailbox, field, func(_ *imapx.Conn, ref *Ref, newest []imapx.Fetch) error {
		for _, f := range newest {
			if _, v, ok := strings.Cut(string(f.Header), ":"); ok && picked(strings.Join(strings.Fields(v), " ")) {
				ref.UIDs = append(ref.UIDs, f.UID)
			}
		}
		return nil
	})
}

const lookedAt = 200 // of the newest mails

// among lets pick choose from the newest mails of a mailbox that are not marked as deleted, each with one header field.
func (s *Session) among(ctx context.Context, mailbox, field string, pick func(*imapx.Conn, *Ref, []imapx.Fetch) error) (ref Ref, err error) {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return ref, err
	}
	err = s.do(ctx, raw, true, func(c *imapx.Conn) error {
		ref = Ref{Mailbox: mailbox}
		b, err := selectBox(ctx, c, raw)
		if err != nil {
			return err
		}
		ref.UIDValidity = b.validity
		n := int(c.Exists())
		if n == 0 {
			return nil
		}
		cmd := imapx.Cmd("FETCH", fmt.Sprintf("%d:%d", max(1, n-lookedAt+1), n), "(UID FLAGS BODY.PEEK[HEADER.FIELDS ("+field+")])")
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		newest := slices.DeleteFunc(collect(cmd.Data), func(f imapx.Fetch) bool { return flagsOf(f.Flags).Deleted })
		return pick(c, &ref, newest)
	})
	return ref, err
}

func headerID(h []byte) string {
	_, v, _ := strings.Cut(string(h), ":")
	v = strings.Join(strings.Fields(v), "")
	return strings.Trim(v, "<>")
}
