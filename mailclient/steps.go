package mailclient

import (
	"cmp"
	"context"
)

// ActKind is what an act does.
type ActKind string

// The kinds of acts.
const (
	ActFlags   ActKind = "flags"
	ActMove    ActKind = "move" // with Add and Remove first, where the server keeps such words
	ActCopy    ActKind = "copy"
	ActExpunge ActKind = "expunge"
)

// Act is something to be done to mails, as it can be written down: for a job, or to take another back.
type Act struct {
	Kind        ActKind  `json:"kind"`
	Add, Remove []string `json:",omitempty"`
	To          string   `json:"to,omitempty"`
}

// Step is an act on mails of one mailbox. Where their UIDs are not known they are named by their Message-IDs.
type Step struct {
	Act
	Ref        Ref      `json:"ref"`
	MessageIDs []string `json:"ids,omitempty"`

	// Where the mails are to stand that a move brings back: by their UIDs now, the UIDs that they had there before,
	// under that UIDVALIDITY.
	Was         map[uint32]uint32 `json:"was,omitempty"`
	WasValidity uint32            `json:"was_validity,omitempty"`
}

// Size is how many mails the step names.
func (st Step) Size() int { return max(len(st.Ref.UIDs), len(st.MessageIDs)) }

// Result is what a step has done. Back takes it back; it is empty for what cannot be.
type Result struct {
	Done   int  // mails
	Marked bool // the server keeps the originals, marked as deleted
	Back   []Step
}

// Run does a step. The result counts with an error too: it is what was done before. Mails that are gone already, or
// are where they are to go, are not counted.
func (s *Session) Run(ctx context.Context, st Step) (res Result, err error) {
	if len(st.Ref.UIDs) == 0 {
		if st.Ref, err = s.byMessageIDs(ctx, st.Ref.Mailbox, st.MessageIDs); err != nil {
			return res, err
		}
	}
	switch st.Kind {
	case ActFlags:
		return s.runFlags(ctx, st)
	case ActMove:
		return s.runMove(ctx, st)
	case ActCopy:
		m, err := s.Copy(ctx, st.Ref, st.To)
		if err == nil || len(m.UIDs) > 0 {
			res.Done = cmp.Or(len(m.UIDs), len(st.Ref.UIDs))
		}
		return res, err
	case ActExpunge:
		if err = s.Expunge(ctx, st.Ref); err == nil {
			res.Done = len(st.Ref.UIDs)
		}
		return res, err
	}
	return res, ErrBadInput
}

// byMessageIDs finds mails whose UIDs the server did not tell. ErrGone unless each is there exactly once.
func (s *Session) byMessageIDs(ctx context.Context, mailbox string, ids []string) (Ref, error) {
	out := Ref{Mailbox: mailbox}
	for _, id := range ids {
		f, err := s.FindByMessageID(ctx, mailbox, id)
		if err != nil {
			return out, err
		}
		if len(f.UIDs) != 1 {
			return out, ErrGone
		}
		out.UIDValidity, out.UIDs = f.UIDValidity, append(out.UIDs, f.UIDs[0])
	}
	return out, nil
}

// runFlags changes flags; only mails that had others before are part of the way back.
func (s *Session) runFlags(ctx context.Context, st Step) (res Result, err error) {
	changed, err := s.setFlags(ctx, st.Ref, st.Add, st.Remove)
	if err != nil {
		return res, err
	}
	back := Step{Act: Act{Kind: ActFlags, Add: st.Remove, Remove: st.Add}, Ref: st.Ref}
	if back.Ref.UIDs = changed; len(changed) > 0 {
		res.Back = []Step{back}
	}
	res.Done = len(st.Ref.UIDs)
	return res, nil
}

func (s *Session) runMove(ctx context.Context, st Step) (res Result, err error) {
	if st.To == st.Ref.Mailbox {
		return res, nil
	}
	if len(st.Add)+len(st.Remove) > 0 {
		_ = s.SetFlags(ctx, st.Ref, st.Add, st.Remove) // a server may keep no such words: the move is what counts
	}
	m, err := s.Move(ctx, st.Ref, st.To)
	there, was := s.moved(st, m)
	known := len(m.UIDs) > 0 || len(m.MessageIDs) > 0
	switch {
	case err != nil && len(m.UIDs) == 0:
		return res, err
	case known && m.LeftMarked: // the originals still stand: they are unmarked, and the copies go
		unmark := Step{Act: Act{Kind: ActFlags, Remove: []string{`\Deleted`}}, Ref: st.Ref}
		res.Back = []Step{unmark, {Act: Act{Kind: ActExpunge}, Ref: there, MessageIDs: m.MessageIDs}}
	case known:
		res.Back = []Step{{Act: Act{Kind: ActMove, To: st.Ref.Mailbox, Remove: st.Add}, Ref: there, MessageIDs: m.MessageIDs, Was: was, WasValidity: st.Ref.UIDValidity}}
	}
	res.Marked = m.LeftMarked
	if res.Done = max(len(m.UIDs), len(m.MessageIDs)); res.Done == 0 && m.LeftMarked {
		res.Done = len(st.Ref.UIDs)
	}
	return res, err
}

// moved is where the mails of a move are now, and by those UIDs the places that they had; it keeps those that they have
// got back.
func (s *Session) moved(st Step, m Moved) (there Ref, was map[uint32]uint32) {
	there = Ref{Mailbox: m.To, UIDValidity: m.UIDValidity}
	raw, err := s.rawName(st.Ref.Mailbox)
	target, err2 := s.rawName(m.To)
	known := err == nil && err2 == nil && st.Ref.UIDValidity != 0 && len(m.UIDs) <= maxPlaces
	if known {
		was = map[uint32]uint32{}
		s.putBack(target, st, m)
	}
	for from, to := range m.UIDs {
		if there.UIDs = append(there.UIDs, to); known {
			was[to] = s.placeOf(raw, st.Ref.UIDValidity, from)
		}
	}
	return there, was
}
