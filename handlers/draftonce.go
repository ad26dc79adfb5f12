package handlers

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"

	"restante/internal/store"
)

// startDraft makes the draft of a form that has none. What comes of the same form a second time (a double click, an
// answer that was lost on its way) finds the draft of the first, unless other text was put into that meanwhile; a
// form that a script keeps up to date is known to be the newest. again says that the draft was there.
func (s *Server) startDraft(ctx context.Context, p *person, d *store.Draft, f draftForm) (again bool, err error) {
	d.Fields = f.fields
	d.Fields.Carry, d.WrittenBy = f.carry, p.Hash
	if f.once != "" {
		d.ID = hex.EncodeToString(s.ring.MAC("draft-once/1", strconv.FormatInt(p.User.ID, 10), f.once)[:16])
	}
	made, err := s.store.CreateDraft(ctx, *d)
	if !errors.Is(err, store.ErrExists) {
		*d = made
		return false, err
	}
	was, err := s.store.Draft(ctx, p.User.ID, d.ID)
	if err == nil && (was.State == "open" && (f.live || was.Rev == 1) || was.State != "discarded" && sameText(was.Fields, f.fields)) {
		*d = was
		return true, nil
	}
	d.ID = ""
	*d, err = s.store.CreateDraft(ctx, *d)
	return false, err
}

// holdDraft starts the draft of a form where it has none, and gives it as it stands once nobody else works on it.
// fresh says that it holds the form's text already.
func (s *Server) holdDraft(ctx context.Context, p *person, d *store.Draft, f *draftForm) (letGo func(), fresh bool, err error) {
	if d.ID == "" {
		again, err := s.startDraft(ctx, p, d, *f)
		if err != nil {
			return nil, false, err
		}
		fresh = !again
	}
	leave, err := s.drafts.enter(ctx, d.ID)
	if err != nil {
		return nil, false, err
	}
	letGo = sync.OnceFunc(leave)
	if *d, err = s.store.Draft(ctx, p.User.ID, d.ID); err != nil {
		letGo()
		return nil, false, err
	}
	f.fields.Carry = d.Fields.Carry
	return letGo, fresh && d.Rev == 1, nil
}
