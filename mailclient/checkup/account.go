package checkup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
)

// signIn signs in to IMAP. If the name is refused, and only if that is wanted, its other form is tried once: every
// refusal counts toward a lockout.
func (r *run) signIn(ctx context.Context, s *Step) {
	r.session = r.pool.Session("checkup", r.o.Servers.IMAP, r.cred)
	err := r.session.SignIn(ctx)
	if err != nil && r.o.OtherForm && nameRefused(err) {
		if other := r.otherForm(); other != r.cred.Username {
			s.Facts.SecondForm = true
			cred := mailclient.Credentials{Username: other, Password: r.o.Password}
			if r.pool.Session("checkup", r.o.Servers.IMAP, cred).SignIn(ctx) == nil {
				r.cred, err = cred, nil
				s.warn(OtherLogin)
			}
		}
	}
	if err != nil {
		p, text := problemOf(err)
		s.fail(p, text)
		return
	}
	s.Facts.Login = r.cred.Username
	if caps, err := r.session.Capabilities(ctx); err == nil { // many tell more after the sign-in (PROTOCOLS C5)
		r.single = caps["UIDPLUS"]
		for c := range caps {
			s.Facts.Capabilities = append(s.Facts.Capabilities, c)
		}
		slices.Sort(s.Facts.Capabilities)
	}
}

func nameRefused(err error) bool {
	var no *mailclient.SignInError
	return errors.As(err, &no) && !no.Temporary
}

// otherForm is the local part where the whole address was tried, else the address.
func (r *run) otherForm() string {
	if r.cred.Username != r.o.Address {
		return r.o.Address
	}
	local, _, _ := strings.Cut(r.o.Address, "@")
	return local
}

// problemOf names an error of a mail session, and gives the server's words.
func problemOf(err error) (Problem, string) {
	var connect *mailclient.ConnectError
	var sign *mailclient.SignInError
	var no *mailclient.RefusedError
	switch {
	case errors.As(err, &sign) && sign.Temporary:
		return Trouble, sign.Text
	case errors.As(err, &sign):
		return Password, sign.Text
	case errors.As(err, &connect):
		return Problem(connect.Kind), connect.Text
	case errors.As(err, &no) && no.Code == "OVERQUOTA":
		return Quota, no.Text
	case errors.As(err, &no):
		return Refused, no.Text
	case errors.Is(err, mailclient.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return Problem(mailclient.Timeout), ""
	}
	return Refused, err.Error()
}

// needed are the roles that the pages look for.
var needed = []mailclient.Role{mailclient.RoleDrafts, mailclient.RoleSent, mailclient.RoleJunk, mailclient.RoleTrash}

func (r *run) folders(ctx context.Context, s *Step) {
	boxes, err := r.session.Mailboxes(ctx)
	if err != nil {
		p, text := problemOf(err)
		s.fail(p, text)
		return
	}
	for _, b := range boxes {
		if b.Role != mailclient.RoleNone && r.roles[b.Role] == "" {
			r.roles[b.Role] = b.Name
		}
	}
	s.Facts.Mailboxes, s.Facts.Roles = len(boxes), r.roles
	for _, role := range needed {
		if r.roles[role] == "" {
			s.Facts.Missing = append(s.Facts.Missing, role)
		}
	}
	if len(s.Facts.Missing) > 0 {
		s.warn(NoRoles)
	}
}

// keep puts a mail among the drafts, or into INBOX where there are none, and removes it.
func (r *run) keep(ctx context.Context, s *Step) {
	box := r.roles[mailclient.RoleDrafts]
	if box == "" {
		box = "INBOX"
	}
	s.Facts.Mailbox = box
	m := r.mail()
	_, _, err := r.session.Append(ctx, box, []string{`\Seen`}, time.Now(), int64(len(m.text)), strings.NewReader(m.text))
	_, left := r.remove(ctx, box, m.id)
	if err != nil {
		p, text := problemOf(err)
		s.fail(p, text)
		return
	}
	if left != "" {
		s.warn(left)
	}
}

// removeTime is what removing has even when its checkup was given up.
const removeTime = 20 * time.Second

// remove takes a mail away, wherever ctx stands. It gives how many there were, and what is left of them, "" for nothing.
func (r *run) remove(ctx context.Context, box, id string) (n int, left Problem) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	ref, err := r.session.FindByMessageID(ctx, box, id)
	if err == nil && len(ref.UIDs) > 0 {
		err = r.session.Expunge(ctx, ref)
	}
	switch {
	case err != nil:
		left = LeftBehind
	case len(ref.UIDs) > 0 && !r.single:
		left = LeftMarked
	}
	return len(ref.UIDs), left
}
