package main

import (
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// invites is a mail with an invitation from one person to another; more are lines of the event.
func invites(from, to testmail.User, subject, method string, more ...string) string {
	return strings.ReplaceAll("From: Ben <"+from.Address+">\nTo: "+to.Address+"\nSubject: "+subject+"\nMessage-ID: <"+strings.ReplaceAll(subject, " ", ".")+"@demo.test>\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n"+
		"--b\nContent-Type: text/plain\n\nCome.\n--b\nContent-Type: text/calendar; charset=utf-8; method="+method+"\n\nBEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:"+method+"\n"+
		"BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:harbour\\,1@demo.test\nSEQUENCE:3\nSUMMARY:"+subject+"\nLOCATION:The pier\nORGANIZER;CN=Ben:mailto:"+from.Address+
		"\nATTENDEE;CN=Zed;PARTSTAT=ACCEPTED:mailto:zed@demo.test\nATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:MAILTO:"+strings.ToUpper(to.Address)+"\n"+strings.Join(more, "\n")+"\nEND:VEVENT\nEND:VCALENDAR\n--b--\n", "\n", "\r\n")
}

const oneHour = "DTSTART;TZID=W. Europe Standard Time:20270105T090000\nDTEND;TZID=W. Europe Standard Time:20270105T100000"

// TestAnInvitationIsAnsweredByMail: the organiser's calendar gets what RFC 5546 asks for, the card says what was
// answered, and another answer takes its place.
func TestAnInvitationIsAnsweredByMail(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, invites(ben, anna, "Boats", "REQUEST", oneHour, "RECURRENCE-ID;TZID=W. Europe Standard Time:20270105T080000"))
	s := newSite(t, srv, testdb.SQLite(t), nil)
	v := s.signIn(anna)
	v.open("Boats").want(200)
	v.says("[class=card tear]", "Tuesday, 5 January 2027, 08:00–09:00 UTC")
	v.says("[class=card tear]", "By the clock of W. Europe Standard Time: Tuesday, 5 January 2027, 09:00–10:00")
	v.says("[class=card tear]", "one date of a series")
	v.says("[data-changes]", "Time before: Tuesday, 5 January 2027, 07:00 UTC")
	v.says("[class=card tear]", "Zed · accepted")
	v.formAround("button[value=accepted]").set("note", "With cake; and, tea").press("answer", "accepted").want(200)
	if v.says("[class=card tear]", "You have accepted."); !v.has("button[value=accepted][aria-pressed=true]") {
		t.Error("the button does not tell which answer was given")
	}

	other := s.signIn(ben)
	eventually(t, "the answer arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row("Accepted: Boats") != "" })
	uid := other.row("Accepted: Boats")
	other.get("/mail/2/INBOX/" + uid + "/source").want(200)
	raw := strings.ReplaceAll(strings.ReplaceAll(string(other.body), "=\r\n", ""), "=3D", "=")
	raw = strings.ReplaceAll(raw, "\r\n ", "")
	for _, line := range []string{"Content-Type: text/calendar; method=REPLY; charset=utf-8", "METHOD:REPLY", `UID:harbour\,1@demo.test`, "SEQUENCE:3", "RECURRENCE-ID:20270105T070000Z",
		"DTSTART:20270105T080000Z", `ORGANIZER;CN="Ben":mailto:` + ben.Address, ";PARTSTAT=ACCEPTED:mailto:" + anna.Address, `COMMENT:With cake\; and\, tea`, "In-Reply-To: <Boats@demo.test>"} {
		if !strings.Contains(raw, line) {
			t.Errorf("the answer lacks %q:\n%s", line, raw)
		}
	}
	other.get("/mail/2/INBOX/"+uid).want(200).says("[class=card tear]", "accepts.")
	if other.has("button[value=accepted]") {
		t.Error("an answer can be answered")
	}

	talk := srv.Talk(t, anna)
	eventually(t, "the mail is marked", func() bool {
		talk.Do("SELECT INBOX")
		return strings.Contains(strings.Join(talk.Do("UID FETCH 1 (FLAGS)"), " "), "$InvitationAccepted")
	})
	v.get("/mail/1/INBOX/1").formAround("button[value=declined]").press("answer", "declined").want(200)
	eventually(t, "the card tells it", func() bool {
		return strings.Contains(strings.Join(v.get("/mail/1/INBOX/1").want(200).texts("[class=card tear]"), " "), "You have declined.")
	})
	eventually(t, "the other answer arrives too", func() bool { return other.get("/mail/2/INBOX").want(200).row("Declined: Boats") != "" })
	eventually(t, "the mail is marked anew", func() bool {
		flags := strings.Join(talk.Do("UID FETCH 1 (FLAGS)"), " ")
		return strings.Contains(flags, "$InvitationDeclined") && !strings.Contains(flags, "$InvitationAccepted")
	})
	if v.get("/mail/1/Sent").want(200); v.row("Declined: Boats") == "" {
		t.Error("there is no copy in Sent")
	}
}

// TestAnAnswerToAnInvitationIsTakenBack in time: nothing leaves, and the card asks again.
func TestAnAnswerToAnInvitationIsTakenBack(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, invites(ben, anna, "Boats", "REQUEST", oneHour))
	s := newSite(t, srv, testdb.SQLite(t), func(c *config.Config) { c.UndoSeconds = 60 })
	v := s.signIn(anna)
	v.open("Boats").formAround("button[value=accepted]").press("answer", "accepted").want(200)
	v.says("[class=card tear]", "Your answer goes out at")
	v.formAround("button[value=tentative]").press("answer", "tentative").want(200)
	v.says("[class=card tear]", "You have answered “maybe”.")
	undo := v.formAround("button[data-undo]")
	v.get("/outbox").want(200)
	if n := len(v.all("[data-outbox]")); n != 1 {
		t.Errorf("%d answers wait, not the last one alone", n)
	}
	undo.press("", "").want(200)
	if v.has("button[aria-pressed]") || !v.has("button[value=accepted]") {
		t.Error("the card does not ask again")
	}
	if v.get("/outbox").want(200); v.has("[data-outbox]") {
		t.Error("something waits still")
	}
}

// TestAnInvitationThatCannotBeAnswered says why, and offers no buttons.
func TestAnInvitationThatCannotBeAnswered(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, invites(ben, anna, "Gone", "CANCEL", oneHour), invites(ben, ben, "Theirs", "REQUEST", oneHour), invites(anna, anna, "Own", "REQUEST", oneHour),
		invites(ben, anna, "Days", "PUBLISH", "DTSTART;VALUE=DATE:20270105\nDTEND;VALUE=DATE:20270108\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=5"))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	for subject, words := range map[string][]string{
		"Gone": {"Cancelled", "This event was cancelled."}, "Theirs": {"None of your addresses is asked"}, "Own": {"08:00–09:00"},
		"Days": {"Tuesday, 5 January 2027 – Thursday, 7 January 2027", "every 2 weeks on Monday, Wednesday, 5 times"},
	} {
		v.get("/mail/1/INBOX").open(subject).want(200)
		for _, w := range words {
			v.says("[class=card tear]", w)
		}
		if v.has("button[name=answer]") {
			t.Errorf("%s can be answered", subject)
		}
		v.follow("a[data-save]").want(200)
		if kind := v.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/calendar") || !strings.Contains(string(v.body), "BEGIN:VEVENT") || !strings.Contains(v.header.Get("Content-Disposition"), ".ics") {
			t.Errorf("%s is saved as %s, %s", subject, kind, v.header.Get("Content-Disposition"))
		}
	}
}

// TestAnInvitationThatWasChangedTellsWhat: against the version before, where that lies in the folder, and how that was
// answered.
func TestAnInvitationThatWasChangedTellsWhat(t *testing.T) {
	srv := testmail.Demo(t)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	weekly := func(at, more string) string {
		return "DTSTART;TZID=W. Europe Standard Time:" + at + "\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5" + more
	}
	newer := func(raw string) string {
		return strings.NewReplacer("SEQUENCE:3", "SEQUENCE:4", "The pier", "The yard", "Message-ID: <", "Message-ID: <newer.").Replace(raw)
	}
	const dropped = "\nEXDATE;TZID=W. Europe Standard Time:20270112T100000,20270119T100000"
	srv.Deliver(t, anna, invites(ben, anna, "Boats", "REQUEST", weekly("20270105T090000", "")),
		strings.ReplaceAll(invites(ben, anna, "Boats again", "REQUEST", oneHour), "harbour", "another"), invites(ben, anna, "Old", "REQUEST", oneHour))
	v := newSite(t, srv, testdb.SQLite(t), nil).signIn(anna)
	v.get("/mail/1/INBOX/1").formAround("button[value=tentative]").press("answer", "tentative").want(200)
	srv.Deliver(t, anna, newer(invites(ben, anna, "Boats", "REQUEST", weekly("20270105T100000", dropped))), newer(invites(ben, anna, "Unheard", "REQUEST", oneHour)),
		newer(strings.Replace(invites(ben, anna, "Old", "REQUEST", oneHour), "LOCATION:The pier\r\n", "", 1)))
	eventually(t, "the newer ones arrive", func() bool { return v.get("/mail/1/INBOX").want(200).row("Unheard") != "" })
	v.get("/mail/1/INBOX/4").want(200)
	for _, w := range []string{"What has changed", "Time before: Tuesday, 5 January 2027, 08:00–09:00 UTC", "Place before: The pier", "No longer on: 12", "You had answered the version before with “maybe”."} {
		v.says("[class=card tear]", w)
	}
	if said := strings.Join(v.texts("[data-changes]"), " "); strings.Contains(said, "Title") || strings.Contains(said, "Repeats") {
		t.Errorf("it tells of what is the same: %s", said)
	}
	v.get("/mail/1/INBOX/5").want(200).says("[class=card tear]", "changed since it was first made")
	v.get("/mail/1/INBOX/6").want(200).says("[data-changes]", "Place before: The pier")
	v.get("/mail/1/INBOX/1").want(200)
	if v.has("[data-changes]") {
		t.Error("the first version tells of changes")
	}
}
