package handlers

import (
	"context"
	"slices"
	"strings"

	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/mailclient/message"
)

// sending is an identity as its person writes by it: with what the admin fills in, and what they allow.
type sending struct {
	store.Identity
	tags bool // it may also write as name+tag
}

// identities are those a person writes by. Where an identity has no name of its own, that of the domain or of their
// settings is filled in.
func (s *Server) identities(ctx context.Context, p *person) ([]sending, error) {
	ids, err := s.store.Identities(ctx, p.User.ID)
	if err != nil {
		return nil, err
	}
	policies, err := s.store.Policies(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]sending, len(ids))
	for i, id := range ids {
		out[i] = filledIn(id, p.User.Settings.Name, policies[limits.DomainOf(id.Address)], policies[limits.DomainOf(p.User.Address)].Lock)
	}
	return out, nil
}

// lockOf is what the admin keeps a person from changing of their sender addresses: "" is nothing.
func (s *Server) lockOf(ctx context.Context, p *person) (string, error) {
	policies, err := s.store.Policies(ctx)
	return policies[limits.DomainOf(p.User.Address)].Lock, err
}

// filledIn is an identity with what its domain's policy says. Templates hold for what its person has not set; where all is
// locked, they hold whatever was set.
func filledIn(id store.Identity, name string, d store.Policy, lock string) sending {
	all := lock == store.LockAll
	local, _, _ := strings.Cut(id.Address, "@")
	plain, marked := holes(name, local, id.Address)
	if d.Name != "" && (all || id.Name == "") {
		id.Name = oneLine(plain.Replace(d.Name))
	} else if id.Name == "" {
		id.Name = name
	}
	if d.Organization != "" && (lock != "" || !id.Saved) {
		id.Organization = oneLine(plain.Replace(d.Organization))
	}
	if d.Signature+d.SignHTML != "" && (all || !id.Saved) {
		id.Signature, id.SignatureHTML = plain.Replace(d.Signature), marked.Replace(d.SignHTML)
		if d.Signature == "" {
			id.Signature = strings.TrimSpace(compose.TextFromHTML(id.SignatureHTML))
		}
	}
	id.AnyAddress = id.AnyAddress && !d.NoAny && lock == ""
	return sending{id, !d.NoTags}
}

// as says whether an identity may write as an address that is made on the fly: with a tag, or any of its domain.
func (id sending) as(address string) bool {
	own, domain, _ := strings.Cut(strings.ToLower(id.Address), "@")
	local, at, _ := strings.Cut(strings.ToLower(address), "@")
	return at == domain && compose.Valid(address) && (id.AnyAddress || id.tags && len(local) > len(own)+1 && strings.HasPrefix(local, own+"+"))
}

// sender is by whom a draft is written: an identity, and the address where that is made on the fly.
type sender struct {
	identity int64
	as       string
}

// exact is whose address this is, tagged whose it is with a tag, any whose domain it is of.
func exact(id sending, addr string) bool  { return strings.EqualFold(id.Address, addr) }
func tagged(id sending, addr string) bool { id.AnyAddress = false; return id.as(addr) }
func anyOf(id sending, addr string) bool  { return id.as(addr) }

// senderFor is who writes by one of these addresses: the first whose own address one is, else who may make one on the fly.
func senderFor(ids []sending, addresses []string, ways ...func(sending, string) bool) (sender, bool) {
	for _, way := range ways {
		for _, addr := range addresses {
			for _, id := range ids {
				if !way(id, addr) {
					continue
				}
				if exact(id, addr) {
					addr = ""
				}
				return sender{id.ID, addr}, true
			}
		}
	}
	return sender{}, false
}

// writtenTo is who answers a mail: whom it was written to, else to whom its server says that it went. What a list sends is
// written to the list, whatever the domain.
func writtenTo(ids []sending, h message.Header) (sender, bool) {
	var to, went []string
	for _, a := range slices.Concat(h.To(), h.Cc()) {
		to = append(to, a.Addr)
	}
	for _, field := range []string{"X-Original-To", "Envelope-To", "Delivered-To"} {
		for _, v := range h.Values(field) {
			went = append(went, strings.Trim(strings.TrimSpace(v), "<>"))
		}
	}
	const most = 200
	to, went = to[:min(len(to), most)], went[:min(len(went), 20)]
	ways := []func(sending, string) bool{exact, tagged, anyOf}
	if h.Get("List-Id") != "" || h.Get("List-Post") != "" {
		ways = ways[:2]
	}
	if who, ok := senderFor(ids, to, ways...); ok {
		return who, true
	}
	return senderFor(ids, went, exact, tagged, anyOf)
}

// senderOf is the identity that a draft is from, with the address it is from, if there is one.
func senderOf(ids []sending, f store.DraftFields) (id sending, ok bool) {
	for _, id := range ids {
		if id.ID != f.IdentityID && f.IdentityID != 0 {
			continue
		}
		if f.As == "" {
			return id, true
		}
		ok := id.as(f.As)
		id.Address = f.As
		return id, ok
	}
	return id, false
}

// identitiesOf are the identities of the account that a person is in, all of theirs where it has none.
func identitiesOf(p *person, ids []sending) []sending {
	own := slices.DeleteFunc(slices.Clone(ids), func(id sending) bool { return id.AccountID != p.Account.ID })
	if len(own) == 0 {
		return ids
	}
	return own
}

// untagged is an address without the tag that its owner may have given out with it.
func untagged(addr string) string {
	local, domain, _ := strings.Cut(addr, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}
