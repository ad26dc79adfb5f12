package templates

// Login is the sign-in page.
type Login struct {
	Head
	Username, To              string
	Stay, BareNames           bool
	Problem, Next, ServerSaid string
	Notice                    string
	Forget                    bool          // just signed out: the browser is to drop its copies of pictures
	Carried                   []Field       // what was being written when the session ended
	Looked                    []string      // where mail servers were looked for in vain
	Found                     *FoundServers // servers that are to be looked at before a password goes there
	Unset                     bool          // nobody has set the site up so far
	AddressFirst              bool          // what else is asked depends on the address
	Provider                  *Provider     // at which this address signs in
}

// Provider is where somebody signs in by a press of a button that leads there.
type Provider struct {
	Name, URL          string
	BackURL, BackWords string // "" leads to another address
}

// FoundServers are mail servers that were found for an address.
type FoundServers struct {
	Confirm         string // what the form sends along: who signs in has seen it
	Words           string
	Lines, Warnings []string
}

// Field is one value of a form that is carried on.
type Field struct{ Name, Value string }

func (Login) template() string { return "login.html" }

// Error is a whole page about what went wrong.
type Error struct {
	Head
	Words, Safe, ID, ServerSaid string
	ButtonURL, ButtonWords      string
	RetryURL, RetryMethod       string // where Kept goes with the button RetryWords, or ButtonWords
	RetryWords                  string
	Danger                      bool
	Kept                        []Field
}

func (Error) template() string { return "error.html" }

// Trouble is what went wrong with a page that stands in the frame all the same.
type Trouble struct {
	Words, ID, ServerSaid  string
	ButtonURL, ButtonWords string
	BackURL, BackWords     string // a second way on
	Facts                  []string
}

// Broken is the page of a folder or a list that cannot be shown.
type Broken struct {
	Frame
	Trouble Trouble
}

func (Broken) template() string { return "broken.html" }

// Mail is a mailbox, a search, or a message beside its list.
type Mail struct {
	Frame
	List        List
	Message     *Message
	PaneMode    string // none: lists and messages are pages of their own
	ReaderWords string
	Gone        *Trouble // in the place of a message that is no longer there
	Beside      bool     // a message stands open beside this list where a script puts it
}

func (Mail) template() string { return "mail.html" }

// Beside is a message for a script on whose page its list stands: the message, its row, and the folders.
type Beside struct{ Mail }

func (Beside) template() string { return "beside.html" }

// List is one page of rows with what can be done to them.
type List struct {
	Title, Name     string
	Role            string
	Range           string // "1–50 of 12 408"
	Filters, Sorts  []Option
	Note            string
	Filling         Progress // while the folder's index is filled
	Conversations   bool     // its rows are
	Talks           bool     // conversations are wished, where a list can show them
	MoreURL         string   // gives more of a search that goes on, "" when all is there
	MoreWords       string
	Save            *SaveSearch // of a search
	Rows            []Row
	Validity        uint32
	Here            string
	ActionURL       string
	CanAct, Forever bool
	Forwards        bool // picked mails can be forwarded together
	Top             MoveTo
	AllWords        string
	JumpURL, Order  string // where a date leads to a page, "" when the list has another order
	Shown           string // the day of the first row, "2006-01-02"
	AllQuery        []Field
	Newer, Older    string
	EmptyWords      string
	AllURL          string
	ManageURL       string
	EmptyURL        string
	Words           []Option    // of the search, each with the address of the search without it
	Found           *Found      // the list is what a search in this folder found
	Kept            []Option    // drafts that Restante has and this folder has not yet
	ThrownURL       string      // of a folder of drafts: where those lie that were thrown away
	Widen           string      // searches Junk and Trash too
	Search          *SearchForm // on the page of a search through all folders
}

// Progress is how far something has come. All is 0 where nothing goes on.
type Progress struct {
	Words     string
	Done, All int
}

// SearchOffers are what a search field offers while somebody types.
type SearchOffers struct {
	Head
	Groups []OfferGroup
}

func (SearchOffers) template() string { return "search-offers" }

// OfferGroup are the offers of one kind.
type OfferGroup struct {
	Title, Icon string
	Offers      []Offer
}

// Offer is a search, its words in the place of those in the field, or a place to go to.
type Offer struct{ Words, More, Query, URL string }

// Add puts offers under their title, a catalogue key, if there are any.
func (o *SearchOffers) Add(title, icon string, offers []Offer) {
	if len(offers) > 0 {
		o.Groups = append(o.Groups, OfferGroup{Title: o.L.T(title), Icon: icon, Offers: offers})
	}
}

// Found says what was searched for in a folder, with the ways out and on.
type Found struct{ Words, ClearURL, EverywhereURL string }

// SaveSearch keeps a search beside the folders, or forgets one that is kept.
type SaveSearch struct {
	Query, Name, Back string
	Kept              bool
}

// SearchForm asks for words and where to look; Tips tell the words that narrow a search, before there is one.
type SearchForm struct {
	Query   string
	Account string // of the frame
	Wrong   string // what was not understood of it
	Folders []Option
	Tips    []HelpWord
	Recent  []Offer // searches of before
}

// MoveTo is the choice of a folder; Where keeps ids apart. Recent are those used last.
type MoveTo struct {
	Where           string
	Recent, Targets []Option
}

// Row is one mail of a list.
type Row struct {
	Key                                         string
	Ref                                         string // names it in forms: its UID, and its folder in a list over several
	UID                                         uint32
	URL, State, Name, Subject, Preview, Folder  string
	Whole                                       string // what Folder is short for, "" where it is not
	Date, ISO, Full, Day                        string
	Initials                                    string
	Hue, Count                                  int
	Unread, Flagged, Answered, Forwarded, Files bool
	Current                                     bool
	Find                                        Find
}

// Person is an address as it is shown.
type Person struct{ Name, Addr, Full string }

// Message is an opened mail.
type Message struct {
	UID, Validity                                     uint32
	Ref                                               string // as in its row
	Role                                              string
	Subject                                           string
	From                                              Person
	Froms, To, Cc, Bcc, ReplyTo                       []Person
	ToLine, Date, ISO, Full, List, State              string
	Initials                                          string
	Hue                                               int
	Flagged, CanAct, Forever                          bool
	Labels                                            []Label
	Warning                                           *Warning
	Noted                                             func() *Warning // what Stranger tells; nil for nothing
	Locked                                            bool            // the links of the mail
	Checked                                           string
	ReadAfter                                         int             // ms after which a script marks it read, 0 for never
	Trust                                             string          // where wishes about the sender are posted to
	Original, OriginalForAll                          bool            // the letter has the colours it was sent in
	WriteURL, AllFromURL                              string          // to and from the sender, "" without an address
	ContactURL                                        string          // "" when the sender is no contact
	KeptOut                                           func() *Blocked // what Blocked tells; nil for nothing
	Cards, CardsBelow                                 []Card
	Unsubscribe                                       *Unsubscribe
	Receipt                                           *Receipt
	ListArchive                                       string
	HTML                                              bool
	FrameTitle, BodyURL                               string
	Text                                              []Segment
	Nothing                                           bool
	Damaged, Kept                                     string
	Files                                             []File
	FilesWords, ZipURL, AttachURL                     string
	ActionURL, ListURL, NextURL, Here                 string
	NewerURL, OlderURL                                string
	ReplyListURL                                      string
	ReplyURL, ReplyAllURL, ForwardURL, ForwardFileURL string
	AgainURL, RedirectURL                             string
	PrintURL, SourceURL, EMLURL                       string
	Move                                              MoveTo

	Conversation  bool // acts mean all of it
	Letters       string
	Before, After []Letter
	Tools         *LetterTools // nil where it stands alone
	UnfoldURL     string
	TalkURL       string // its conversation, where it is shown alone
}

// Letter is another mail of an opened one's conversation: folded to a line, open, or several that are folded together.
type Letter struct {
	Row
	Ref    string
	Draft  bool
	Open   *Message
	Folded []Letter
}

// LetterTools are what can be done to one letter of a conversation alone.
type LetterTools struct {
	UID, Validity             uint32
	ActionURL, AloneURL, Here string
	ListURL                   string // where the person goes who wants it unread
}

// Unsubscribe is the way out of a list: a button, or a link.
type Unsubscribe struct {
	Words, AskURL, Back, LinkURL string
	Away                         bool // the link leads to another site
}

// Receipt asks whether a sender is to be told that their mail was read.
type Receipt struct{ Words, URL, Back string }

// Label is a keyword on a message, and as people read it.
type Label struct{ Name, Keyword string }

// Warning is the bar of a sender who may be somebody else.
type Warning struct{ Words, Meaning, LinksURL string }

// Stranger tells that a stranger asks for what strangers should not get, nil when not. It too is asked late.
func (m *Message) Stranger() *Warning {
	if m.Noted == nil {
		return nil
	}
	return m.Noted()
}

// Blocked tells what was kept out of the letter, nil for nothing. It is asked as late as the page can: the letter is
// made while the page is.
func (m *Message) Blocked() *Blocked {
	if m.KeptOut == nil {
		return nil
	}
	return m.KeptOut()
}

// Blocked tells of remote pictures that were not loaded, Words, and of those that only count readers, Trackers; either
// may be "".
type Blocked struct {
	Words, AllowURL, OnceURL, AlwaysWords, Back string
	Trackers                                    string
	TrackedBy                                   []string // who counts
}

// Card is something told in words.
type Card struct {
	Title      string
	Lines      []string
	Invitation *Invitation
	Contacts   *AttachedContacts
	Report     *Report
	Mail       *AttachedMail
}

// AttachedMail is a mail within a mail. URL is "" when there is no more of it than the card tells.
type AttachedMail struct{ Subject, From, Date, Text, URL string }

// Report tells what became of a mail.
type Report struct {
	Title, Words, Why, Next string
	Failed                  bool
	Details                 []string
	AgainURL                string // "" where there is nothing to write again
}

// AttachedContacts are the people of a vCard that came with a mail.
type AttachedContacts struct {
	People                []AttachedContact
	More, AddURL, Section string
}

// AttachedContact is one of them. WriteURL is "" without an address.
type AttachedContact struct {
	Name, About, WriteURL string
	Lines                 []string
}

// Invitation is an event that a mail brings.
type Invitation struct {
	Day, Month                        string // of its begin
	Summary, When, TheirTime, Repeats string
	Where, Organizer, Text            string
	Guests, Notes                     []string
	Changes                           []string // since the version before
	State, Bad                        string   // how it was answered; what is amiss
	AnswerURL, Section                string   // "" where there is nothing to answer
	Given                             string   // the name of the answer that was given
	Answers                           []InvitationAnswer
	SaveURL, Back                     string
}

// InvitationAnswer is a button that answers.
type InvitationAnswer struct {
	Name, Words string
	Given       bool
}

// Segment is a run of plain text of one quote depth.
type Segment struct {
	Depth     int
	Signature bool
	Pieces    []Piece
	Folded    []Segment // in the place of all else
	Image     *File     // a picture between texts, in the place of all else
}

// Piece is text, or a link when URL is set, and the words whose hits in it are marked.
type Piece struct{ Text, URL, Find string }

// FilePage shows a file of a mail. Kind is image, text, audio, video, zip, or anything else.
type FilePage struct {
	Head
	Name, Size, Kind, Warning          string
	Subject, BackURL, URL, DownloadURL string
	ImageURL, PrevURL, NextURL         string
	MediaURL, Text                     string
	Cut                                bool // there is more of the text
	Entries                            []FileEntry
	Words                              string // of an archive
	Mail                               *Message
}

func (FilePage) template() string { return "file.html" }

// AttachPage asks which files of a mail go into which draft.
type AttachPage struct {
	Frame
	ActionURL, BackURL, Subject string
	Files, Drafts               []Option
}

func (AttachPage) template() string { return "attach.html" }

// FileEntry is a file in an archive.
type FileEntry struct{ Name, Size, Warning string }

// File is an attachment.
type File struct {
	ID, Name, Size, Icon, Warning string
	URL, DownloadURL, ThumbURL    string
	Opens                         bool
	Bytes                         int64
}

// Compose is the form in which a mail is written.
type Compose struct {
	Frame
	DraftID                     string
	Rev                         int64
	Heading, ActionURL, BackURL string
	KeptWords, ServerSaid       string
	Errors                      []FieldError
	Asking                      *Asking
	Hidden                      []Field
	Identities                  []IdentityOption
	To, Cc, Bcc, Subject        string
	Body, HTML                  string
	ToWrong, CcWrong, BccWrong  string
	ToHint, CcHint, BccHint     string // where a domain looks mistyped, for pages without scripts
	Note                        string
	Other                       string // who else wrote the draft lately
	Foreign, ForeignURL         string // what another mail program did to its copy, and what it left
	Account                     int64  // whose copies of drafts the browser may open,
	CopyKey                     string // and with what: never kept in the browser
	Rich, FocusTo               bool
	People                      []Suggestion
	Canned                      []Option
	Redirect                    bool // a mail is sent on as it came
	Below                       bool // writing begins below the quote
	Files                       []File
	Halfway                     []Halfway
	LimitWords, TooBigWords     string
	FileLimit                   int64 // bytes that one file may have
	Limit                       int64 // bytes that all files may have together, 0 when it is not known
	Later                       []LaterChoice
	At, AtMin, AtMax            string // the wall clock to send at, in Zone
	Zone                        string
	Important                   bool
	Receipt, Delivery           bool // of reading, of delivery
}

func (Compose) template() string { return "compose.html" }

// Halfway is a file of which a part has come.
type Halfway struct {
	ID, Name, Words string
	Size, Modified  int64
}

// Thrown lists the drafts that were thrown away and can be brought back.
type Thrown struct {
	Frame
	Drafts  []ThrownDraft
	BackURL string
}

func (Thrown) template() string { return "thrown.html" }

// ThrownDraft is one of them.
type ThrownDraft struct{ ID, Subject, To, Preview, Files, When string }

// Suggestion is somebody, or a group, whom a mail may go to: as shown, and as written into the field.
type Suggestion struct{ Words, Text string }

// LaterChoice is a time to send at: the wall clock, its name, and when that is.
type LaterChoice struct{ Value, Words, When string }

// FieldError is one thing to mend in a form.
type FieldError struct{ Field, Words string }

// Asking is a question above Send.
type Asking struct {
	Name, Words string
	File        bool   // adding a file answers it
	Later       string // when it is to go out, "" for now
}

// IdentityOption is a From address to choose.
type IdentityOption struct {
	Value, Words             string
	Signature, SignatureHTML string // HTML where it is more than the text says
	Bcc                      string // who gets a hidden copy
	Below, Current           bool   // the signature stands below the quote
}

// Outbox lists what has been accepted and not yet proven sent.
type Outbox struct {
	Frame
	Items []OutboxItem
}

func (Outbox) template() string { return "outbox.html" }

// OutboxItem is one mail on its way.
type OutboxItem struct {
	ID                                           int64
	State, Label, Subject, To, Words, ServerSaid string
	Failed, AskPassword                          bool
	Fates, Refused                               []string
	PasswordURL, PasswordWords                   string // where the password of its own server is changed
	Acts                                         []OutboxAct
}

// OutboxAct is a button of an item.
type OutboxAct struct {
	Name, Words string
	Filled      bool
}

// Folders is the page on which folders are made and changed.
type Folders struct {
	Frame
	ActionURL, Problem, NewName string
	ServerSaid                  string
	Confirm                     *Confirm
	Parents                     []Option
	List                        []FolderItem
}

func (Folders) template() string { return "folders.html" }

// Confirm asks before something that cannot be undone.
type Confirm struct {
	Words, Name, Action, Button string
	Forever                     bool
}

// FolderItem is one folder with what can be done to it.
type FolderItem struct {
	Folder
	Key                   string
	Depth                 int
	Leaf, CountWords      string
	UnreadWords           string
	CanChange, Subscribed bool
	Open                  bool // its form is unfolded
}

// Settings is one group of settings.
type Settings struct {
	Frame
	Tab        string
	Tabs       []Option
	Problem    string
	S          SettingsFields
	Selects    []Select
	Checks     []Option
	Zones      []string
	ZoneNow    string
	Identities []IdentityCard
	Identity   *IdentityForm // instead of the list
	Locked     string        // what the admin keeps them from
	MayAdd     bool
	Templates  []Template // the last one is new
	Accounts   []AccountCard
	NewAccount *AccountForm // nil where none can be added
	NoMore     string       // and why
	Devices    []Device
	Trusted    []string
}

// Template is a text that a person writes again and again. Open shows its form.
type Template struct {
	ID                                  int64
	Name, Shortcut, Subject, Body, HTML string
	Open                                bool
}

// Canned are the templates of a person, filled for a letter.
type Canned struct {
	Head
	Templates []Template
}

func (Canned) template() string { return "canned" }

// AccountCard is an account of the person; one that is not Further is that which they sign in with.
type AccountCard struct {
	ID                             int64
	Address, URL, Servers, Trouble string
	Further                        bool
	Sent                           []Option // who puts copies of what is sent into Sent
}

// AccountForm is a further account that is to be added, as it was typed.
type AccountForm struct {
	Address, Username, Problem, ServerSaid string
	Found, Confirm                         []string // what was found of its servers, and what to know of them
	PasswordURL                            string   // a page about app passwords, "" for none
	OpenServer                             bool
	Servers                                []ServerForm
}

// ServerForm are the fields of one server; their names begin with Name.
type ServerForm struct {
	Name, Words, Host, Port, Usual string
	Securities                     []Option
}

func (Settings) template() string { return "settings.html" }

// Select is a named choice.
type Select struct {
	Name, Words string
	Options     []Option
}

// Device is a signed-in browser.
type Device struct {
	Key, Words, When string
	This             bool
}

// Help is the page of keys, search words and what is kept.
type Help struct {
	Frame
	Version string
	Keys    []HelpKey
	Words   []HelpWord
}

func (Help) template() string { return "help.html" }

// HelpKey is a shortcut and what it does.
type HelpKey struct {
	Keys  []string
	Words string
}

// HelpWord is a word of the search language.
type HelpWord struct{ Word, Words string }

// Leave asks before a link that lies about where it goes.
type Leave struct {
	Head
	Words, Host, ASCII, URL string
}

func (Leave) template() string { return "leave.html" }

// Print is a message on paper.
type Print struct {
	Head
	Message *Message
}

func (Print) template() string { return "print.html" }

// SettingsFields are the settings that are typed, not chosen.
type SettingsFields struct{ Name, TimeZone string }
