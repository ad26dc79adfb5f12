package templates

// Contacts is the list of contacts, with one thing beside it.
type Contacts struct {
	Frame
	Title, CountWords string
	Filter            string
	Group             int64 // whose members are shown, 0 for all
	Groups            []Option
	Sections          []ContactSection
	Letters           []Option
	Range             string
	Newer, Older      string
	EmptyWords        string
	Back              string // this list

	Person    *ContactSheet // one of these, or none
	Form      *ContactForm
	Strangers *ContactStrangers
	Doubles   *ContactDoubles
	Import    *ContactImport
}

func (Contacts) template() string { return "contacts.html" }

// Beside says whether something stands beside the list.
func (c Contacts) Beside() bool {
	return c.Person != nil || c.Form != nil || c.Strangers != nil || c.Doubles != nil || c.Import != nil
}

// ContactSection are the contacts of one letter.
type ContactSection struct {
	Letter string
	Rows   []ContactRow
}

// ContactRow is one contact of a list.
type ContactRow struct {
	ID                        int64
	Name, Line, URL, Initials string
	Hue                       int
	Current                   bool
}

// ContactSheet is all that is known of somebody.
type ContactSheet struct {
	Name, Initials, Company, Position, Nickname, Birthday, Note string
	Hue                                                         int
	Addresses, Phones, Places, Sites                            []ContactValue
	Groups                                                      []Option
	WriteURL, AllURL, EditURL, ActionURL, Back                  string
}

// ContactValue is an address, a number and so on; URL is what a press does.
type ContactValue struct{ Label, Text, URL string }

// ContactForm is the form in which somebody is changed, or kept.
type ContactForm struct {
	Title, Problem, ActionURL, CancelURL, Back        string
	Name, Nickname, Company, Position, Birthday, Note string
	Addresses, Phones, Places, Sites                  []ContactField
	Groups                                            []Option
	Have                                              *ContactRow // is there already with one of the addresses
}

// ContactField is one of several fields of a kind.
type ContactField struct {
	Key, Name, Text string
	Labels          []Option
}

// ContactStrangers are people written to who are not kept.
type ContactStrangers struct {
	Rows []Stranger
	More string
}

// Stranger is one of them. Given is the name they are known by, "" for none.
type Stranger struct {
	Name, Given, Address, Words, Initials string
	Hue                                   int
}

// ContactDoubles are sets of contacts that are one person; Count is how many there are in all.
type ContactDoubles struct {
	Count int
	Sets  []ContactDouble
}

// ContactDouble is one set.
type ContactDouble struct {
	IDs    []int64
	People []ContactRow
}

// First names the set in forms.
func (d ContactDouble) First() int64 { return d.IDs[0] }

// ContactImport asks for a file, shows what is in it, or tells what came of it.
type ContactImport struct {
	Problem               string
	File, URL, CountWords string
	Columns               []ContactColumn
	Sample                []ContactRow
	Faults                []string
	Pictures              string
	Doubles               []ContactTwins
	CanTake, Done         bool
}

// ContactColumn is a column of a table, with what it may mean.
type ContactColumn struct {
	Key, Head, Sample string
	Fields            []Option
}

// ContactTwins are those of a file who are somebody already; More says how many are not shown.
type ContactTwins struct {
	Words string
	Pairs []ContactPair
	More  string
}

// ContactPair is somebody of a file who is kept already, or stands in it before: that one has no URL.
type ContactPair struct{ Key, Name, Have, URL string }
