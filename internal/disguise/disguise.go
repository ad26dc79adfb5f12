// Package disguise tells when the sender of a mail passes for somebody else: by a
// name, by a domain that looks like another, by an answer that goes elsewhere, or
// because the checks of their own domain failed. It is told what a person knows and
// asks nobody. Start at Find.
package disguise

import "strings"

// Kind is how somebody may pass for another.
type Kind string

// The kinds, the gravest first.
const (
	Name      Kind = "name"      // the name shows another address
	Authors   Kind = "many"      // there is more than one author
	Person    Kind = "person"    // the name is that of somebody known, the address is not
	LookAlike Kind = "lookalike" // the domain is nearly one that is known
	Script    Kind = "script"    // the domain is written in letters that look like others
	ReplyTo   Kind = "replyto"   // an answer would go to another place
	Failed    Kind = "failed"    // the sender's domain does not vouch for it
)

// Sender is what a mail says of who wrote it.
type Sender struct {
	Name, Addr string
	Authors    int    // addresses in From
	ReplyTo    string // the first address there, "" for none
	List       bool   // it came by a mailing list, to which answers go
	DMARC      string // the verdict of the reader's own server (RFC 8601), "" for none
}

// Circle is what the reader knows.
type Circle struct {
	Own       []string // their addresses
	Known     bool     // they have written to the sender
	Namesakes []string // other addresses to which they have written under the sender's name
	Domains   []string // of people they write to
}

// Finding is what was found, with what it is to be told by: the address or domain that the sender passes for, or, for
// Script, the domain as computers spell it, and for ReplyTo the other address.
type Finding struct {
	Kind  Kind
	Other string
}

// Find gives the gravest sign of a disguise, if there is one. Without a sender's address there is none.
func Find(s Sender, c Circle) (Finding, bool) {
	if s.Addr == "" {
		return Finding{}, false
	}
	name := strings.ToLower(s.Name)
	switch {
	case strings.Contains(name, "@") && !strings.Contains(name, strings.ToLower(s.Addr)):
		return Finding{Name, s.Name}, true
	case s.Authors > 1:
		return Finding{Authors, ""}, true
	case !c.Known && len(c.Namesakes) > 0 && strings.Contains(strings.TrimSpace(s.Name), " ") && !has(c.Own, s.Addr):
		return Finding{Person, c.Namesakes[0]}, true
	}
	domain := domainOf(s.Addr)
	if !c.Known {
		if known := likeOneOf(domain, c); known != "" {
			return Finding{LookAlike, known}, true
		}
		if ascii, odd := OddScript(domain); odd {
			return Finding{Script, ascii}, true
		}
	}
	switch {
	case s.ReplyTo != "" && !s.List && site(domainOf(s.ReplyTo)) != site(domain) && !has(c.Own, s.ReplyTo):
		return Finding{ReplyTo, s.ReplyTo}, true
	case strings.EqualFold(s.DMARC, "fail"):
		return Finding{Failed, domain}, true
	}
	return Finding{}, false
}

func has(list []string, addr string) bool {
	for _, a := range list {
		if strings.EqualFold(a, addr) {
			return true
		}
	}
	return false
}

func domainOf(addr string) string {
	return strings.ToLower(addr[strings.LastIndexByte(addr, '@')+1:])
}
