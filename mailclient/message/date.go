package message

import (
	"strconv"
	"strings"
	"time"
)

var months = map[string]time.Month{}

func init() { // the months' first letters in the languages that write them into mails
	for i, names := range strings.Split("jan ene gen янв leden|feb fev fév févr фев únor|mar mär mrz maa mrt мар březen|apr abr avr апр duben|may mai mag mei maj май květen|jun giu juin июн červen|jul lug juil июл červenec|aug ago aoû août авг srpen|sep set sept сен září|oct okt out ott окт říjen|nov ноя listopad|dec dez dic déc des дек prosinec", "|") {
		for _, n := range strings.Fields(names) {
			months[n] = time.Month(i + 1)
		}
	}
}

// Obsolete zones of RFC 5322 4.3 and some more, in minutes.
var zones = map[string]int{"ut": 0, "utc": 0, "gmt": 0, "z": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420, "mdt": -360,
	"pst": -480, "pdt": -420, "cet": 60, "cest": 120, "met": 60, "mest": 120, "mez": 60, "mesz": 120, "eet": 120, "eest": 180, "msk": 180,
	"bst": 60, "ist": 330, "jst": 540, "kst": 540, "hkt": 480, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780}

// parseDate reads a date of RFC 5322 and of everyone else; false when it is impossible.
func parseDate(v string) (time.Time, bool) {
	if len(v) > 1000 {
		v = v[:1000]
	}
	v = strings.TrimSpace(decodeText(dropComments(v), hint{}))
	if t, ok := parseISO(v); ok {
		return t, true
	}
	d := dateScan{year: -1, hour: -1}
	for _, w := range dateWords(v) {
		d.word(w)
	}
	return d.time()
}

func dropComments(v string) string {
	var out strings.Builder
	depth := 0
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '(':
			depth++
		case v[i] == ')' && depth > 0:
			depth--
		case depth == 0:
			out.WriteByte(v[i])
		}
	}
	return out.String()
}

func parseISO(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 -0700",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006/01/02 15:04:05", "20060102T150405Z"} {
		if t, err := time.Parse(layout, v); err == nil {
			return plausible(t)
		}
	}
	return time.Time{}, false
}

// dateWords cuts at white space and commas, at dashes between letters and digits ("02-Jan-2006"), and "Jan2006".
func dateWords(v string) []string {
	words := strings.FieldsFunc(strings.ToLower(v), func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '"' })
	var out []string
	for _, w := range words {
		if parts := strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' || r == '.' }); len(parts) >= 2 && len(parts) <= 3 && !strings.Contains(w, ":") && w[0] != '-' {
			out = append(out, parts...)
			continue
		}
		out = append(out, w)
	}
	return out
}

// dateScan gathers what the words of a date mean, whatever their order.
type dateScan struct {
	day, month, year  int
	hour, minute, sec int
	zone              int
	zoned             bool
	pm, am            bool
	early             bool // the month came before the day: it may have been a weekday ("mar")
}

func (d *dateScan) word(w string) {
	switch {
	case strings.Contains(w, ":") && w[0] >= '0' && w[0] <= '9':
		d.clock(w)
	case (w[0] == '+' || w[0] == '-') && len(w) > 1:
		d.offset(w)
	case w[0] >= '0' && w[0] <= '9':
		d.number(w)
	case w == "pm":
		d.pm = true
	case w == "am":
		d.am = true
	default:
		d.name(w)
	}
}

func (d *dateScan) name(w string) {
	if d.month == 0 || d.early && d.day > 0 {
		for n := len(w); n >= 3; n-- {
			if m, ok := months[w[:n]]; ok {
				d.month, d.early = int(m), d.month == 0 && d.day == 0
				return
			}
		}
	}
	base, off := w, ""
	if i := strings.IndexAny(w, "+-"); i > 0 { // "GMT+0100"
		base, off = w[:i], w[i:]
	}
	if z, ok := zones[base]; ok && !d.zoned && d.hour >= 0 {
		d.zone, d.zoned = z, true
		if off != "" {
			d.zoned = false
			d.offset(off)
		}
	}
}

func (d *dateScan) number(w string) {
	digits := strings.TrimRight(w, "abcdefghijklmnopqrstuvwxyz.")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return
	}
	switch {
	case d.day == 0 && len(digits) <= 2 && (n > 0 && n <= 31 || d.year < 0 && n <= 99 && d.month == 0):
		d.day = n
	case d.month == 0 && d.day > 0 && n >= 1 && n <= 12 && len(digits) <= 2:
		d.month = n
	case d.year < 0:
		d.year = fullYear(n, len(digits))
	case d.day == 0:
		d.day = n
	case d.hour >= 0 && !d.zoned && len(digits) == 4: // a zone without its sign
		d.offset("+" + digits)
	}
}

// fullYear follows RFC 5322 4.3 for years of two and three digits.
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return n + 2000
	case digits <= 3:
		return n + 1900
	}
	return n
}

func (d *dateScan) clock(w string) {
	if i := strings.IndexAny(w, "+-"); i > 0 {
		d.offset(w[i:])
		w = w[:i]
	}
	for _, suffix := range []string{"pm", "am", "z"} {
		if strings.HasSuffix(w, suffix) {
			w = strings.TrimSuffix(w, suffix)
			d.pm, d.am = d.pm || suffix == "pm", d.am || suffix == "am"
		}
	}
	parts := strings.Split(w, ":")
	n := make([]int, 3)
	for i, p := range parts[:min(3, len(parts))] {
		p, _, _ = strings.Cut(p, ".")
		v, err := strconv.Atoi(p)
		if err != nil {
			return
		}
		n[i] = v
	}
	if d.hour >= 0 {
		return
	}
	d.hour, d.minute, d.sec = n[0], n[1], n[2]
}

func (d *dateScan) offset(w string) {
	digits := strings.ReplaceAll(w[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if d.zoned || err != nil || n < 0 {
		return
	}
	if len(digits) <= 2 {
		n *= 100
	}
	minutes := n/100*60 + n%100
	if minutes > 24*60 {
		minutes = 0
	}
	if w[0] == '-' {
		minutes = -minutes
	}
	d.zone, d.zoned = minutes, true
}

func (d *dateScan) time() (time.Time, bool) {
	if d.pm && d.hour < 12 && d.hour >= 0 {
		d.hour += 12
	}
	if d.am && d.hour == 12 {
		d.hour = 0
	}
	d.hour = max(d.hour, 0)
	if d.sec == 60 {
		d.sec = 59
	}
	if d.day < 1 || d.day > 31 || d.month == 0 || d.year <= 0 || d.hour > 23 || d.minute > 59 || d.sec > 59 {
		return time.Time{}, false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.sec, 0, time.FixedZone("", d.zone*60))
	if t.Day() != d.day {
		return time.Time{}, false
	}
	return plausible(t)
}

func plausible(t time.Time) (time.Time, bool) {
	if t.Year() < 1900 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}
