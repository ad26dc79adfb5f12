package demo

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

var moment = time.Date(2026, 11, 20, 14, 30, 0, 0, time.UTC)

func TestSampleMailIsAPersonsMailbox(t *testing.T) {
	s := start(t, Options{Mail: true, Now: moment})
	total := 0
	people := map[string]bool{}
	for _, box := range s.Mailboxes("anna@demo.test") {
		raws := s.Messages("anna@demo.test", box)
		unread := 0
		for _, f := range s.Flags("anna@demo.test", box) {
			if !strings.Contains(fmt.Sprint(f), `\Seen`) {
				unread++
			}
		}
		t.Logf("%-32s %3d, %2d unread", box, len(raws), unread)
		total += len(raws)
		for _, raw := range raws {
			m, err := mail.ReadMessage(bytes.NewReader(raw))
			if err != nil {
				t.Fatalf("%s: %v", box, err)
			}
			date, err := m.Header.Date()
			if err != nil || date.After(moment) || date.Before(moment.AddDate(0, -15, 0)) {
				t.Errorf("%s: %q is of %v (%v)", box, m.Header.Get("Subject"), date, err)
			}
			if from, err := mail.ParseAddress(m.Header.Get("From")); err == nil {
				people[from.Address] = true
			}
		}
	}
	ben := 0
	for _, box := range s.Mailboxes("ben@demo.test") {
		ben += len(s.Messages("ben@demo.test", box))
	}
	t.Logf("%d for anna, %d for ben, %d correspondents", total, ben, len(people))
	if total < 230 || ben < 35 || len(people) < 30 {
		t.Error("too few")
	}
}

func TestSampleMailIsTheSameEachTime(t *testing.T) {
	one, two := start(t, Options{Mail: true, Now: moment}), start(t, Options{Mail: true, Now: moment})
	for _, box := range one.Mailboxes("anna@demo.test") {
		a, b := one.Messages("anna@demo.test", box), two.Messages("anna@demo.test", box)
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Errorf("%s: message %d differs", box, i)
			}
		}
	}
}

func TestEverySampleCanBeFetched(t *testing.T) {
	s := start(t, Options{Mail: true, Now: moment})
	for _, user := range s.Users() {
		c := signedIn(t, s, user.Address, nil)
		for _, box := range s.Mailboxes(user.Address) {
			data := selected(t, c, box)
			if data.NumMessages == 0 {
				continue
			}
			got, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
				Envelope: true, UID: true, Flags: true, RFC822Size: true, InternalDate: true,
				BodyStructure: &imap.FetchItemBodyStructure{Extended: true},
				BodySection:   []*imap.FetchItemBodySection{{Peek: true}, {Peek: true, Part: []int{1}}},
			}).Collect()
			if err != nil {
				t.Fatalf("%s: %v", box, err)
			}
			if len(got) != int(data.NumMessages) {
				t.Errorf("%s: %d of %d", box, len(got), data.NumMessages)
			}
			for _, m := range got {
				if len(m.Envelope.From) != 1 || m.BodyStructure == nil || len(m.FindBodySection(&imap.FetchItemBodySection{Peek: true, Part: []int{1}})) == 0 {
					t.Errorf("%s: %q is not whole", box, m.Envelope.Subject)
				}
			}
		}
	}
}

func TestSamplesAreFoundInTheirOwnScripts(t *testing.T) {
	s := start(t, Options{Mail: true, Now: moment})
	c := signedIn(t, s, "anna@demo.test", nil)
	selected(t, c, "INBOX")
	for _, words := range []string{"お茶会", "展覧会", "شكراً", "лоции", "灯塔", "Rouladen", "🦀"} {
		data, err := c.UIDSearch(&imap.SearchCriteria{Text: []string{words}}, nil).Wait()
		must(t, err)
		if len(data.AllUIDs()) == 0 {
			t.Errorf("%s is not found", words)
		}
	}
}
