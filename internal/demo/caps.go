package demo

import (
	"strings"

	"github.com/emersion/go-imap/v2"
)

// capNames is a set of capability names in capitals.
type capNames map[string]bool

func namesOf(list []string) capNames {
	names := capNames{}
	for _, n := range list {
		names[strings.ToUpper(n)] = true
	}
	return names
}

func (c capNames) has(name string) bool { return c[name] }

// offered is what go-imap is told to offer. It offers some more of its own accord; wire.go
// takes those away.
func offered(without capNames) imap.CapSet {
	caps := imap.CapSet{}
	for _, c := range []imap.Cap{
		imap.CapIMAP4rev1, imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapListExtended,
		imap.CapListStatus, imap.CapMove, imap.CapStatusSize, imap.CapChildren, imap.CapSpecialUse,
		imap.CapCreateSpecialUse, imap.CapLiteralPlus,
	} {
		if !without.has(strings.ToUpper(string(c))) {
			caps[c] = struct{}{}
		}
	}
	if without.has("SPECIAL-USE") {
		delete(caps, imap.CapCreateSpecialUse)
	}
	caps[imap.CapIMAP4rev1] = struct{}{}
	return caps
}

// commandsOf names the commands that go with a capability.
var commandsOf = map[string][]string{
	"IDLE":      {"IDLE"},
	"MOVE":      {"MOVE", "UID MOVE"},
	"UIDPLUS":   {"UID EXPUNGE"},
	"NAMESPACE": {"NAMESPACE"},
	"ID":        {"ID"},
	"ENABLE":    {"ENABLE"},
	"UNSELECT":  {"UNSELECT"},
	"ESEARCH":   {"SEARCH RETURN", "UID SEARCH RETURN"},
}

// refused lists the commands that belong to capabilities switched off.
func (c capNames) refused() []string {
	var list []string
	for name := range c {
		list = append(list, commandsOf[name]...)
	}
	return list
}
