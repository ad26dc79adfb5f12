package message

import (
	"strings"
	"time"
)

// calendarCards tells of the first event of a calendar part (RFC 5545): what, when, where, who asks.
func calendarCards(n *node) []*Card {
	text := decodeBody(n.cardBytes(), n.params["charset"], false, nil, n.pay)
	c := calendar{f: map[string]string{}, event: &Event{}}
	c.read(text)
	if c.method == "" {
		c.method = strings.ToUpper(n.params["method"])
	}
	if len(c.f) == 0 {
		return nil
	}
	c.f["method"] = methodKind(c.method, c.f["answer"])
	if !c.start.IsZero() && c.f["end"] == "" && c.length > 0 {
		c.f["end"] = showEventTime(c.start.Add(c.length), c.startZone, false)
	}
	return []*Card{{Kind: "calendar", Fields: c.f, Event: c.event}}
}

type calendar struct {
	f         map[string]string
	event     *Event
	method    string
	inside    []string // open components
	done      bool
	start     time.Time
	startZone string
	length    time.Duration
}

// read goes over the unfolded lines; only the first event or task counts.
func (c *calendar) read(text string) {
	for _, line := range unfoldCalendar(text) {
		name, params, value, ok := calendarLine(line)
		if !ok {
			continue
		}
		switch name {
		case "BEGIN":
			if len(c.inside) < 20 {
				c.inside = append(c.inside, strings.ToUpper(value))
			}
		case "END":
			c.end(strings.ToUpper(value))
		case "METHOD":
			if c.method == "" {
				c.method = strings.ToUpper(value)
			}
		default:
			if n := len(c.inside); n > 0 && !c.done && (c.inside[n-1] == "VEVENT" || c.inside[n-1] == "VTODO" || c.inside[n-1] == "VJOURNAL") {
				c.property(name, params, value)
			}
		}
	}
}

func (c *calendar) end(what string) {
	if n := len(c.inside); n > 0 {
		c.inside = c.inside[:n-1]
	}
	if what == "VEVENT" || what == "VTODO" || what == "VJOURNAL" {
		c.done = true
	}
}

func (c *calendar) property(name string, params map[string]string, value string) {
	c.event.note(name, params, value)
	put := func(key, s string) {
		if c.f[key] == "" {
			c.f[key] = oneLine(strings.TrimSpace(s))
		}
	}
	switch name {
	case "SUMMARY":
		put("summary", unescapeCalendar(value))
	case "LOCATION":
		put("location", unescapeCalendar(value))
	case "DESCRIPTION":
		put("text", unescapeCalendar(value))
	case "ORGANIZER":
		put("organizer", calendarPerson(params, value))
	case "ATTENDEE":
		put("answer", strings.ToUpper(params["partstat"]))
	case "DTSTART":
		t, words := calendarTime(params, value, false)
		c.start, c.startZone = t, params["tzid"]
		put("start", words)
	case "DTEND", "DUE":
		_, words := calendarTime(params, value, name == "DTEND")
		put("end", words)
	case "DURATION":
		c.length = calendarDuration(value)
	case "RRULE":
		put("repeats", strings.ToLower(value))
	case "STATUS":
		if strings.EqualFold(value, "CANCELLED") && c.method == "" {
			c.method = "CANCEL"
		}
	}
}

// unfoldCalendar joins lines that go on (RFC 5545 3.1).
func unfoldCalendar(text string) (out []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if n := len(out); n > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			if len(out[n-1]) < 64<<10 {
				out[n-1] += line[1:]
			}
			continue
		}
		if len(out) >= 5000 {
			break
		}
		out = append(out, line)
	}
	return out
}

// calendarLine cuts "NAME;PARAM=x:value"; a colon in quotes belongs to a parameter.
func calendarLine(line string) (name string, params map[string]string, value string, ok bool) {
	quoted, colon := false, -1
	for i := 0; i < len(line); i++ {
		if line[i] == '"' {
			quoted = !quoted
		} else if line[i] == ':' && !quoted {
			colon = i
			break
		}
	}
	if colon <= 0 {
		return "", nil, "", false
	}
	name, rest, _ := strings.Cut(line[:colon], ";")
	params = map[string]string{}
	for rest != "" && len(params) < 50 {
		var p string
		p, rest = cutOutside(rest, ';')
		if k, v, ok := strings.Cut(p, "="); ok {
			params[strings.ToLower(k)] = strings.Trim(v, `"`)
		}
	}
	return strings.ToUpper(strings.TrimSpace(name)), params, strings.TrimSpace(line[colon+1:]), true
}

// cutOutside cuts at a separator that does not stand in quotes.
func cutOutside(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			quoted = !quoted
		} else if s[i] == sep && !quoted {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func unescapeCalendar(s string) string {
	return strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(s)
}

func calendarPerson(params map[string]string, value string) string {
	addr := value
	if len(addr) > 7 && strings.EqualFold(addr[:7], "mailto:") {
		addr = addr[7:]
	}
	if cn := strings.TrimSpace(params["cn"]); cn != "" && !strings.EqualFold(cn, addr) {
		return cn + " <" + addr + ">"
	}
	return addr
}

// calendarTime reads a DATE or DATE-TIME into words. A whole day that ends an event is the day after its last.
func calendarTime(params map[string]string, value string, end bool) (time.Time, string) {
	value, _, _ = strings.Cut(value, ",")
	if t, err := time.Parse("20060102", value); err == nil {
		if end {
			t = t.AddDate(0, 0, -1)
		}
		return t, t.Format("2006-01-02")
	}
	zone := params["tzid"]
	clean, utc := strings.CutSuffix(strings.ToUpper(value), "Z")
	if utc {
		zone = "UTC"
	}
	for _, layout := range []string{"20060102T150405", "20060102T1504", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, clean); err == nil {
			return t, showEventTime(t, zone, true)
		}
	}
	return time.Time{}, value
}

// showEventTime writes a wall clock time with the zone it was given in.
func showEventTime(t time.Time, zone string, clock bool) string {
	zone = strings.Trim(zone, "/\" ")
	if !clock && t.Hour() == 0 && t.Minute() == 0 && zone == "" {
		return t.Format("2006-01-02")
	}
	if zone == "" {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("2006-01-02 15:04") + " (" + zone + ")"
}

// calendarDuration reads "P1DT2H30M" (RFC 5545 3.3.6); 0 for what it cannot.
func calendarDuration(s string) time.Duration {
	units := map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	var total time.Duration
	n := 0
	for i := 0; i < len(s) && len(s) < 40; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9' && n < 10000:
			n = n*10 + int(c-'0')
		case units[c] > 0:
			total += time.Duration(n) * units[c]
			n = 0
		}
	}
	return total
}

// methodKind is what a calendar part is for: its method, or the answer that it brings.
func methodKind(method, answer string) string {
	if method == "REPLY" && (answer == "ACCEPTED" || answer == "DECLINED" || answer == "TENTATIVE") {
		return strings.ToLower(answer)
	}
	return strings.ToLower(method)
}
