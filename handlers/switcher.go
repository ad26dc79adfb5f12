package handlers

import (
	"context"
	"strings"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// knownLong is how old what is known of the accounts beside the one on the page may be.
const knownLong = time.Minute

// accountLinks lead to the accounts of a person who has several. How much is unread in one is told as it is known: no
// page waits for the server of another account.
func (s *Server) accountLinks(ctx context.Context, p *person, current string) (out []templates.AccountLink) {
	if len(p.Accounts) < 2 {
		return nil
	}
	out = append(out, templates.AccountLink{Address: p.L.T("accounts.all"), URL: pathAll, All: true, Current: current == pathAll})
	for _, a := range p.Accounts {
		link := templates.AccountLink{Address: a.Address, Initials: accountInitials(p, a), Hue: hue(a.Address), URL: pathMailbox(a.ID, "INBOX"), Current: a.ID == p.Account.ID && current != "" && current != pathAll}
		if there, err := s.as(p, a.ID); err == nil {
			link.Unread = unreadIn(there.Mail.KnownMailboxes(ctx, knownLong))
		}
		out[0].Unread += link.Unread
		out = append(out, link)
	}
	return out
}

// accountInitials stand for an account: those of the person for that which they sign in with.
func accountInitials(p *person, a store.Account) string {
	if a.Further() {
		return initials("", a.Address)
	}
	return initials(p.User.Settings.Name, a.Address)
}

// short is an account by the part of its address that none of the others has.
func short(all []store.Account, a store.Account) string {
	local, domain, _ := strings.Cut(a.Address, "@")
	only := func(part func(local, domain string) string) bool {
		n := 0
		for _, o := range all {
			l, d, _ := strings.Cut(o.Address, "@")
			if part(l, d) == part(local, domain) {
				n++
			}
		}
		return n == 1
	}
	switch {
	case only(func(local, _ string) string { return local }):
		return local
	case only(func(_, domain string) string { return domain }):
		return domain
	}
	return a.Address
}

func unreadIn(boxes []mailclient.Mailbox) uint32 {
	for _, b := range boxes {
		if b.Role == mailclient.RoleInbox {
			return b.Unseen
		}
	}
	return 0
}

// writer is the person in the account of the address that a draft is from. A draft that is not sent goes there.
func (s *Server) writer(ctx context.Context, p *person, d *store.Draft, f *store.DraftFields) (*person, error) {
	ids, err := s.identities(ctx, p)
	if err != nil {
		return nil, err
	}
	account := d.AccountID
	if id, ok := senderOf(ids, *f); ok {
		account = id.AccountID
	}
	if f.AnswerUID != 0 && f.AnswerAccount == 0 { // from before there were several
		f.AnswerAccount = d.AccountID
	}
	there, err := s.as(p, account)
	if err != nil || d.AccountID == account || d.State == "sent" {
		return there, err
	}
	return there, s.moveDraft(ctx, there, d)
}

// moveDraft puts a draft into the account that a person is in. Its copy in the folder of the other account goes; a server
// that refuses costs a stale copy, nothing else.
func (s *Server) moveDraft(ctx context.Context, p *person, d *store.Draft) error {
	leave, err := s.copying.enter(ctx, d.ID)
	if err != nil {
		return err
	}
	defer leave()
	was, err := s.store.Draft(ctx, p.User.ID, d.ID)
	if err != nil {
		return err
	}
	if err := s.store.MoveDraft(ctx, p.User.ID, d.ID, p.Account.ID); err != nil {
		return err
	}
	d.AccountID, d.IMAP = p.Account.ID, store.DraftCopy{}
	old, err := s.as(p, was.AccountID)
	if err == nil {
		err = old.expunge(ctx, copyAt(was))
	}
	if err != nil {
		s.log.Warn("a draft's copy stays in another account", "account", was.AccountID, "err", err.Error())
	}
	return nil
}

// sealedFor is what the queue sends an item with: what its account is signed in to with, and where needed the account in
// which what it answers lies.
func sealedFor(p *person, item store.OutboxItem) jobs.Credential {
	cred := p.cred
	if home := p.Accounts[0].ID; item.AnswerAccount == home && item.AccountID != home {
		cred.Answered = &p.signedIn
	}
	return cred
}
