package demo

import (
	"maps"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// List answers LIST and LSUB. All lines are made under the lock and written after it.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, o *imap.ListOptions) error {
	if err := s.listAllowed(o); err != nil {
		return err
	}
	if len(patterns) == 0 { // RFC 3501 6.3.8: the empty pattern asks for the delimiter
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: '/'})
	}
	for _, data := range s.listed(ref, patterns, o) {
		if err := w.WriteList(&data); err != nil {
			return err
		}
	}
	return nil
}

// listAllowed refuses the options of capabilities that are switched off.
func (s *session) listAllowed(o *imap.ListOptions) error {
	off := s.servers.without
	switch {
	case off.has("LIST-EXTENDED") && (o.SelectRemote || o.SelectRecursiveMatch || o.ReturnSubscribed || o.ReturnChildren):
		return bad("LIST-EXTENDED is not supported")
	case off.has("LIST-STATUS") && o.ReturnStatus != nil:
		return bad("LIST-STATUS is not supported")
	case off.has("SPECIAL-USE") && (o.ReturnSpecialUse || o.SelectSpecialUse):
		return bad("SPECIAL-USE is not supported")
	}
	return nil
}

func (s *session) listed(ref string, patterns []string, o *imap.ListOptions) []imap.ListData {
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []imap.ListData
	for _, name := range a.listNames() {
		if !slices.ContainsFunc(patterns, func(p string) bool { return imapserver.MatchList(name, '/', ref, p) }) {
			continue
		}
		if data, ok := s.listOne(name, o); ok {
			list = append(list, data)
		}
	}
	return list
}

// listNames holds mailboxes, the names above them, and names subscribed to; sorted, INBOX first.
func (a *account) listNames() []string {
	names := map[string]bool{}
	for name := range a.boxes {
		names[name] = true
		for _, parent := range parents(name) {
			names[parent] = true
		}
	}
	for name := range a.subscribed {
		names[name] = true
	}
	delete(names, "INBOX")
	return append([]string{"INBOX"}, slices.Sorted(maps.Keys(names))...)
}

// listOne makes the LIST line of a name; false when the selection options leave it out.
func (s *session) listOne(name string, o *imap.ListOptions) (imap.ListData, bool) {
	a := s.account
	box, below := a.boxes[name], a.isParent(name)
	data := imap.ListData{Mailbox: name, Delim: '/'}
	childSubscribed := o.SelectRecursiveMatch && a.subscribedBelow(name)
	switch {
	case o.SelectSubscribed && !a.subscribed[name] && !childSubscribed,
		!o.SelectSubscribed && box == nil && !below,
		o.SelectSpecialUse && (box == nil || box.use == ""):
		return data, false
	}
	if box == nil { // RFC 5258 3: a name without a mailbox
		data.Attrs = append(data.Attrs, imap.MailboxAttrNonExistent, imap.MailboxAttrNoSelect)
	}
	if below {
		data.Attrs = append(data.Attrs, imap.MailboxAttrHasChildren)
	} else {
		data.Attrs = append(data.Attrs, imap.MailboxAttrHasNoChildren)
	}
	if (o.ReturnSubscribed || o.SelectSubscribed) && a.subscribed[name] {
		data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
	}
	if box != nil && box.use != "" && !s.servers.without.has("SPECIAL-USE") {
		data.Attrs = append(data.Attrs, box.use)
	}
	if childSubscribed {
		data.ChildInfo = &imap.ListDataChildInfo{Subscribed: true}
	}
	if o.ReturnStatus != nil && box != nil {
		data.Status = box.status()
	}
	return data, true
}

func (a *account) subscribedBelow(name string) bool {
	for other := range a.subscribed {
		if strings.HasPrefix(other, name+delim) {
			return true
		}
	}
	return false
}
