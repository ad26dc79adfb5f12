package mailclient

import (
	"cmp"
	"context"
	"slices"
	"time"

	"restante/mailclient/imapx"
)

// maxPlaces is how many mails that came back keep their place.
const maxPlaces = 5000

// maxDated is how many mails are sorted by their dates where the server cannot; a larger mailbox stays in the order of
// arrival there.
const maxDated = 20_000

// places are where mails stand that were moved away and back: an undone move gives them new UIDs, by which they would be
// the newest of their mailbox. They keep the place of the UID that they had, as long as the session lasts.
type places map[boxKey]map[uint32]uint32

type boxKey struct {
	raw      string
	validity uint32
}

// placeOf is the UID by whose order a mail stands.
func (s *Session) placeOf(raw string, validity, uid uint32) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.places[boxKey{raw, validity}][uid], uid)
}

// putBack keeps the places of mails that a step has brought back.
func (s *Session) putBack(raw string, st Step, m Moved) {
	if len(st.Was) == 0 || m.UIDValidity != st.WasValidity {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(m.UIDs)
	for _, box := range s.places {
		n += len(box)
	}
	if s.places == nil || n > maxPlaces {
		s.places = places{}
	}
	key := boxKey{raw, m.UIDValidity}
	if s.places[key] == nil {
		s.places[key] = map[uint32]uint32{}
	}
	for from, to := range m.UIDs {
		if was := st.Was[from]; was != 0 {
			s.places[key][to] = was
		}
	}
}

// mixed says whether rows in the order of their UIDs are out of the order of their dates, by more than an hour: old mail
// was brought into the mailbox after newer, as an import does.
func mixed(rows []Row, q ListQuery) bool {
	var least time.Time
	for i := range rows {
		at := rows[i].Received
		if q.Ascending {
			at = rows[len(rows)-1-i].Received
		}
		if !least.IsZero() && at.Sub(least) > time.Hour {
			return true
		}
		if least.IsZero() || !at.IsZero() && at.Before(least) {
			least = at
		}
	}
	return false
}

// foundMixed has a mailbox listed by its dates from now on.
func (s *Session) foundMixed(b *box) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key := (boxKey{b.raw, b.validity}); s.mixed[key] == nil {
		if s.mixed == nil {
			s.mixed = map[boxKey]map[uint32]time.Time{}
		}
		s.mixed[key] = map[uint32]time.Time{}
	}
}

func (s *Session) isMixed(b *box) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mixed[boxKey{b.raw, b.validity}] != nil
}

// dateOrder is all of a mixed mailbox by date, the oldest first, as it was sorted last.
type dateOrder struct {
	box  boxKey
	uids []uint32
	last uint32 // the highest
}

// sameOrder is the mailbox by date as it was sorted before, the oldest first, if that holds the same mails still: as many,
// and none with a higher UID. nil if not.
func (s *Session) sameOrder(ctx context.Context, c *imapx.Conn, b *box) ([]uint32, error) {
	s.mu.Lock()
	order := s.order
	s.mu.Unlock()
	if order.box != (boxKey{b.raw, b.validity}) || len(order.uids) != int(c.Exists()) {
		return nil, nil
	}
	newest := imapx.Cmd("FETCH", "*", "(UID)")
	if err := c.Do(ctx, newest); err != nil {
		return nil, err
	}
	for _, f := range collect(newest.Data) {
		if f.UID == order.last && len(order.uids) == int(c.Exists()) {
			return slices.Clone(order.uids), nil
		}
	}
	return nil, nil
}

// keepOrder keeps what a mixed mailbox was sorted into, for its next page.
func (s *Session) keepOrder(b *box, uids []uint32) {
	if len(uids) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = dateOrder{boxKey{b.raw, b.validity}, slices.Clone(uids), slices.Max(uids)}
}

// byDate puts UIDs of a mixed mailbox into the order of their dates, the oldest first, where the server cannot. It asks
// for the dates that are not known yet.
func (s *Session) byDate(ctx context.Context, c *imapx.Conn, b *box, uids []uint32) error {
	var missing []uint32
	s.mu.Lock()
	dates := s.mixed[boxKey{b.raw, b.validity}]
	if len(dates) > 2*maxDated {
		clear(dates)
	}
	for _, u := range uids {
		if _, ok := dates[u]; !ok {
			missing = append(missing, u)
		}
	}
	s.mu.Unlock()
	for _, set := range uidSets(missing) {
		cmd := imapx.Cmd("UID FETCH", set, "(UID INTERNALDATE)")
		if err := c.Do(ctx, cmd); err != nil {
			return err
		}
		s.mu.Lock()
		for _, f := range collect(cmd.Data) {
			dates[f.UID] = f.Date
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(uids, func(x, y uint32) int { return cmp.Or(dates[x].Compare(dates[y]), cmp.Compare(x, y)) })
	return nil
}

// displaced says whether mails of a mailbox stand elsewhere than their UIDs say.
func (s *Session) displaced(raw string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.mixed {
		if key.raw == raw {
			return true
		}
	}
	for key, box := range s.places {
		if key.raw == raw && len(box) > 0 {
			return true
		}
	}
	return false
}

// inPlace puts UIDs into the order in which the mails came, the oldest first. all says that these are all of the mailbox:
// the places of others are forgotten.
func (s *Session) inPlace(b *box, uids []uint32, all bool) {
	key := boxKey{b.raw, b.validity}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.places[key]
	if len(was) == 0 {
		slices.Sort(uids)
		return
	}
	slices.SortFunc(uids, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(cmp.Or(was[x], x), cmp.Or(was[y], y)), cmp.Compare(x, y))
	})
	if !all {
		return
	}
	there := map[uint32]uint32{}
	for _, u := range uids {
		if p := was[u]; p != 0 {
			there[u] = p
		}
	}
	s.places[key] = there
}

// byDay sorts the rows of a page by when they came, not by UID: a mail that was moved away and back has its old day and a
// new UID. Those of one second keep their order.
func byDay(rows []Row, q ListQuery) {
	slices.SortStableFunc(rows, func(x, y Row) int {
		if q.Ascending {
			x, y = y, x
		}
		return y.Received.Compare(x.Received)
	})
}
