package message

import (
	"strconv"
	"strings"
	"time"
)

// Event is the event or task of a calendar part (RFC 5545 3.6), as far as an answer to it needs (RFC 5546). Its texts
// are one line each, without control characters.
type Event struct {
	UID        string
	Sequence   int
	Recurrence When   // of one date of a series; zero for all of it
	Rule       string // RRULE as it came, in upper case; "" when there is one date only
	Except     []When // dates of a series that are left out, at most 100
	Start, End When   // the end of whole days is the last of them; zero when not told
	Organizer  Address
	Attendees  []Attendee // at most 500
	Cancelled  bool
}

// Attendee is who is asked, and what they answered: "ACCEPTED", "DECLINED", "TENTATIVE", "NEEDS-ACTION" and the like.
type Attendee struct {
	Address
	Answer string
}

// When is a day, or a time of one.
type When struct {
	Time  time.Time // as the clock shows it, in UTC where the zone is not known; zero for none
	Day   bool      // the whole day
	Known bool      // Time is a moment: in UTC, or in a zone of the tz database
	Zone  string    // the zone as it was named, "" for UTC and for none
}

const (
	maxAttendees = 500
	maxExcept    = 100
)

// note takes over what a property tells of the event. Of what stands there twice the first counts.
func (e *Event) note(name string, params map[string]string, value string) {
	first := func(w *When) {
		if w.Time.IsZero() {
			*w = when(params, value)
		}
	}
	switch name {
	case "UID":
		if e.UID != "" {
			return
		}
		e.UID = cutRunes(oneLine(cleanText(unescapeCalendar(value))), maxExcerptText)
	case "SEQUENCE":
		e.Sequence, _ = strconv.Atoi(value)
	case "RECURRENCE-ID":
		first(&e.Recurrence)
	case "RRULE":
		e.Rule = cutRunes(oneLine(strings.ToUpper(value)), maxExcerptText)
	case "EXDATE":
		for date := range strings.SplitSeq(value, ",") {
			if w := when(params, date); !w.Time.IsZero() && len(e.Except) < maxExcept {
				e.Except = append(e.Except, w)
			}
		}
	case "DTSTART":
		first(&e.Start)
	case "DTEND", "DUE":
		if e.End.Time.IsZero() {
			first(&e.End)
			if e.End.Day && name == "DTEND" && e.End.Time.After(e.Start.Time) {
				e.End.Time = e.End.Time.AddDate(0, 0, -1)
			}
		}
	case "DURATION":
		if d := calendarDuration(value); d > 0 && e.End.Time.IsZero() && !e.Start.Time.IsZero() {
			e.End = e.Start
			if e.Start.Day {
				d -= 24 * time.Hour
			}
			e.End.Time = e.Start.Time.Add(d)
		}
	case "ORGANIZER":
		e.Organizer = calendarAddress(params, value)
	case "ATTENDEE":
		if len(e.Attendees) < maxAttendees {
			e.Attendees = append(e.Attendees, Attendee{calendarAddress(params, value), cutRunes(strings.ToUpper(oneLine(params["partstat"])), 40)})
		}
	case "STATUS":
		e.Cancelled = strings.EqualFold(value, "CANCELLED")
	}
}

// calendarAddress is whom a property names (RFC 5545 3.3.3).
func calendarAddress(params map[string]string, value string) Address {
	if scheme, rest, ok := strings.Cut(value, ":"); ok && strings.EqualFold(scheme, "mailto") {
		value = rest
	}
	if mail := params["email"]; mail != "" && !strings.Contains(value, "@") { // RFC 7986 6.2
		value = mail
	}
	a := Address{Addr: oneLine(cleanText(string(unpercent(value)))), Name: oneLine(cleanText(params["cn"]))}
	if strings.EqualFold(a.Name, a.Addr) {
		a.Name = ""
	}
	return a
}

// when reads a DATE or a DATE-TIME (RFC 5545 3.3.4, 3.3.5).
func when(params map[string]string, value string) When {
	t, _ := calendarTime(params, value, false)
	w := When{Time: t}
	if t.IsZero() {
		return w
	}
	if !strings.ContainsAny(value, "Tt") {
		w.Day = true
		return w
	}
	if strings.HasSuffix(strings.ToUpper(value), "Z") {
		w.Known = true
		return w
	}
	w.Zone = cutRunes(oneLine(cleanText(strings.Trim(params["tzid"], "/\" "))), 100)
	if loc := zone(w.Zone); loc != nil {
		w.Known = true
		w.Time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
	}
	return w
}

// zone finds a zone by the name that a calendar gives it: that of the tz database, perhaps behind a prefix
// ("/freeassociation.sourceforge.net/Europe/Prague"), or that of Windows. nil when it is none of them.
func zone(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	if tz, ok := windowsZones[strings.ToLower(name)]; ok {
		name = tz
	}
	for parts := strings.Split(name, "/"); len(parts) > 0 && len(parts) < 8; parts = parts[1:] {
		if loc, err := time.LoadLocation(strings.Join(parts, "/")); err == nil && parts[0] != "" && parts[0] != "Local" {
			return loc
		}
	}
	return nil
}

// windowsZones are the zones that Exchange and Outlook name (CLDR windowsZones, those that people live in).
var windowsZones = map[string]string{}

func init() {
	for line := range strings.SplitSeq(strings.TrimSpace(`
Dateline Standard Time=Etc/GMT+12
Hawaiian Standard Time=Pacific/Honolulu
Alaskan Standard Time=America/Anchorage
Pacific Standard Time=America/Los_Angeles
Pacific Standard Time (Mexico)=America/Tijuana
US Mountain Standard Time=America/Phoenix
Mountain Standard Time=America/Denver
Mountain Standard Time (Mexico)=America/Mazatlan
Central Standard Time=America/Chicago
Central Standard Time (Mexico)=America/Mexico_City
Canada Central Standard Time=America/Regina
Central America Standard Time=America/Guatemala
SA Pacific Standard Time=America/Bogota
Eastern Standard Time=America/New_York
US Eastern Standard Time=America/Indiana/Indianapolis
Venezuela Standard Time=America/Caracas
Atlantic Standard Time=America/Halifax
SA Western Standard Time=America/La_Paz
Pacific SA Standard Time=America/Santiago
Newfoundland Standard Time=America/St_Johns
E. South America Standard Time=America/Sao_Paulo
Argentina Standard Time=America/Argentina/Buenos_Aires
SA Eastern Standard Time=America/Cayenne
Greenland Standard Time=America/Nuuk
Montevideo Standard Time=America/Montevideo
Azores Standard Time=Atlantic/Azores
Cape Verde Standard Time=Atlantic/Cape_Verde
UTC=Etc/UTC
GMT Standard Time=Europe/London
Greenwich Standard Time=Atlantic/Reykjavik
Morocco Standard Time=Africa/Casablanca
W. Europe Standard Time=Europe/Berlin
Central Europe Standard Time=Europe/Budapest
Romance Standard Time=Europe/Paris
Central European Standard Time=Europe/Warsaw
W. Central Africa Standard Time=Africa/Lagos
Namibia Standard Time=Africa/Windhoek
GTB Standard Time=Europe/Bucharest
Middle East Standard Time=Asia/Beirut
Egypt Standard Time=Africa/Cairo
FLE Standard Time=Europe/Kiev
E. Europe Standard Time=Europe/Chisinau
South Africa Standard Time=Africa/Johannesburg
Israel Standard Time=Asia/Jerusalem
Jordan Standard Time=Asia/Amman
Syria Standard Time=Asia/Damascus
Kaliningrad Standard Time=Europe/Kaliningrad
Turkey Standard Time=Europe/Istanbul
Belarus Standard Time=Europe/Minsk
Russian Standard Time=Europe/Moscow
Arabic Standard Time=Asia/Baghdad
Arab Standard Time=Asia/Riyadh
E. Africa Standard Time=Africa/Nairobi
Iran Standard Time=Asia/Tehran
Arabian Standard Time=Asia/Dubai
Azerbaijan Standard Time=Asia/Baku
Georgian Standard Time=Asia/Tbilisi
Caucasus Standard Time=Asia/Yerevan
Mauritius Standard Time=Indian/Mauritius
Afghanistan Standard Time=Asia/Kabul
West Asia Standard Time=Asia/Tashkent
Pakistan Standard Time=Asia/Karachi
Ekaterinburg Standard Time=Asia/Yekaterinburg
India Standard Time=Asia/Kolkata
Sri Lanka Standard Time=Asia/Colombo
Nepal Standard Time=Asia/Kathmandu
Bangladesh Standard Time=Asia/Dhaka
Central Asia Standard Time=Asia/Almaty
Myanmar Standard Time=Asia/Yangon
SE Asia Standard Time=Asia/Bangkok
N. Central Asia Standard Time=Asia/Novosibirsk
China Standard Time=Asia/Shanghai
Singapore Standard Time=Asia/Singapore
Taipei Standard Time=Asia/Taipei
W. Australia Standard Time=Australia/Perth
Tokyo Standard Time=Asia/Tokyo
Korea Standard Time=Asia/Seoul
Cen. Australia Standard Time=Australia/Adelaide
AUS Central Standard Time=Australia/Darwin
E. Australia Standard Time=Australia/Brisbane
AUS Eastern Standard Time=Australia/Sydney
Tasmania Standard Time=Australia/Hobart
Vladivostok Standard Time=Asia/Vladivostok
West Pacific Standard Time=Pacific/Port_Moresby
Central Pacific Standard Time=Pacific/Guadalcanal
New Zealand Standard Time=Pacific/Auckland
Fiji Standard Time=Pacific/Fiji
Tonga Standard Time=Pacific/Tongatapu`), "\n") {
		windows, tz, _ := strings.Cut(line, "=")
		windowsZones[strings.ToLower(windows)] = tz
	}
}
