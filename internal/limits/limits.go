// Package limits knows what an admin bounds: each limit with its default and what it may be, and what holds for whom.
// A person's own limit comes before that of their domain, this before the site's, this before the default; what the
// configuration sets stands in the place of the site's. It keeps numbers, and enforces nothing. Start at All and Book.
package limits

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Name is a limit, as the configuration spells it.
type Name string

// The limits.
const (
	MailsPerHour      Name = "mails_per_hour"            // sent by one person
	RecipientsPerMail Name = "recipients_per_mail"       // of one mail
	RecipientsPerDay  Name = "recipients_per_day"        // of the mails of one person
	MailMB            Name = "mail_mb"                   // one mail as it is sent
	FileMB            Name = "file_mb"                   // one file of a draft
	UploadMB          Name = "upload_mb"                 // what one request brings
	DraftsMB          Name = "drafts_mb"                 // the files of all drafts of one person
	Sources           Name = "pop3_sources"              // that one person imports from
	Accounts          Name = "further_accounts"          // of one person, beside that which they sign in with
	Contacts          Name = "contacts"                  // that one person keeps
	TextsMB           Name = "texts_mb"                  // of mails, kept of one account for its searches; 0: none are
	TextKB            Name = "text_kb"                   // of one mail, kept for searches
	Requests          Name = "requests_at_once"          // of one person, streams of news apart
	Connections       Name = "imap_connections"          // of one person, one of them to watch
	HostConnections   Name = "imap_connections_per_host" // of all people of a node to one IMAP server
)

// Limit says what a limit may be. Of those that end in MB it is 1,048,576 bytes, in KB 1024.
type Limit struct {
	Name                 Name
	Kind                 string // what it is about: sending, size, storage, search, load
	Default, Least, Most int64
	SiteOnly             bool // it is nobody's in particular
}

// All are the limits, in the order in which they are shown and written.
var All = []Limit{
	{Name: MailsPerHour, Kind: "sending", Default: 100, Least: 1, Most: 100_000},
	{Name: RecipientsPerMail, Kind: "sending", Default: 500, Least: 1, Most: 10_000},
	{Name: RecipientsPerDay, Kind: "sending", Default: 2000, Least: 1, Most: 1_000_000},
	{Name: MailMB, Kind: "size", Default: 100, Least: 1, Most: 1024},
	{Name: FileMB, Kind: "size", Default: 50, Least: 1, Most: 2048},
	{Name: UploadMB, Kind: "size", Default: 100, Least: 1, Most: 2048},
	{Name: DraftsMB, Kind: "storage", Default: 1024, Least: 1, Most: 1_048_576},
	{Name: Sources, Kind: "storage", Default: 10, Least: 0, Most: 100},
	{Name: Accounts, Kind: "storage", Default: 5, Least: 0, Most: 50},
	{Name: Contacts, Kind: "storage", Default: 20_000, Least: 1, Most: 50_000},
	{Name: TextsMB, Kind: "search", Default: 0, Least: 0, Most: 102_400},
	{Name: TextKB, Kind: "search", Default: 64, Least: 1, Most: 1024},
	{Name: Requests, Kind: "load", Default: 24, Least: 4, Most: 1000},
	{Name: Connections, Kind: "load", Default: 3, Least: 2, Most: 20},
	{Name: HostConnections, Kind: "load", Default: 200, Least: 2, Most: 10_000, SiteOnly: true},
}

// Of gives the limit of a name; ok is false where there is none.
func Of(n Name) (l Limit, ok bool) {
	i := slices.IndexFunc(All, func(l Limit) bool { return l.Name == n })
	if i < 0 {
		return l, false
	}
	return All[i], true
}

// Scope is for whom a limit is set.
type Scope string

// The scopes, from the widest.
const (
	Site   Scope = "site"
	Domain Scope = "domain"
	Person Scope = "person"
)

// Entry is a limit that an admin has set: for the site (Of is ""), for a domain (its name in ASCII, lower case), or for
// a person (as Address has it).
type Entry struct {
	Scope Scope
	Of    string
	Name  Name
	Value int64
}

// Whose gives what Entry.Of is for a domain or an address as somebody wrote it. ok is false for what is neither.
func Whose(s Scope, written string) (of string, ok bool) {
	written = strings.ToLower(strings.TrimSpace(written))
	domain, local := written, "x"
	if s == Person {
		at := strings.LastIndexByte(written, '@')
		local, domain = written[:max(at, 0)], written[at+1:]
	}
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil || local == "" || len(written) > 254 || !strings.Contains(ascii, ".") || strings.ContainsAny(written, "\r\n\t\x00 /\\%") {
		return "", false
	}
	if s == Person {
		return local + "@" + ascii, true
	}
	return ascii, true
}

// Faults of an entry.
var (
	ErrNoLimit  = errors.New("there is no such limit")
	ErrSiteOnly = errors.New("this limit is the whole site's")
	ErrRange    = errors.New("outside of what this limit may be")
)

// Check says whether the limit can be set so, else by one of the errors above.
func (e Entry) Check() error {
	l, ok := Of(e.Name)
	switch {
	case !ok:
		return ErrNoLimit
	case l.SiteOnly && e.Scope != Site:
		return ErrSiteOnly
	case e.Value < l.Least || e.Value > l.Most:
		return fmt.Errorf("%w: %d to %d", ErrRange, l.Least, l.Most)
	}
	return nil
}

// Words are how the audit names that this was set, or is gone, where it had been old if it was set at all.
func (e Entry) Words(old int64, was, gone bool) string {
	from, to := "unset", "unset"
	if was {
		from = strconv.FormatInt(old, 10)
	}
	if !gone {
		to = strconv.FormatInt(e.Value, 10)
	}
	words := fmt.Sprintf("%s %s → %s", e.Name, from, to)
	if e.Of != "" {
		words = e.Of + ": " + words
	}
	return words
}
