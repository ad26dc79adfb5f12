package mailclient

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	maxQuery = 1000
	maxTerms = 50
)

// QueryError is a search that cannot be understood: the term and why, a key of the catalogue.
type QueryError struct{ Term, Why string }

func (e *QueryError) Error() string { return fmt.Sprintf("search term %q: %s", e.Term, e.Why) }

// ParseSearch reads a search as people type it: words, "a phrase", -without, and from: to: cc: subject: body:
// has:attachment before: after: on: is:unread is:read is:flagged is:answered larger: smaller: in: tag:. Dates are
// 2006-01-02 or 2006/01/02 in loc; sizes are bytes with k or m. At most 1000 bytes. The error is a *QueryError.
func ParseSearch(q string, loc *time.Location) (SearchQuery, error) {
	var s SearchQuery
	if len(q) > maxQuery {
		return s, &QueryError{q[:20], "long"}
	}
	if strings.ContainsAny(q, "\x00\r\n") {
		return s, &QueryError{"", "control"}
	}
	for _, t := range terms(q) {
		if err := s.add(t, loc); err != nil {
			return s, err
		}
	}
	return s, nil
}

// term is one word of a search, with its key if it has one.
type term struct {
	key, value string
	not        bool
}

var searchWords = map[string]bool{
	"from": true, "to": true, "cc": true, "subject": true, "body": true, "has": true, "before": true, "after": true, "since": true,
	"on": true, "is": true, "larger": true, "smaller": true, "in": true, "tag": true, "older": true, "newer": true,
}

// terms splits at spaces outside quotes. A quote that never ends goes to the end.
func terms(q string) []term {
	var out []term
	for q = strings.TrimSpace(q); q != "" && len(out) < maxTerms; q = strings.TrimSpace(q) {
		var t term
		if strings.HasPrefix(q, "-") && len(q) > 1 && q[1] != ' ' {
			t.not, q = true, q[1:]
		}
		if i := strings.IndexByte(q, ':'); i > 0 && searchWords[strings.ToLower(q[:i])] && i+1 < len(q) && q[i+1] != ' ' {
			t.key, q = strings.ToLower(q[:i]), q[i+1:]
		}
		if strings.HasPrefix(q, `"`) {
			t.value, q, _ = strings.Cut(q[1:], `"`)
		} else {
			t.value, q, _ = strings.Cut(q, " ")
		}
		if t.value = strings.TrimSpace(t.value); t.value != "" {
			out = append(out, t)
		}
	}
	return out
}

func (s *SearchQuery) add(t term, loc *time.Location) error {
	if t.not && t.key != "" {
		return &QueryError{"-" + t.key, "not"}
	}
	switch t.key {
	case "":
		if t.not {
			s.NotWords = append(s.NotWords, t.value)
		} else {
			s.Words = append(s.Words, t.value)
		}
	case "from":
		s.From = append(s.From, t.value)
	case "to":
		s.To = append(s.To, t.value)
	case "cc":
		s.Cc = append(s.Cc, t.value)
	case "subject":
		s.Subject = append(s.Subject, t.value)
	case "body":
		s.Body = append(s.Body, t.value)
	case "in":
		s.In = t.value
	case "tag":
		if strings.ContainsFunc(t.value, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*"\]`, r) }) {
			return &QueryError{t.value, "tag"}
		}
		s.Keyword = append(s.Keyword, t.value)
	case "has":
		switch strings.ToLower(t.value) {
		case "attachment", "attachments", "file", "files":
		default:
			return &QueryError{t.value, "has"}
		}
		s.HasAttachment = true
	case "is":
		return s.is(strings.ToLower(t.value))
	case "larger", "smaller":
		n, ok := size(t.value)
		if !ok {
			return &QueryError{t.value, "size"}
		}
		if t.key == "larger" {
			s.LargerThan = n
		} else {
			s.SmallerThan = n
		}
	default:
		return s.date(t, loc)
	}
	return nil
}

func (s *SearchQuery) is(v string) error {
	switch v {
	case "unread":
		s.Unread = true
	case "read":
		s.Read = true
	case "flagged", "starred":
		s.Flagged = true
	case "answered":
		s.Answered = true
	default:
		return &QueryError{v, "is"}
	}
	return nil
}

func (s *SearchQuery) date(t term, loc *time.Location) error {
	d, err := time.ParseInLocation("2006-1-2", strings.NewReplacer("/", "-", ".", "-").Replace(t.value), loc)
	if err != nil || d.Year() < 1900 || d.Year() > 9999 {
		return &QueryError{t.value, "date"}
	}
	switch t.key {
	case "before", "older":
		s.Before = d
	case "on":
		s.Since, s.Before = d, d.AddDate(0, 0, 1)
	default:
		s.Since = d
	}
	return nil
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
