package handlers

import (
	"context"
	"time"

	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// knownLong is how old what is known of the accounts beside the one on the page may be.
const knownLong = time.Minute

// accountLinks lead to the accounts of a person who has several. Whether one has unread mail is told as it is known: no
// page waits for the server of another account.
func (s *Server) accountLinks(ctx context.Context, p *person, current string) (out []templates.AccountLink) {
	if len(p.Accounts) < 2 {
		return nil
	}
	for _, a := range p.Accounts {
		link := templates.AccountLink{Address: a.Address, Initials: accountInitials(p, a), Hue: hue(a.Address), URL: pathMailbox(a.ID, "INBOX"), Current: a.ID == p.Account.ID && current != ""}
		if there, err := s.as(p, a.ID); err == nil {
			link.Unread = hasUnread(there.Mail.KnownMailboxes(ctx, knownLong))
		}
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

func hasUnread(boxes []mailclient.Mailbox) bool {
	for _, b := range boxes {
		if b.Role == mailclient.RoleInbox && b.Unseen > 0 {
			return true
		}
	}
	return false
}

// first is the person in the account that they sign in with.
func (s *Server) first(p *person) (*person, error) { return s.as(p, p.Accounts[0].ID) }

// accountOf is the account of an identity, that which they sign in with if it is nobody's.
func accountOf(p *person, ids []store.Identity, id int64) int64 {
	for _, i := range ids {
		if i.ID == id {
			return i.AccountID
		}
	}
	return p.Accounts[0].ID
}
