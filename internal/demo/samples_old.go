package demo

import (
	"fmt"
	"math/rand/v2"
	"net/mail"
	"time"
)

// oldLetters are what people wrote to Anna's old address, and how they began.
var oldLetters = []struct{ from, subject, text string }{
	{"Lena Brandt", "The key", "I have left the key with your neighbour. She is in until six."},
	{"Mama", "Sunday", "We eat at one. Bring the big bowl, and an appetite."},
	{"Omar Haddad", "Minutes of the meeting", "Attached is nothing at all, as I forgot it. Here is what I remember:\n\n- the roof waits for spring\n- the bicycles do not"},
	{"Ben Okafor", "Train on Friday", "16:32 from platform 9, coach 4. I shall be the one with two coffees."},
	{"Sofia Lindqvist", "Your seeds", "They have come up! All but the basil, of course."},
	{"Library", "Due tomorrow", "\"The Rings of Saturn\" is due back tomorrow. You can keep it for two more weeks by answering this mail."},
	{"Karl Weiss", "Piano", "The tuner comes on the 12th, some time between eight and the end of the world."},
	{"Lena Brandt", "Photos from the lake", "I am sorting them still. You blinked in most, but so did the lake."},
}

const (
	oldCount = 40 // mails in the old mailbox
	oldFilm  = 3_700_000
)

// oldMails fills the old mailbox: letters of past years, two that the server gives the same UID, one without any, one
// full of dots, and one of 5 MB.
func oldMails(now time.Time) func() []oldMail {
	return func() (out []oldMail) {
		me := mail.Address{Name: OldUser.Name, Address: OldUser.Address}
		for i := range oldCount {
			of := oldLetters[i%len(oldLetters)]
			l := letter{from: address(of.from), to: []mail.Address{me}, subject: of.subject, date: now.AddDate(-3, 0, 0).Add(time.Duration(i) * 211 * time.Hour), text: of.text + "\n"}
			if i >= len(oldLetters) {
				l.subject = fmt.Sprintf("%s (%d)", of.subject, i/len(oldLetters)+1)
			}
			uid := fmt.Sprintf("old-%04x", 0x1a00+i*7)
			switch i {
			case 11: // the server was moved once, and gave a number twice
				uid = out[10].uid
			case 17:
				uid = ""
			case 23:
				l.subject, l.text = "Dots", ".\n..\nIn between a line,\n.and one that begins with a dot.\n...\n.\n"
			case 31:
				film := make([]byte, oldFilm)
				_, _ = rand.NewChaCha8([32]byte{'o', 'l', 'd'}).Read(film) // never fails
				l.subject, l.files = "The film of the garden", []file{{name: "garden.mp4", media: "video/mp4", data: film}}
			}
			out = append(out, oldMail{uid: uid, raw: l.bytes()})
		}
		return out
	}
}
