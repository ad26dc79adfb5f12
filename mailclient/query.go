package mailclient

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxQuery = 1000
	maxTerms = 50
)

// SearchQuery is a search as it was understood: of each group one condition must hold. In is the folder that it
// names, in the words of the person: a name, or what a folder is for; "" for none.
type SearchQuery struct {
	Groups     [][]Condition
	In         string
	Everywhere bool // Junk and Trash too: in:anywhere
}

// Condition is one thing that a search asks of a mail. Key says what: "" is a word anywhere in it, the others are the
// words before the colon. Size is in bytes.
type Condition struct {
	Not  bool
	Key  string
	Text string
	Day  time.Time
	Size int64
}

// Words are the words that a mail is to have, by any of the keys: "" for anywhere in it.
func (s SearchQuery) Words(keys ...string) (words []string) {
	for _, group := range s.Groups {
		for _, c := range group {
			if !c.Not && c.Text != "" && slices.Contains(keys, c.Key) {
				words = append(words, c.Text)
			}
		}
	}
	return words
}

// Texts says whether it asks for what stands in the texts of mails, which the server alone knows.
func (s SearchQuery) Texts() bool {
	return slices.ContainsFunc(s.Groups, func(g []Condition) bool {
		return slices.ContainsFunc(g, func(c Condition) bool { return c.Key == "" || c.Key == "body" })
	})
}

// Unfinished is the word at the end of a search that is being typed: its key, "" for none, and what there is of it.
// Before is all that stands ahead of it, its key too.
func Unfinished(q string) (before, key, word string) {
	at := strings.LastIndexByte(q, ' ')
	if strings.Count(q, `"`)%2 == 1 {
		at = strings.LastIndexByte(q[:strings.LastIndexByte(q, '"')], ' ')
	}
	word = strings.TrimPrefix(q[at+1:], "-")
	key, word = keyed(word)
	before = strings.TrimSuffix(q, word)
	return before, key, strings.Trim(word, `"`)
}

// QueryError is a search that cannot be understood: the term and why, the end of a catalogue key.
type QueryError struct{ Term, Why string }

func (e *QueryError) Error() string { return fmt.Sprintf("search term %q: %s", e.Term, e.Why) }

// ParseSearch reads a search as people type it: words, "a phrase", -without, one OR another, and from: to: cc:
// subject: body: has:attachment has:pdf filename: before: after: on: newer_than: older_than: is:unread is:read
// is:flagged is:answered larger: smaller: in: tag:, in German too. A space may stand after the colon. Dates are
// 2006-01-02 or 2006/01/02 in loc, ages 7d, 2w, 3m or 1y; sizes are bytes with k, m or g. At most 1000 bytes. The error
// is a *QueryError.
func ParseSearch(q string, loc *time.Location) (SearchQuery, error) {
	var s SearchQuery
	if len(q) > maxQuery {
		return s, &QueryError{strings.ToValidUTF8(q[:20], ""), "long"}
	}
	if strings.ContainsAny(q, "\x00\r\n") {
		return s, &QueryError{"", "control"}
	}
	list, err := terms(strings.ReplaceAll(q, "\t", " "))
	if err != nil {
		return s, err
	}
	for _, t := range list {
		if err := s.add(t, loc); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Term is one word of a search as it was typed, with what it asks for: the Key "in" is a folder, by its name in Text,
// and "anywhere" is Junk and Trash too.
// Without is the search that is left when it is taken away.
type Term struct {
	Condition
	Or             bool // the one before it is enough
	Typed, Without string
}

// SearchTerms are the words of a search that ParseSearch understands, in their order.
func SearchTerms(q string, loc *time.Location) (out []Term) {
	list, err := terms(strings.ReplaceAll(q, "\t", " "))
	if err != nil {
		return nil
	}
	for i, t := range list {
		c := Condition{Key: t.key, Text: t.value}
		switch {
		case t.key == "in" && anywhere[strings.ToLower(t.value)]:
			c.Key = "anywhere"
		case t.key == "in":
		default:
			if c, err = condition(t, loc); err != nil {
				continue
			}
		}
		out = append(out, Term{Condition: c, Or: t.or, Typed: t.typed, Without: without(list, i)})
	}
	return out
}

// without is the search of all terms but one; what it was joined to by OR stays joined.
func without(list []term, gone int) string {
	var words []string
	for i, t := range list {
		if i == gone {
			continue
		}
		if headless := i == gone+1 && !list[gone].or; t.or && !headless {
			words = append(words, "OR")
		}
		words = append(words, t.typed)
	}
	return strings.Join(words, " ")
}

// term is one word of a search, with its key if it has one.
type term struct {
	typed, key, value string
	not, or           bool // or: the one before it is enough
}

// keyNames are the words before a colon and the condition that each stands for.
var keyNames = map[string]string{
	"from": "from", "to": "to", "cc": "cc", "subject": "subject", "body": "body", "has": "has", "before": "before", "after": "after", "since": "after",
	"on": "on", "is": "is", "larger": "larger", "smaller": "smaller", "in": "in", "tag": "tag", "older": "before", "newer": "after",
	"filename": "filename", "newer_than": "newer_than", "older_than": "older_than", "datei": "filename",
	"von": "from", "an": "to", "betreff": "subject", "hat": "has", "vor": "before", "ab": "after", "nach": "after", "am": "on", "ist": "is",
	"größer": "larger", "groesser": "larger", "kleiner": "smaller", "ordner": "in",
}

// keyed splits "key:" from the front of q; key is "" when there is none.
func keyed(q string) (key, rest string) {
	i := strings.IndexByte(q, ':')
	if i <= 0 {
		return "", q
	}
	if key = keyNames[strings.ToLower(q[:i])]; key == "" {
		return "", q
	}
	return key, q[i+1:]
}

// terms splits at spaces outside quotes. A quote that never ends goes to the end.
func terms(q string) (out []term, err error) {
	or := false
	for q = strings.TrimSpace(q); q != "" && len(out) < maxTerms; q = strings.TrimSpace(q) {
		whole, t := q, term{or: or}
		if word, rest, _ := strings.Cut(q, " "); (word == "OR" || word == "ODER") && len(out) > 0 && strings.TrimSpace(rest) != "" {
			or, q = true, rest
			continue
		}
		if strings.HasPrefix(q, "-") && len(q) > 1 && q[1] != ' ' {
			t.not, q = true, q[1:]
		}
		if t.key, q = keyed(q); t.key != "" {
			q = strings.TrimLeft(q, " ")
			if next, _ := keyed(q); q == "" || next != "" { // nothing, or the next key, stands behind the colon
				return nil, &QueryError{strings.TrimSpace(strings.TrimSuffix(whole, q)), "empty"}
			}
		}
		if strings.HasPrefix(q, `"`) {
			t.value, q, _ = strings.Cut(q[1:], `"`)
		} else {
			t.value, q, _ = strings.Cut(q, " ")
		}
		t.typed = strings.TrimSpace(strings.TrimSuffix(whole, q))
		if t.value = strings.TrimSpace(t.value); t.value != "" {
			out, or = append(out, t), false
		}
	}
	return out, nil
}

func (s *SearchQuery) add(t term, loc *time.Location) error {
	if t.key == "in" {
		if t.not || t.or {
			return &QueryError{t.typed, "alone"}
		}
		if s.Everywhere = anywhere[strings.ToLower(t.value)]; !s.Everywhere {
			s.In = t.value
		}
		return nil
	}
	c, err := condition(t, loc)
	if err != nil {
		return err
	}
	last := len(s.Groups) - 1
	if c.Not && c.Key == "pdf" || t.or && (inside[c.Key] != nil || last >= 0 && inside[s.Groups[last][0].Key] != nil) {
		return &QueryError{t.typed, "alone"} // only our own eyes see it, once the server has found
	}
	if t.or && last >= 0 {
		s.Groups[last] = append(s.Groups[last], c)
	} else {
		s.Groups = append(s.Groups, []Condition{c})
	}
	return nil
}

var anywhere = map[string]bool{"anywhere": true, "überall": true, "ueberall": true}

// states are what may stand behind is: and has:.
var states = map[string]string{
	"is unread": "unread", "is read": "read", "is flagged": "flagged", "is starred": "flagged", "is answered": "answered",
	"is ungelesen": "unread", "is gelesen": "read", "is markiert": "flagged", "is beantwortet": "answered",
	"has attachment": "file", "has attachments": "file", "has file": "file", "has files": "file", "has anhang": "file", "has datei": "file", "has pdf": "pdf",
}

func condition(t term, loc *time.Location) (c Condition, err error) {
	c = Condition{Not: t.not, Key: t.key, Text: t.value}
	known := true
	switch t.key {
	case "tag":
		known = flagWord(t.value) && !strings.HasPrefix(t.value, `\`)
	case "is", "has":
		c.Key = states[t.key+" "+strings.ToLower(t.value)]
		known = c.Key != ""
	case "larger", "smaller":
		c.Size, known = size(t.value)
	case "before", "after", "on":
		c.Day, err = time.ParseInLocation("2006-1-2", strings.NewReplacer("/", "-", ".", "-").Replace(t.value), loc)
		known = err == nil && c.Day.Year() >= 1900 && c.Day.Year() <= 9999
	case "newer_than", "older_than":
		c.Key = map[string]string{"newer_than": "after", "older_than": "before"}[t.key]
		c.Day, known = ago(t.value, time.Now().In(loc))
	}
	if !known {
		return c, &QueryError{t.typed, why[t.key]}
	}
	return c, nil
}

// why says what is wrong with a key's value.
var why = map[string]string{"tag": "tag", "is": "is", "has": "has", "larger": "size", "smaller": "size", "newer_than": "age", "older_than": "age", "before": "date", "after": "date", "on": "date"}

// ago is the day so many days, weeks, months or years before one, as "7d", "2w", "3m" or "1y" say.
func ago(v string, now time.Time) (day time.Time, ok bool) {
	v = strings.ToLower(v)
	if len(v) < 2 {
		return day, false
	}
	n, err := strconv.Atoi(v[:len(v)-1])
	if err != nil || n < 1 || n > 10_000 {
		return day, false
	}
	switch v[len(v)-1] {
	case 'd', 't': // Tage
		day = now.AddDate(0, 0, -n)
	case 'w':
		day = now.AddDate(0, 0, -7*n)
	case 'm':
		day = now.AddDate(0, -n, 0)
	case 'y', 'j': // Jahre
		day = now.AddDate(-n, 0, 0)
	default:
		return day, false
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location()), day.Year() >= 1900
}

func size(v string) (int64, bool) {
	v = strings.TrimSuffix(strings.ToLower(v), "b")
	unit := int64(1)
	switch {
	case strings.HasSuffix(v, "k"):
		unit, v = 1<<10, v[:len(v)-1]
	case strings.HasSuffix(v, "m"):
		unit, v = 1<<20, v[:len(v)-1]
	case strings.HasSuffix(v, "g"):
		unit, v = 1<<30, v[:len(v)-1]
	}
	n, err := strconv.ParseInt(v, 10, 32)
	return n * unit, err == nil && n > 0
}
