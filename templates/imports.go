package templates

// Imports are the POP3 sources of a person, and the form for a new one.
type Imports struct {
	Frame
	Sources   []Source
	Form      SourceForm
	Fold      bool     // the form is folded away
	Mailboxes []Option // for mails from files
}

func (Imports) template() string { return "imports.html" }

// SourceForm is the form of a new source.
type SourceForm struct {
	Host, Port, Username, Days       string
	BadDays                          bool
	Once, MarkRead, APOP, OpenServer bool
	Problem, ServerSaid              string
	Found, Confirm                   string // which server was found, and what is to be looked at
	Others                           []string
	Provider, ProviderHint           string // the button that leads to the provider, in the place of the password
	PasswordURL                      string // a page about app passwords
	Securities, Keeps, Mailboxes     []Option
}

// Source is a mailbox that is imported from.
type Source struct {
	ID                           int64
	Name, Host, Server           string
	ActionURL                    string
	Words, Next, ServerSaid      string
	Bad, Goes, Paused            bool
	Held                         bool // by an admin
	Total, At, Percent           int  // of a run that goes on, 0 for none
	AskPassword                  bool
	Provider                     string // the button that leads to it; "" where there is a password
	Deletions, Costly            string // what will be deleted there; that to leave it there costs time
	Ask                          *SourceAsk
	Port, Days                   string
	Wrong                        string // with what was typed to change it
	BadDays                      bool
	Once, MarkRead, APOP         bool
	Securities, Keeps, Mailboxes []Option
	History                      []SourceRun
	Failed                       []SourceMail
	FailedWords                  string
}

// SourceAsk asks before mails are deleted at a source.
type SourceAsk struct {
	ID          int64
	Words, Keep string
	Days        int
}

// SourceRun is one look into a source.
type SourceRun struct{ When, Words, ServerSaid string }

// SourceMail is a mail that was not brought over.
type SourceMail struct {
	ID                               int64
	Subject, Size, Words, ServerSaid string
	Doubtful                         bool
}
