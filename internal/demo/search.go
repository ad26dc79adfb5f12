package demo

import (
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Search finds messages. The list is taken under the lock; the reading happens after it.
func (s *session) Search(kind imapserver.NumKind, c *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	v := s.view
	v.lock()
	list := v.entries(nil)
	v.makeStatic(c)
	v.unlock()

	var data imap.SearchData
	var seqs imap.SeqSet
	var uids imap.UIDSet
	for _, e := range list {
		if !e.matches(c) {
			continue
		}
		num := e.seq
		if kind == imapserver.NumKindUID {
			num = uint32(e.m.uid)
		}
		seqs.AddNum(e.seq)
		uids.AddNum(e.m.uid)
		if data.Min == 0 {
			data.Min = num
		}
		data.Max = num
		data.Count++
	}
	data.All = seqs
	if kind == imapserver.NumKindUID {
		data.All = uids
	}
	return &data, nil
}

// makeStatic replaces "*" in every set of the criteria.
func (v *view) makeStatic(c *imap.SearchCriteria) {
	for i, set := range c.SeqNum {
		c.SeqNum[i] = v.static(set).(imap.SeqSet)
	}
	for i, set := range c.UID {
		c.UID[i] = v.static(set).(imap.UIDSet)
	}
	for i := range c.Not {
		v.makeStatic(&c.Not[i])
	}
	for i := range c.Or {
		v.makeStatic(&c.Or[i][0])
		v.makeStatic(&c.Or[i][1])
	}
}

// matches says whether a message meets all criteria, the cheap ones first.
func (e entry) matches(c *imap.SearchCriteria) bool {
	return e.matchesNumbers(c) && e.matchesFlags(c) && e.matchesSize(c) &&
		within(e.m.date, c.Since, c.Before) && e.matchesText(c) && e.matchesNested(c)
}

func (e entry) matchesNumbers(c *imap.SearchCriteria) bool {
	for _, set := range c.SeqNum {
		if !set.Contains(e.seq) {
			return false
		}
	}
	for _, set := range c.UID {
		if !set.Contains(e.m.uid) {
			return false
		}
	}
	return true
}

func (e entry) hasFlag(f imap.Flag) bool {
	for _, own := range e.flags {
		if strings.EqualFold(string(own), string(f)) {
			return true
		}
	}
	return false
}

func (e entry) matchesFlags(c *imap.SearchCriteria) bool {
	for _, f := range c.Flag {
		if !e.hasFlag(f) {
			return false
		}
	}
	for _, f := range c.NotFlag {
		if e.hasFlag(f) {
			return false
		}
	}
	return true
}

func (e entry) matchesSize(c *imap.SearchCriteria) bool {
	size := int64(len(e.m.content.raw))
	return (c.Larger == 0 || size > c.Larger) && (c.Smaller == 0 || size < c.Smaller)
}

// within compares days without regard to time and zone, RFC 3501 6.4.4.
func within(t, since, before time.Time) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !day.Before(since)) && (before.IsZero() || day.Before(before))
}

func (e entry) matchesText(c *imap.SearchCriteria) bool {
	if len(c.Header) == 0 && len(c.Body) == 0 && len(c.Text) == 0 && c.SentSince.IsZero() && c.SentBefore.IsZero() {
		return true
	}
	t := e.m.content.readable()
	if (!c.SentSince.IsZero() || !c.SentBefore.IsZero()) && (t.date.IsZero() || !within(t.date, c.SentSince, c.SentBefore)) {
		return false
	}
	for _, h := range c.Header {
		if !t.hasHeader(h.Key, fold(h.Value)) {
			return false
		}
	}
	for _, s := range c.Body {
		if !strings.Contains(t.body, fold(s)) {
			return false
		}
	}
	for _, s := range c.Text {
		if !strings.Contains(t.body, fold(s)) && !t.anyHeader(fold(s)) {
			return false
		}
	}
	return true
}

func (e entry) matchesNested(c *imap.SearchCriteria) bool {
	for i := range c.Not {
		if e.matches(&c.Not[i]) {
			return false
		}
	}
	for i := range c.Or {
		if !e.matches(&c.Or[i][0]) && !e.matches(&c.Or[i][1]) {
			return false
		}
	}
	return true
}
