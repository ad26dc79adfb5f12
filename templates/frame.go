package templates

import "restante/internal/i18n"

// Head is what every page needs.
type Head struct {
	L       *i18n.Localizer
	Nonce   string
	Title   string
	Theme   string // auto, light, dark
	Density string // roomy, cosy, compact, or "" for the screen's own
	Pane    string // "none" or ""
	Scripts bool
}

func (h Head) localizer() *i18n.Localizer { return h.L }

// Frame is the furniture around a signed-in person's page.
type Frame struct {
	Head
	Screen        string        // class of the body
	Address       string        // that they sign in with
	Home          int64         // the account of it
	Switcher      []AccountLink // where there are several
	Of            string        // whose folders stand on the page, where there are several accounts
	Account       string        // ?account= of the one that the page is about, "" for the first
	Initials      string
	Hue           int
	FoldersURL    string
	SearchURL     string
	WriteURL      string
	Query         string
	SearchScope   string
	Outbox        int
	Special       []Folder
	Others        []Folder
	Folded        bool     // Others are behind their heading
	Searches      []Option // that were saved
	Quota         *Quota
	Strip         *Strip
	Away          *Away
	Again         *Again
	Moved         string // what to know of a change of the servers, "" for nothing
	Provider      string // at which the person signs in; "" where it is with a password
	Flash         *Flash
	Work          *Work
	Here          string // this page's own path, for coming back
	Events        string // the SSE address, "" for none
	Seen          uint64 // events before this page was made
	NoShortcuts   bool
	HasList       bool // a list of mails stands on the page
	AskZone       bool // the reader's time zone is not known yet: a script tells it
	WriteOutlined bool // another button is the filled one
}

// AccountLink leads to the inbox of an account.
type AccountLink struct {
	Address, Initials, URL string
	Hue                    int
	Unread                 uint32 // as far as it is known
	Current, All           bool   // All is the inbox of all of them
}

// Folder is a node of the tree.
type Folder struct {
	FolderEntry
	Children []Folder
}

// FolderEntry is a folder without those in it.
type FolderEntry struct {
	Name, Display, URL, Icon string
	Unread                   uint32
	ShowCount                bool
	Selectable, Current      bool
}

// Quota is the storage bar.
type Quota struct {
	Percent int
	Near    bool
	Words   string
}

// Strip is the line that stands there only when something is wrong.
type Strip struct{ Words, URL string }

// Away tells of a mail server that cannot be used now: which and why, since when, and what waits for it.
type Away struct{ URL, Words, Since, Waiting string }

// Again stands there while a person has to sign in at their provider again.
type Again struct{ Words, Button, Username, To string }

// Flash says what was just done, with its undo.
type Flash struct {
	Words, UndoURL     string
	LinkURL, LinkWords string
	Failed             bool
}

// Work is an act in the background that is under way.
type Work struct {
	ID           int64
	Words, Count string
	At, Total    int
	URL          string // where it is stopped
}

// Option is a choice in a <select>, a check, or a link in a menu.
type Option struct {
	Value, Words string
	URL          string
	Current      bool
}
