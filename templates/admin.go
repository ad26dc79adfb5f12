package templates

// AdminFrame is the furniture around an admin's page.
type AdminFrame struct {
	Head
	Name     string
	Places   []AdminPlace
	Said     string // what was just done
	NoFactor bool
}

// AdminPlace is a page in the list at the side.
type AdminPlace struct {
	Words, URL, Icon string
	Current          bool
}

// AdminLogin is the sign-in of admins: the password, or the second factor.
type AdminLogin struct {
	Head
	Factor   bool
	Name, To string
	Problem  string
}

func (AdminLogin) template() string { return "adminlogin.html" }

// Factor is a second factor that is being set up. Codes are there once it holds.
type Factor struct {
	QR    string // the path of an SVG, Size units wide
	Size  int
	Key   string
	Codes []string
}

// AdminAccount is an admin's own page.
type AdminAccount struct {
	AdminFrame
	Has     bool // a second factor
	Factor  *Factor
	Codes   []string
	Problem string
}

func (AdminAccount) template() string { return "adminaccount.html" }

// SetupLink is the page of a set-up link: a button, or why it is over, or that all is done.
type SetupLink struct {
	Head
	URL      string
	HasAdmin bool // who meets a link that is over can sign in
	Over     string
	Done     string // the address to go to
}

func (SetupLink) template() string { return "setuplink.html" }

// Setup is a step of the set-up; one of its parts is there.
type Setup struct {
	Head
	Step, Back, FormURL string
	Problem             string
	Owner               *SetupOwner
	Site                *SetupSite
	Card                *DomainCard
	Stay                []string // domains of the configuration
	Test                *DomainTest
	Finish              *SetupFinish
}

func (Setup) template() string { return "setup.html" }

// SetupOwner asks who will be the admin. Has: a password was given.
type SetupOwner struct {
	Name   string
	Has    bool
	Min    int
	Factor *Factor
}

// SetupSite asks for the site's address.
type SetupSite struct {
	URL   string
	Fixed bool
	Lines []TestLine
}

// SetupFinish says what will be.
type SetupFinish struct {
	Lines     []string
	Data, Key string
}

// TestLine is one thing that was looked at. State is ok, warn, bad or unknown.
type TestLine struct{ State, Words, Detail, Do, Said string }

// DomainTest tries a domain out. Mark, while it runs, stands where its lines will.
type DomainTest struct {
	Mark                     string
	Domain, Address, FormURL string
	Nothing                  bool
	Beside                   bool   // the page is about something else
	Provider                 string // at which its people sign in: no password is there to be tested with
	Lines                    []TestLine
}

// DomainCard is a domain's servers, as they were found and as they will be.
type DomainCard struct {
	FormURL, Domain   string
	Known             bool // something was looked for
	Admin             bool // on a page of admins, not in the set-up
	Kept              bool // it is set up already: its name stays
	Rows              []DomainRow
	Others            []DomainOther
	Looked            []string
	HasCA             bool
	Local, OtherLogin bool
	Authserv          string
	OAuth             DomainOAuth
}

// DomainOAuth is the provider at which the people of a domain sign in.
type DomainOAuth struct {
	Kinds                            []Option
	ClientID, Tenant, Issuer, Scopes string
	HasSecret                        bool
	Redirect                         string // where it sends people back to; "" is not known yet
	Open                             bool
}

// DomainRow is one service.
type DomainRow struct {
	ID, Label, Proto string
	Host, Mode       string
	Port             int
	Security         []Option
	Source           string
	State            string // ok, warn, bad, unknown or none
	Words, Said      string
	Certificate      string
	Fingerprint      string
	Pinned, Needed   bool
}

// DomainOther is a finding that disagrees.
type DomainOther struct{ Words, Value string }

// AdminNeed is something that needs a hand. State is bad or warn.
type AdminNeed struct{ State, Words, URL, Link string }

// AdminNews is something of another admin that is to be known.
type AdminNews struct{ About, Kind, Words string }

// AdminOverview is the first page of admins.
type AdminOverview struct {
	AdminFrame
	Lines []string
	News  []AdminNews
	Needs []AdminNeed
}

func (AdminOverview) template() string { return "adminoverview.html" }

// AdminDomain is a domain in the list. State is ok, warn, bad or unknown; Wrong says why.
type AdminDomain struct {
	Name, URL, Note, State string
	LimitsURL              string // where it has no page of its own
	SendersURL             string
	Lines, Wrong           []string
}

// AdminDomains lists the domains.
type AdminDomains struct {
	AdminFrame
	Domains []AdminDomain
}

func (AdminDomains) template() string { return "admindomains.html" }

// AdminDomainPage is one domain.
type AdminDomainPage struct {
	AdminFrame
	Change     *DomainChange
	Card       DomainCard
	Kept       bool
	Test       *DomainTest
	Limits     *LimitForm
	Problem    string
	SendersURL string
}

// DomainChange is what an admin wants of a domain, and another has to agree to. At names it in the form.
type DomainChange struct {
	Words, FormURL, At string
	Lines              []string
	Own, MayAgree      bool
}

func (AdminDomainPage) template() string { return "admindomain.html" }

// AdminPerson is a user in the list.
type AdminPerson struct {
	Address, URL string
	Lines        []string
	Locked       bool
}

// AdminPersonPage is one user. Holds is what would be removed.
type AdminPersonPage struct {
	AdminFrame
	Address, FormURL, SessionsURL string
	Lines, Holds                  []string
	Locked, SignedIn              bool
	Limits                        LimitForm
	Senders                       []IdentityCard
	Provider                      bool // signs in at one
	Problem                       string
}

func (AdminPersonPage) template() string { return "adminperson.html" }

// AdminPeople lists who has signed in.
type AdminPeople struct {
	AdminFrame
	Query, More string
	People      []AdminPerson
}

func (AdminPeople) template() string { return "adminpeople.html" }

// LimitRow is a limit in its form. An empty Value is none.
type LimitRow struct {
	ID, Words, Unit  string
	Value, Was, Hint string // Was is what is kept
	Wrong            string
	Fixed            bool // the configuration's
}

// LimitGroup are the limits of one kind.
type LimitGroup struct {
	Words, About string // About is what there is to know of them, mostly nothing
	Rows         []LimitRow
}

// LimitForm sets the limits of a domain, of a person, or where neither is named of the site.
type LimitForm struct {
	Domain, Person, Back string
	Some                 bool // is set
	Groups               []LimitGroup
}

// Wrong are the rows that cannot be taken.
func (f LimitForm) Wrong() (out []LimitRow) {
	for _, g := range f.Groups {
		for _, r := range g.Rows {
			if r.Wrong != "" {
				out = append(out, r)
			}
		}
	}
	return out
}

// AdminLimits shows the limits of the site, and who has others; or those of one domain or person.
type AdminLimits struct {
	AdminFrame
	Site    bool
	Form    LimitForm
	Own     []AdminDomain
	Problem string
}

func (AdminLimits) template() string { return "adminlimits.html" }

// AdminSession is a browser that is signed in.
type AdminSession struct {
	Key                            string
	User                           int64
	Address, Device, Network, Seen string
}

// AdminSessions lists them.
type AdminSessions struct {
	AdminFrame
	Some       bool // of one user
	Here, More string
	Sessions   []AdminSession
}

func (AdminSessions) template() string { return "adminsessions.html" }

// AuditRow is something that was done.
type AuditRow struct {
	When, Who, What, Object, Network string
}

// AdminAudit lists what was done.
type AdminAudit struct {
	AdminFrame
	Query, More, CSV, Chain string
	Broken                  bool
	Verbs                   []Option
	Rows                    []AuditRow
}

func (AdminAudit) template() string { return "adminaudit.html" }

// AdminSite holds the address of the site.
type AdminSite struct {
	AdminFrame
	Site    SetupSite
	Problem string
}

func (AdminSite) template() string { return "adminsite.html" }

// AdminHealth shows what the doctor found.
type AdminHealth struct {
	AdminFrame
	Bad, Noted  bool // something is wrong, or should be known
	Lines, Site []TestLine
}

func (AdminHealth) template() string { return "adminhealth.html" }

// AdminSenders is what an admin says of the sender addresses of a domain's people.
type AdminSenders struct {
	AdminFrame
	Problem, Domain, FormURL, BackURL string
	Locks                             []Option
	Tags, Any                         bool
	Name, Organization                string
	Signature, SignHTML               string
	Footer, FooterHTML                string
}

func (AdminSenders) template() string { return "adminsenders.html" }
