package demo

import (
	"cmp"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// sampler gathers the sample mail of one person. The same now gives the same mail.
type sampler struct {
	me      mail.Address
	now     time.Time
	letters []*letter
}

// fill puts the sample mail into a new account: Anna's for the first address, Ben's for
// every other.
func (a *account) fill(now time.Time) error {
	s := &sampler{me: mail.Address{Name: a.user.Name, Address: a.user.Address}, now: now.Truncate(time.Second)}
	if strings.HasPrefix(a.user.Address, "anna@") {
		s.anna()
	} else {
		s.ben()
	}
	slices.SortStableFunc(s.letters, func(x, y *letter) int { return cmp.Compare(x.date.Unix(), y.date.Unix()) })
	for _, l := range s.letters {
		if err := a.place(l); err != nil {
			return err
		}
	}
	return nil
}

func (s *sampler) anna() {
	s.conversations("anna.txt")
	s.conversations("deutsch.txt")
	s.conversations("sent.txt")
	s.junk()
	s.newsletters()
	s.orders()
	s.invoices()
	s.notices()
	s.withFiles()
	s.unusual()
	s.world()
}

func (s *sampler) ben() {
	s.conversations("ben.txt")
	s.benNotices()
}

// place adds one letter, making its mailbox when there is none.
func (a *account) place(l *letter) error {
	c, err := a.keep(l.bytes())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	box := a.boxes[l.box]
	if box == nil {
		a.createParents(l.box)
		box = a.addBox(l.box, "")
	}
	a.add(box, c, l.date, imapFlags(l.flags))
	return nil
}

func imapFlags(words string) []imap.Flag {
	var flags []imap.Flag
	for _, w := range strings.Fields(words) {
		switch w {
		case "seen":
			flags = append(flags, imap.FlagSeen)
		case "flagged":
			flags = append(flags, imap.FlagFlagged)
		case "answered":
			flags = append(flags, imap.FlagAnswered)
		case "draft":
			flags = append(flags, imap.FlagDraft)
		case "forwarded":
			flags = append(flags, imap.FlagForwarded)
		}
	}
	return flags
}

// put adds a letter that is so many hours old; without a recipient it is to the person.
func (s *sampler) put(box, flags string, hours float64, l letter) *letter {
	l.box, l.flags = box, flags
	l.date = s.now.Add(-time.Duration(hours * float64(time.Hour)))
	if l.to == nil {
		l.to = []mail.Address{s.me}
	}
	s.letters = append(s.letters, &l)
	return &l
}

// address makes an address from a name: "Lena Brandt" writes from lena.brandt at her host.
func address(name string) mail.Address {
	if host, ok := hosts[name]; ok {
		return mail.Address{Name: name, Address: host}
	}
	local := strings.NewReplacer(" ", ".", "ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "ł", "l",
		"ç", "c", "ã", "a", "í", "i", "ó", "o", "ø", "oe", "'", "").Replace(strings.ToLower(name))
	domains := []string{"example.org", "example.net", "mail.example", "post.example"}
	return mail.Address{Name: name, Address: local + "@" + domains[len(name)%len(domains)]}
}

// hosts are the addresses that do not follow from a name.
var hosts = map[string]string{
	"Ben Okafor":  "ben@demo.test",
	"Anna Keller": "anna@demo.test",
	"Mama":        "heidi.keller@post.example",
}
