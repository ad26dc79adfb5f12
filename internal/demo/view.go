package demo

import (
	"slices"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// view is a selected mailbox as one client knows it: which messages it has been told of,
// and in which state. What changed since is found by comparing, so sequence numbers are
// always the client's own. Its lock comes before the account's, and neither is held
// while writing.
type view struct {
	account  *account
	box      *mailbox
	readOnly bool

	mu    sync.Mutex
	uids  []imap.UID          // index + 1 is the client's sequence number
	known map[imap.UID]uint64 // the mod of each message that the client knows
	last  imap.UID            // highest UID ever told
	mod   uint64              // the mailbox's mod at the last complete comparison
}

// newView tells all of a mailbox; the caller holds the account's lock.
func newView(a *account, box *mailbox, readOnly bool) *view {
	v := &view{account: a, box: box, readOnly: readOnly, known: map[imap.UID]uint64{}, mod: box.mod}
	for _, m := range box.messages {
		v.learn(m)
	}
	return v
}

func (v *view) learn(m *message) {
	v.uids = append(v.uids, m.uid)
	v.known[m.uid] = m.mod
	v.last = max(v.last, m.uid)
}

// entry is a message of a view with its state at one moment.
type entry struct {
	seq   uint32
	m     *message
	flags []imap.Flag
}

// lock takes both locks, in their order.
func (v *view) lock() {
	v.mu.Lock()
	v.account.mu.Lock()
}

func (v *view) unlock() {
	v.account.mu.Unlock()
	v.mu.Unlock()
}

// entries finds the messages of a set, in order. What the client knows but another has
// expunged is left out. A nil set means all. The caller holds the lock.
func (v *view) entries(set imap.NumSet) []entry {
	set = v.static(set)
	present := make(map[imap.UID]*message, len(v.box.messages))
	for _, m := range v.box.messages {
		present[m.uid] = m
	}
	var list []entry
	for i, uid := range v.uids {
		seq := uint32(i + 1)
		m := present[uid]
		if m == nil || !contains(set, seq, uid) {
			continue
		}
		list = append(list, entry{seq: seq, m: m, flags: m.flagList()})
	}
	return list
}

func contains(set imap.NumSet, seq uint32, uid imap.UID) bool {
	switch set := set.(type) {
	case imap.SeqSet:
		return set.Contains(seq)
	case imap.UIDSet:
		return set.Contains(uid)
	}
	return true
}

// static replaces "*" by the highest number there is. RFC 3501 9: "559:*" always holds it.
func (v *view) static(set imap.NumSet) imap.NumSet {
	switch set := set.(type) {
	case imap.SeqSet:
		fixed := slices.Clone(set)
		for i := range fixed {
			fixed[i].Start, fixed[i].Stop = staticRange(fixed[i].Start, fixed[i].Stop, uint32(len(v.uids)))
		}
		return fixed
	case imap.UIDSet:
		var highest imap.UID
		if n := len(v.uids); n > 0 {
			highest = v.uids[n-1]
		}
		fixed := slices.Clone(set)
		for i := range fixed {
			fixed[i].Start, fixed[i].Stop = staticRange(fixed[i].Start, fixed[i].Stop, highest)
		}
		return fixed
	}
	return set
}

func staticRange[N ~uint32](start, stop, highest N) (N, N) {
	if start != 0 && stop != 0 {
		return start, stop
	}
	if start == 0 {
		start = highest
	}
	if stop == 0 {
		stop = highest
	}
	return min(start, stop), max(start, stop)
}

// news is what a client has to be told.
type news struct {
	expunged []uint32 // highest first
	exists   uint32
	grown    bool
	changed  []entry
}

// catchUp finds the news and counts them as told. Without expunges, messages that are gone
// keep their numbers until a later call. It also returns the channel that closes at the next change.
func (v *view) catchUp(expunges bool) (news, <-chan struct{}) {
	v.lock()
	defer v.unlock()
	var n news
	if v.mod == v.box.mod {
		return n, v.box.changed
	}
	present := make(map[imap.UID]bool, len(v.box.messages))
	for _, m := range v.box.messages {
		present[m.uid] = true
	}
	ghosts := false
	for i := len(v.uids) - 1; i >= 0; i-- {
		switch {
		case present[v.uids[i]]:
		case expunges:
			n.expunged = append(n.expunged, uint32(i+1))
			delete(v.known, v.uids[i])
			v.uids = slices.Delete(v.uids, i, i+1)
		default:
			ghosts = true
		}
	}
	v.findChanges(&n)
	if !ghosts {
		v.mod = v.box.mod
	}
	return n, v.box.changed
}

func (v *view) findChanges(n *news) {
	seqs := make(map[imap.UID]uint32, len(v.uids))
	for i, uid := range v.uids {
		seqs[uid] = uint32(i + 1)
	}
	for _, m := range v.box.messages {
		switch {
		case m.uid > v.last:
			v.learn(m)
			n.grown = true
		case v.known[m.uid] != m.mod:
			v.known[m.uid] = m.mod
			n.changed = append(n.changed, entry{seq: seqs[m.uid], m: m, flags: m.flagList()})
		}
	}
	n.exists = uint32(len(v.uids))
}

func (n *news) write(w *imapserver.UpdateWriter) error {
	for _, seq := range n.expunged {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	if n.grown {
		if err := w.WriteNumMessages(n.exists); err != nil {
			return err
		}
	}
	for _, e := range n.changed {
		if err := w.WriteMessageFlags(e.seq, e.m.uid, e.flags); err != nil {
			return err
		}
	}
	return nil
}

// idle writes news as they come, until stop closes.
func (v *view) idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		n, changed := v.catchUp(true)
		if err := n.write(w); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stop:
			return nil
		}
	}
}
