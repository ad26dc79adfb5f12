package demo

import (
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// appendLimit is the largest message that APPEND takes, in bytes.
const appendLimit = 64 << 20

// session is one IMAP connection. go-imap calls its methods one after the other, but for
// Idle, which runs beside the reading of DONE.
type session struct {
	servers *Servers
	conn    io.Closer
	account *account // nil until Login
	view    *view    // nil while no mailbox is selected
}

var (
	_ imapserver.SessionMove        = (*session)(nil)
	_ imapserver.SessionNamespace   = (*session)(nil)
	_ imapserver.SessionAppendLimit = (*session)(nil)
)

// Close ends the session.
func (s *session) Close() error { return s.Unselect() }

// Login signs in with the address, or its local part, and the password.
func (s *session) Login(username, password string) error {
	a := s.servers.signIn(username, password)
	if a == nil {
		return imapserver.ErrAuthFailed
	}
	s.account = a
	return nil
}

// AppendLimit is the largest message in bytes, RFC 7889.
func (s *session) AppendLimit() uint32 { return appendLimit }

// Select opens a mailbox.
func (s *session) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[canonicalName(name)]
	if box == nil {
		return nil, errNoMailbox
	}
	s.leave()
	s.view = newView(a, box, o.ReadOnly)
	box.viewers[s] = true
	data := &imap.SelectData{
		Flags:       box.flagsInUse(),
		NumMessages: uint32(len(box.messages)),
		UIDNext:     box.uidNext,
		UIDValidity: box.uidValidity,
	}
	if !o.ReadOnly {
		data.PermanentFlags = append(box.flagsInUse(), imap.FlagWildcard)
	}
	for i, m := range box.messages {
		if !m.has(imap.FlagSeen) {
			data.FirstUnseenSeqNum = uint32(i + 1)
			break
		}
	}
	return data, nil
}

// flagsInUse is the system flags and every keyword that a message has.
func (box *mailbox) flagsInUse() []imap.Flag {
	list := append([]imap.Flag(nil), systemFlags...)
	seen := map[string]bool{}
	for _, f := range systemFlags {
		seen[string(f)] = true
	}
	for _, m := range box.messages {
		for _, f := range m.flagList() {
			if !seen[string(f)] {
				seen[string(f)] = true
				list = append(list, f)
			}
		}
	}
	return list
}

// Unselect closes the mailbox without expunging.
func (s *session) Unselect() error {
	if s.view != nil {
		s.account.mu.Lock()
		defer s.account.mu.Unlock()
		s.leave()
	}
	return nil
}

// leave forgets the selected mailbox; the caller holds the account's lock.
func (s *session) leave() {
	if s.view != nil {
		delete(s.view.box.viewers, s)
		s.view = nil
	}
}

// Create makes a mailbox, with a special use when asked.
func (s *session) Create(name string, o *imap.CreateOptions) error {
	if len(o.SpecialUse) > 0 && (s.servers.without.has("CREATE-SPECIAL-USE") || s.servers.without.has("SPECIAL-USE")) {
		return bad("CREATE-SPECIAL-USE is not supported")
	}
	return s.account.create(name, o.SpecialUse)
}

// Delete removes a mailbox. Other connections that have it selected are cut, as RFC 2180 3.3 allows.
func (s *session) Delete(name string) error {
	viewers, err := s.account.delete(name)
	for _, v := range viewers {
		if v != s {
			_ = v.conn.Close()
		}
	}
	return err
}

// Rename moves a mailbox and those below it.
func (s *session) Rename(from, to string, _ *imap.RenameOptions) error {
	return s.account.rename(from, to)
}

// Subscribe remembers a mailbox name.
func (s *session) Subscribe(name string) error { return s.account.subscribe(name, true) }

// Unsubscribe forgets a mailbox name.
func (s *session) Unsubscribe(name string) error { return s.account.subscribe(name, false) }

// Status counts a mailbox.
func (s *session) Status(name string, _ *imap.StatusOptions) (*imap.StatusData, error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	box := s.account.boxes[canonicalName(name)]
	if box == nil {
		return nil, errNoMailbox
	}
	return box.status(), nil
}

// Namespace says that all mailboxes are the person's own.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: '/'}}}, nil
}

// Append adds a message. The literal is read before any lock is taken.
func (s *session) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	date := o.Time
	if date.IsZero() {
		date = now()
	}
	data, err := s.account.append(name, raw, date, o.Flags)
	if err != nil || s.servers.without.has("UIDPLUS") {
		return nil, err
	}
	return data, nil
}

// Poll tells what changed since the last command.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.view == nil {
		return nil
	}
	n, _ := s.view.catchUp(allowExpunge)
	return n.write(w)
}

// Idle tells changes as they happen, until stop closes. It may begin as late as when the session closes.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	s.account.mu.Lock()
	v := s.view
	s.account.mu.Unlock()
	if v != nil {
		return v.idle(w, stop)
	}
	<-stop
	return nil
}

// Expunge removes what is marked \Deleted, of the given UIDs or of all. The untagged
// answers come from the Poll that ends the command.
func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	v := s.view
	v.lock()
	defer v.unlock()
	if v.readOnly {
		if *w == (imapserver.ExpungeWriter{}) { // RFC 3501 6.4.2: CLOSE after EXAMINE removes nothing
			return nil
		}
		return errReadOnlyBox
	}
	var set imap.NumSet
	if uids != nil {
		set = *uids
	}
	gone := map[*message]bool{}
	for _, e := range v.entries(set) {
		if e.m.has(imap.FlagDeleted) {
			gone[e.m] = true
		}
	}
	if len(gone) == 0 {
		return nil
	}
	v.account.remove(v.box, func(m *message) bool { return gone[m] })
	return v.account.commit(v.box)
}

// Store changes flags. A silent change is still told to the other sessions.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	list, err := s.view.store(set, flags)
	if err != nil || flags.Silent {
		return err
	}
	_, byUID := set.(imap.UIDSet)
	return writeFetch(w, list, &imap.FetchOptions{Flags: true, UID: byUID})
}

func (v *view) store(set imap.NumSet, flags *imap.StoreFlags) ([]entry, error) {
	v.lock()
	defer v.unlock()
	if v.readOnly {
		return nil, errReadOnlyBox
	}
	list := v.entries(set)
	for i := range list {
		v.setFlags(&list[i], flags.Op, flags.Flags)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list, v.account.commit(v.box)
}

// setFlags changes a message and counts the change as known to this client, unless it had
// news of the message coming anyway.
func (v *view) setFlags(e *entry, op imap.StoreFlagsOp, flags []imap.Flag) {
	upToDate := v.known[e.m.uid] == e.m.mod
	v.account.store(e.m, op, flags)
	if upToDate {
		v.known[e.m.uid] = e.m.mod
	}
	e.flags = e.m.flagList()
}

// Copy puts messages into another mailbox.
func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	return s.transfer(set, dest, false)
}

// Move puts messages into another mailbox and out of this one, in one step. The EXPUNGE
// lines come from the Poll that ends the command.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	data, err := s.transfer(set, dest, true)
	if err != nil || data == nil {
		return err
	}
	return w.WriteCopyData(data)
}

func (s *session) transfer(set imap.NumSet, dest string, move bool) (*imap.CopyData, error) {
	v := s.view
	v.lock()
	defer v.unlock()
	to := v.account.boxes[canonicalName(dest)]
	switch {
	case to == nil:
		return nil, errTryCreate
	case move && v.readOnly:
		return nil, errReadOnlyBox
	}
	var messages []*message
	gone := map[*message]bool{}
	for _, e := range v.entries(set) {
		messages = append(messages, e.m)
		gone[e.m] = true
	}
	if len(messages) == 0 {
		return nil, nil
	}
	data := v.account.copy(v.box, to, messages)
	touched := []*mailbox{to}
	if move {
		v.account.remove(v.box, func(m *message) bool { return gone[m] })
		if to != v.box {
			touched = append(touched, v.box)
		}
	}
	if err := v.account.commit(touched...); err != nil || s.servers.without.has("UIDPLUS") {
		return nil, err
	}
	return data, nil
}
