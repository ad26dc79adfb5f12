package compose

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"restante/mailclient/message"
)

// InvitationReply is the calendar object that answers an invitation (RFC 5546 3.2.3): answer is ACCEPTED, TENTATIVE or
// DECLINED, comment a word to the organiser or "". Each value of the invitation is written anew, none is copied.
func InvitationReply(e *message.Event, me Address, answer, comment string, now time.Time) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			folded(&b, name+":"+value)
		}
	}
	line("BEGIN", "VCALENDAR")
	line("PRODID", "-//Restante//EN")
	line("VERSION", "2.0")
	line("METHOD", "REPLY")
	line("BEGIN", "VEVENT")
	line("UID", calendarText(e.UID))
	line("SEQUENCE", strconv.Itoa(max(e.Sequence, 0)))
	line("DTSTAMP", now.UTC().Format(calendarMoment))
	line(calendarWhen("RECURRENCE-ID", e.Recurrence))
	line(calendarWhen("DTSTART", e.Start))
	if end := e.End; end.Day {
		end.Time = end.Time.AddDate(0, 0, 1)
		line(calendarWhen("DTEND", end))
	} else {
		line(calendarWhen("DTEND", end))
	}
	line("ORGANIZER"+calendarName(e.Organizer.Name), "mailto:"+calendarAddr(e.Organizer.Addr))
	line("ATTENDEE"+calendarName(me.Name)+";PARTSTAT="+answer, "mailto:"+calendarAddr(me.Addr))
	line("COMMENT", calendarText(comment))
	line("END", "VEVENT")
	line("END", "VCALENDAR")
	return b.String()
}

const calendarMoment = "20060102T150405Z"

// calendarWhen is a property of a time: in UTC where the moment is known, else as the invitation has it.
func calendarWhen(name string, w message.When) (string, string) {
	switch {
	case w.Time.IsZero():
		return name, ""
	case w.Day:
		return name + ";VALUE=DATE", w.Time.Format("20060102")
	case w.Known:
		return name, w.Time.UTC().Format(calendarMoment)
	case w.Zone != "":
		name += `;TZID="` + quoted(w.Zone) + `"`
	}
	return name, w.Time.Format("20060102T150405")
}

func calendarName(name string) string {
	if name = quoted(name); name == "" {
		return ""
	}
	return `;CN="` + name + `"`
}

// quoted is what a quoted parameter can hold (RFC 5545 3.2).
func quoted(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// calendarAddr is an address in a URI: nothing in it can end the line or begin a parameter.
func calendarAddr(addr string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`"<>\^`+"`{|}", r) {
			return -1
		}
		return r
	}, addr)
}

// calendarText escapes a text (RFC 5545 3.3.11).
func calendarText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// folded writes a line, cut between runes into pieces of at most 75 octets (RFC 5545 3.1).
func folded(b *strings.Builder, s string) {
	for most := 75; len(s) > most; most = 74 {
		at := most
		for at > 0 && !utf8.RuneStart(s[at]) {
			at--
		}
		at = cmp.Or(at, most)
		b.WriteString(s[:at] + "\r\n ")
		s = s[at:]
	}
	b.WriteString(s + "\r\n")
}
