package i18n

import (
	"fmt"
	"strconv"
	"time"
)

var months = map[string][]string{
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	"de": {"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."},
}

var monthsLong = map[string][]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

var days = map[string][]string{
	"en": {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	"de": {"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"},
}

var daysLong = map[string][]string{
	"en": {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"de": {"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
}

func (l *Localizer) names(table map[string][]string) []string {
	if n, ok := table[l.Lang]; ok {
		return n
	}
	return table["en"]
}

// Short is a date as a list row shows it, in now's zone: the time today, the weekday this week, else the day.
func (l *Localizer) Short(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	switch {
	case sameDay(t, now):
		return t.Format("15:04")
	case t.Before(now) && now.Sub(t) < 6*24*time.Hour:
		return l.names(days)[t.Weekday()]
	case t.Year() == now.Year():
		return l.dayMonth(t, months)
	case l.Lang == "de":
		return t.Format("2.1.2006")
	}
	return t.Format("2/1/2006")
}

// Moment is the date and time that stand in a mail's head, in now's zone: the time alone today, the year where it is
// not this one.
func (l *Localizer) Moment(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.IsZero():
		return ""
	case sameDay(t, now):
		return t.Format("15:04")
	case t.Year() == now.Year():
		return l.dayMonth(t, months) + t.Format(", 15:04")
	}
	return l.dayMonth(t, months) + t.Format(" 2006, 15:04")
}

// Ahead is a time to come, in now's zone, with its day: the time alone today, the weekday within the next six days, the year
// where it is not this one.
func (l *Localizer) Ahead(t, now time.Time) string {
	t = t.In(now.Location())
	day := l.names(days)[t.Weekday()]
	switch {
	case sameDay(t, now):
		return t.Format("15:04")
	case t.Before(now.AddDate(0, 0, 6)) && t.After(now):
		return day + t.Format(" 15:04")
	case t.Year() == now.Year():
		return day + " " + l.dayMonth(t, months) + t.Format(", 15:04")
	}
	return day + " " + l.dayMonth(t, months) + t.Format(" 2006, 15:04")
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

func (l *Localizer) dayMonth(t time.Time, table map[string][]string) string {
	month := l.names(table)[t.Month()-1]
	if l.Lang == "de" {
		return fmt.Sprintf("%d. %s", t.Day(), month)
	}
	return fmt.Sprintf("%d %s", t.Day(), month)
}

// Long is a date in full with its zone, as a screen reader speaks it.
func (l *Localizer) Long(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return l.DayLong(t) + t.Format(", 15:04 MST")
}

// DayLong is a day in full, with its weekday.
func (l *Localizer) DayLong(t time.Time) string {
	return fmt.Sprintf("%s, %s %d", l.Weekday(t.Weekday()), l.dayMonth(t, monthsLong), t.Year())
}

// Weekday is the name of a day of the week.
func (l *Localizer) Weekday(d time.Weekday) string { return l.names(daysLong)[d] }

// MonthShort is the short name of a day's month.
func (l *Localizer) MonthShort(t time.Time) string { return l.names(months)[t.Month()-1] }

// Day is a heading between the rows of a list: Today, Yesterday, or the day.
func (l *Localizer) Day(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case sameDay(t, now):
		return l.T("date.today")
	case sameDay(t, now.AddDate(0, 0, -1)):
		return l.T("date.yesterday")
	case t.Year() == now.Year():
		return l.names(daysLong)[t.Weekday()] + ", " + l.dayMonth(t, monthsLong)
	}
	return fmt.Sprintf("%s %d", l.names(monthsLong)[t.Month()-1], t.Year())
}

// Number groups the digits of a whole number by threes.
func (l *Localizer) Number(v any) string {
	s := fmt.Sprint(v)
	if _, err := strconv.ParseInt(s, 10, 64); err != nil {
		return s
	}
	sep := "\u202f"
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// Size is a number of bytes in words: "88 KB", "1.3 MB".
func (l *Localizer) Size(n int64) string {
	const k = 1024
	switch {
	case n < k:
		return fmt.Sprintf("%d B", n)
	case n < k*k:
		return fmt.Sprintf("%d KB", (n+k/2)/k)
	}
	value, unit := float64(n)/(k*k), "MB"
	if value >= k {
		value, unit = value/k, "GB"
	}
	s := strconv.FormatFloat(value, 'f', 1, 64)
	if l.Lang == "de" {
		s = s[:len(s)-2] + "," + s[len(s)-1:]
	}
	return s + " " + unit
}

// Date is a day in full, without its time.
func (l *Localizer) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s %d", l.dayMonth(t, monthsLong), t.Year())
}
