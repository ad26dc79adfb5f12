// Package message reads mail as a person should see it: from the structure that
// an IMAP server reports, or from raw bytes. It never fails: what is damaged is
// shown as far as it goes, with a list of faults. It knows nothing of IMAP
// connections, HTTP or SQL. Start at Read and NewPlan.
package message

import "time"

// Address is one mailbox of an address field, decoded for display.
type Address struct {
	Name  string // decoded display name, may be empty
	Addr  string // local@domain as it should be written to; may lack a domain
	Group string // name of the RFC 5322 group it stood in, or ""
}

// File is a leaf that is listed and can be saved.
type File struct {
	Section   string // IMAP section number, e.g. "2" or "2.1"; what was found inside a part (TNEF, S/MIME, uuencode): "2!1"
	Name      string // clean, never empty, safe as a file name
	Type      string // media type as declared, lower case, e.g. "image/png"
	Size      int64  // decoded size in bytes; estimated when Exact is false
	Exact     bool
	Encoding  string // content transfer encoding, lower case
	ContentID string // without brackets
	Location  string // Content-Location
	Inline    bool   // shown by the HTML through cid: or Content-Location: not listed as attachment
	Technical bool   // signatures, resource forks, empty parts
	Body      []byte // decoded bytes, only when read from bytes or found inside another part
	Looks     string // media type that the first bytes tell, when it is another than Type; "" when unknown
	Nested    bool   // a message/rfc822 part that can be opened in place
}

// BlockKind says how a shown block is to be rendered.
type BlockKind int

// The kinds of blocks that a message shows, in order.
const (
	BlockText  BlockKind = iota // plain text, UTF-8
	BlockHTML                   // foreign HTML, UTF-8, not sanitised
	BlockImage                  // an inline picture between texts: see Section
	BlockCard                   // delivery report, invitation, attached mail ...: see Card
)

// Block is one thing shown in the body, in reading order.
type Block struct {
	Kind    BlockKind
	Section string
	Text    string // text or HTML
	Flowed  bool   // text was format=flowed and is already unflowed
	Card    *Card
	Cut     bool // longer than the limit: the rest is at Section
}

// Card is something told in words rather than shown as it came. Fields that say nothing are not there. By Kind they are:
//
//	contact    nothing: see Raw
//	report     recipient action status diagnostic next host remote
//	receipt    recipient action diagnostic id
//	arf        action recipient from name source date
//	calendar   summary start end location organizer method text repeats answer
//	message    name (its subject) from date text (how it begins) id
//	encrypted  name (OpenPGP, S/MIME)
//	signed     name
//	partial    name ("part 2 of 3") number total id
//	external   location access name expires size
type Card struct {
	Kind   string
	Fields map[string]string // readable text on one line, but for text; at most 1,000 characters each
	Event  *Event            // of a calendar
	Raw    []byte            // of vCards: the first 256 KB
}

// Fault is one thing that was wrong with a mail and worked around.
type Fault struct{ Kind, Where string }

// Message is a whole mail as it should be shown.
type Message struct {
	Header   Header
	Date     time.Time  // best date known; zero when none
	Blocks   []Block    // what the body shows
	Files    []File     // every leaf not shown as a block (Inline ones included)
	PlainAlt string     // the plain text alternative, when the body is of another kind and there is one
	HTMLAlt  bool       // body has an HTML block
	Nested   []*Message // attached mails in order (when read from bytes, up to 5 deep)
	Faults   []Fault
}

// Structure is a MIME tree as BODYSTRUCTURE tells it (RFC 3501 7.4.2).
// Section is the IMAP section number of the node ("" for a multipart root).
type Structure struct {
	Section           string
	Type, Subtype     string // lower case
	Params            map[string]string
	ID, Description   string
	Encoding          string
	Size              int64 // encoded octets
	Disposition       string
	DispositionParams map[string]string
	Location          string
	MIMEHeader        []byte // raw part header if it was fetched
	Children          []*Structure
	NestedHeader      []byte // for message/rfc822, when known
}
