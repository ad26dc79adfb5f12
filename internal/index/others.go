package index

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"restante/mailclient"
)

const (
	maxMails   = 1_000_000        // of an account: no mailbox is filled beyond
	otherTime  = 30 * time.Second // how often the server is asked about a mailbox that is not looked at
	fewAtOnce  = 8                // such mailboxes that are asked about at once
	othersTime = 2 * time.Hour    // for the filling of all
	againTime  = time.Minute      // until it is tried again where some are missing still
)

// others sees to the mailboxes that are not looked at: what a search, or a conversation, wants of them. It waits for
// nothing but the folders, which are at hand.
func (m *Mail) others(ctx context.Context, f *file) {
	boxes, err := m.Mailboxes(ctx)
	if err != nil { // what is known of them stays
		return
	}
	hidden := map[int64]bool{}
	var missing []string
	asked := 0
	for _, mb := range wanted(boxes) {
		b := f.box(mb.Name)
		if mb.Role == mailclient.RoleJunk || mb.Role == mailclient.RoleTrash || mb.Role == mailclient.RoleAll {
			hidden[b.id] = true
		}
		if !mb.Selectable || mb.Role == mailclient.RoleAll {
			continue
		}
		f.mu.Lock()
		if !b.complete || !b.previews {
			missing = append(missing, mb.Name)
		}
		if b.complete && asked < fewAtOnce && b.differs(mb) && time.Since(b.asked) > otherTime {
			asked++
			m.look(f, b)
		}
		f.mu.Unlock()
	}
	f.mu.Lock()
	f.hidden = hidden
	start := len(missing) > 0 && !f.filling && time.Since(f.filled) > againTime
	f.filling = f.filling || start
	f.mu.Unlock()
	if !start {
		m.readBodies(f)
	} else if !m.ix.behind(f, func(ctx context.Context) {
		m.fillAll(ctx, f, missing)
		m.readBodies(f)
	}) {
		f.filledAll()
	}
}

// LookOver asks now what has become of the mailboxes of these roles, where something is known to have come into them; who
// watches is told when they are others.
func (m *Mail) LookOver(ctx context.Context, roles ...mailclient.Role) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return
	}
	defer done()
	boxes, err := m.Mailboxes(ctx)
	if err != nil {
		return
	}
	for _, mb := range boxes {
		b := f.box(mb.Name)
		f.mu.Lock()
		if b.complete && slices.Contains(roles, mb.Role) {
			m.look(f, b)
		}
		f.mu.Unlock()
	}
}

// Hear asks what has become of a mailbox beside INBOX of which the session has told, where it is not as it is known: what
// stands in conversations and searches of others is fresh then before anybody opens it.
func (m *Mail) Hear(mailbox string) {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return
	}
	defer done()
	for _, mb := range m.MailboxesNow() {
		if mb.Name != mailbox || mb.Role == mailclient.RoleInbox || mb.Role == mailclient.RoleAll {
			continue
		}
		b := f.box(mb.Name)
		f.mu.Lock()
		if b.complete && b.now == nil && b.differs(mb) {
			m.look(f, b)
		}
		f.mu.Unlock()
	}
}

// wanted puts mailboxes into the order in which they are wanted.
func wanted(boxes []mailclient.Mailbox) []mailclient.Mailbox {
	rank := map[mailclient.Role]int{mailclient.RoleInbox: -3, mailclient.RoleSent: -2, mailclient.RoleDrafts: -1, mailclient.RoleTrash: 1, mailclient.RoleJunk: 1}
	return slices.SortedStableFunc(slices.Values(boxes), func(x, y mailclient.Mailbox) int { return cmp.Compare(rank[x.Role], rank[y.Role]) })
}

// differs says whether a mailbox is not as it is known. file.mu is held.
func (b *box) differs(mb mailclient.Mailbox) bool {
	return mb.StatusKnown && (mb.UIDValidity != b.known.UIDValidity || mb.UIDNext > b.known.UIDNext || int(mb.Messages) != b.known.Messages || mb.HighestModSeq > b.known.ModSeq)
}

func (f *file) filledAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filling, f.filled = false, time.Now()
}

// fillAll fills mailboxes one after the other.
func (m *Mail) fillAll(ctx context.Context, f *file, names []string) {
	defer f.filledAll()
	ctx, cancel := context.WithTimeout(mailclient.Behind(ctx), othersTime)
	defer cancel()
	for _, name := range names {
		if f.mails() > maxMails || ctx.Err() != nil {
			return
		}
		b := f.box(name)
		f.mu.Lock()
		idle := !b.filling
		b.filling = true
		whole := b.complete
		f.mu.Unlock()
		if !idle {
			continue
		}
		err := m.fillNow(ctx, f, b, whole)
		f.mu.Lock()
		b.filling = false
		f.mu.Unlock()
		if lost := (*mailclient.ConnectError)(nil); errors.As(err, &lost) {
			return
		}
	}
}

// mails are how many mails are known of all mailboxes.
func (f *file) mails() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.boxes {
		n += b.known.Messages
	}
	return n
}
