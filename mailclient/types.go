// Package mailclient is a person's mail as the rest of Restante sees it:
// sessions, mailboxes, lists, messages, parts, flags, moves, search and watch.
// It speaks IMAP through go-imap over the tolerant wire of imapx, and knows
// nothing of HTTP, SQL or people's settings. Start at Pool and Session.
package mailclient

import (
	"context"
	"crypto/x509"
	"net"
	"time"

	"restante/mailclient/message"
	"restante/mailclient/wire"
)

// Security says how a connection is protected (PROTOCOLS C1).
type Security string

// The ways to protect a connection. A saved mode never falls back to a weaker one.
const (
	TLS      Security = "tls"      // from the first byte
	StartTLS Security = "starttls" // required, never opportunistic
	Plain    Security = "plain"    // loopback and private addresses only
)

// Endpoint is a mail server and how to reach it.
type Endpoint struct {
	Host     string
	Port     int
	Security Security
	RootCAs  *x509.CertPool // nil: the system's
	Pin      string         // SHA-256 of the server's public key (SPKI) in hex, in place of a name and of RootCAs; "" for none
	Via      Dialer         // nil: an ordinary one
}

// Dialer opens connections. The guarded one refuses addresses that nobody may be sent to. Its type has to be one that
// can be compared, such as a pointer.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Server is the endpoint as the wire knows it.
func (e Endpoint) Server() wire.Server {
	s := wire.Server{Host: e.Host, Port: e.Port, RootCAs: e.RootCAs, Pin: e.Pin}
	if e.Via != nil {
		s.Via = e.Via.DialContext
	}
	return s
}

// Credentials are what a person signs in with: a password, or the access tokens of a provider.
type Credentials struct {
	Username, Password string
	Tokens             Tokens // nil: the password
}

// Role is what a mailbox is for (RFC 6154).
type Role string

// The roles of mailboxes.
const (
	RoleNone    Role = ""
	RoleInbox   Role = "inbox"
	RoleDrafts  Role = "drafts"
	RoleSent    Role = "sent"
	RoleArchive Role = "archive"
	RoleJunk    Role = "junk"
	RoleTrash   Role = "trash"
	RoleAll     Role = "all"
	RoleFlagged Role = "flagged"
)

// Mailbox is one node of the mailbox tree.
type Mailbox struct {
	Name       string // full name, UTF-8; the identity
	Delimiter  string // "" = flat
	Role       Role
	Selectable bool
	NoChildren bool // \Noinferiors or flat
	Subscribed bool
	Shared     bool   // outside the personal namespace
	Prefix     string // personal namespace prefix to hide, e.g. "INBOX."

	StatusKnown                            bool
	Messages, Unseen, UIDNext, UIDValidity uint32
	HighestModSeq                          uint64
}

// Quota is the fullest root of the account (RFC 2087). Limit 0 means none.
type Quota struct{ UsedKiB, LimitKiB int64 }

// Sort is the order of a list.
type Sort string

// The orders of a list. SortDate is by arrival; in a mailbox into which old mail came after newer, as by an import,
// by date.
const (
	SortDate    Sort = "date"
	SortFrom    Sort = "from"
	SortTo      Sort = "to"
	SortSubject Sort = "subject"
	SortSize    Sort = "size"
)

// Filter narrows a list.
type Filter string

// The filters of a list.
const (
	FilterNone        Filter = ""
	FilterUnread      Filter = "unread"
	FilterFlagged     Filter = "flagged"
	FilterAttachments Filter = "attachments"
)

// ListQuery asks for one page of a mailbox. Page counts from 1.
type ListQuery struct {
	Page      int
	PerPage   int // 0 = 50, at most 500
	Sort      Sort
	Ascending bool
	Filter    Filter
	Search    *SearchQuery // nil = all
	Also      []uint32     // mails that are listed though filter and search pass them over

	Conversations bool // one row each, where they are known: in the order of date, without a search
}

// List is one page of a mailbox.
type List struct {
	Mailbox     Mailbox // with its state at the time
	ReadOnly    bool
	Total       int // mails that match
	Page, Pages int // Page is clamped to 1..Pages
	Rows        []Row
	Deleted     int    // mails on this page that stand marked \Deleted and are not in Rows
	Incomplete  bool   // a search or sort that did not see every mail
	Note        string // why, in the server's words
	Left        int    // mailboxes that a search is yet to look through
}

// Row is what a list shows of a mail.
type Row struct {
	Mailbox       string
	UID           uint32
	UIDValidity   uint32
	Flags         Flags
	From, To      []message.Address
	Subject       string
	Date          time.Time // Date header, or arrival when that is impossible
	Received      time.Time // INTERNALDATE
	Size          int64
	HasAttachment bool
	Preview       string
	MessageID     string // without brackets

	// Known of rows just fetched alone.
	InReplyTo  []string
	References []string // the last 50
	Thread     string   // what the server or Exchange calls its conversation, "" for nothing
	Cc         []message.Address
	Files      []string // names of what is attached

	Conversation *Conversation // of a list of conversations; nil in others

	text      *message.Structure // where the preview is to be had
	previewed bool
	parts     string // FETCH items of what it shows when it is opened, "" for its first part
}

// Conversation is what a row tells of the other mails of its conversation, in this mailbox and in others.
type Conversation struct {
	Mails           int               // each counts once, wherever else it lies
	People          []message.Address // who wrote them, the first first
	Unread, Flagged bool              // one of those in this mailbox
	Files           bool
}

// Flags are the system flags and keywords of a mail.
type Flags struct {
	Seen, Flagged, Answered, Forwarded, Draft, Deleted, Junk bool
	Keywords                                                 []string
}

// Ref names mails: never without the UIDVALIDITY they were seen under.
type Ref struct {
	Mailbox     string
	UIDValidity uint32
	UIDs        []uint32
}

// Moved says where mails went: pairs of old and new UIDs, empty when the server gave none.
type Moved struct {
	To          string
	UIDValidity uint32
	UIDs        map[uint32]uint32 // old -> new
	LeftMarked  bool              // no MOVE and no UIDPLUS: the originals stand marked \Deleted
	MessageIDs  []string          // of the mails that went, without brackets, where the server tells no UIDs
}

// Open is one message with what the reader shows.
type Open struct {
	Row
	ReadOnly  bool
	Message   *message.Message
	Structure *message.Structure
	RawHeader []byte
	Kept      bool // it is as it was kept: the server could not be asked

	pieces  *pieces // of which it was made, where it has just come
	byBytes bool    // its parts come from reading it whole
}

// EventKind says what a watcher saw.
type EventKind string

// The kinds of events.
const (
	EventNew     EventKind = "new"     // Count new mails
	EventChanged EventKind = "changed" // flags or removals
	EventLost    EventKind = "lost"    // the server does not answer
	EventBack    EventKind = "back"
	EventSignIn  EventKind = "signin" // the server wants the password again
)

// Event is something that happened in a mailbox.
type Event struct {
	Kind    EventKind
	Mailbox string
	Count   int
}
