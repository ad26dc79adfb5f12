package compose_test

import (
	"strings"
	"testing"
	"time"

	"restante/mailclient/compose"
	"restante/mailclient/message"
)

// TestAnAnswerHoldsNoLinesOfTheInvitation: whatever the invitation says, the answer has its own lines alone, none longer
// than 75 octets, and reads as it was meant.
func TestAnAnswerHoldsNoLinesOfTheInvitation(t *testing.T) {
	evil := "x\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:evil@x\r\nBEGIN:VEVENT\";:,\\ä" + strings.Repeat("ü", 100)
	e := &message.Event{UID: evil, Sequence: -1, Start: message.When{Time: time.Date(2027, 1, 5, 9, 0, 0, 0, time.UTC), Zone: evil}, Recurrence: message.When{Time: time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC), Day: true},
		Organizer: message.Address{Name: evil, Addr: "ben@x.test\r\nX-EVIL:1"}}
	out := compose.InvitationReply(e, compose.Address{Name: evil, Addr: "anna@x.test"}, "DECLINED", evil, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, " ") && strings.HasPrefix(line, "X-EVIL") {
			t.Errorf("a line is %q", line)
		}
	}
	if n := strings.Count(strings.ReplaceAll(out, "\r\n ", ""), "\r\nATTENDEE"); n != 1 {
		t.Errorf("%d people answer", n)
	}
	m := message.Read([]byte("Content-Type: text/calendar; method=REPLY\r\n\r\n" + out))
	card := m.Blocks[0].Card
	if got := card.Event; len(got.Attendees) != 1 || got.Attendees[0].Addr != "anna@x.test" || got.Attendees[0].Answer != "DECLINED" || !got.Recurrence.Day || got.Sequence != 0 || card.Fields["method"] != "declined" {
		t.Errorf("it reads as %+v", got)
	}
}
