package index

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

// What mails are found by stands in blocks, each of the mails of so many UIDs in a row: to look through all mails of a
// mailbox is to run over some hundred texts, the newest first. In a block each mail is a line of fields.
const (
	blockBits = 9
	maxField  = 8 << 10 // bytes of one field of a mail: more people than that are not found by it
	fieldEnd  = '\x1f'
	nameEnd   = "\x1e" // behind each name of a file
)

// The fields of a line.
const (
	fieldUID = iota
	fieldReceived
	fieldSize
	fieldFrom
	fieldTo
	fieldCc
	fieldSubject
	fieldFiles
	fields
)

// blockOf is the id of the block in which a mail stands.
func blockOf(b *box, uid uint32) int64 { return idOf(b, uid>>blockBits) }

// line is what a mail is found by.
func line(r mailclient.Row) []byte {
	out := strconv.AppendUint(nil, uint64(r.UID), 36)
	out = strconv.AppendInt(append(out, fieldEnd), r.Received.Unix(), 36)
	out = strconv.AppendInt(append(out, fieldEnd), r.Size, 36)
	for _, s := range []string{people(r.From), people(r.To), people(r.Cc), r.Subject, strings.Join(r.Files, nameEnd) + nameEnd} {
		s = message.Fold(s[:min(len(s), maxField)])
		out = append(append(out, fieldEnd), strings.Map(func(c rune) rune {
			if c == fieldEnd || c == '\n' {
				return ' '
			}
			return c
		}, s)...)
	}
	return append(out, fieldEnd, '\n')
}

// people is how addresses are found: by name, by address, and by both as they are written.
func people(list []message.Address) string {
	var b strings.Builder
	for _, a := range list {
		b.WriteString(a.Name + " <" + a.Addr + ">, ")
		if b.Len() > maxField {
			break
		}
	}
	return b.String()
}

// enter writes down what mails are found by.
func enter(ctx context.Context, tx *sql.Tx, b *box, rows []mailclient.Row) error {
	return rewrite(ctx, tx, b, rows, func(r mailclient.Row) uint32 { return r.UID }, func(text []byte, some []mailclient.Row) []byte {
		for _, r := range some {
			text = append(text, line(r)...)
		}
		return text
	})
}

// strike takes out what mails were found by.
func strike(ctx context.Context, tx *sql.Tx, b *box, uids []uint32) error {
	return rewrite(ctx, tx, b, uids, func(uid uint32) uint32 { return uid }, func(text []byte, some []uint32) []byte {
		var kept []byte
		for l := range bytes.Lines(text) {
			if !slices.Contains(some, uidOf(l)) {
				kept = append(kept, l...)
			}
		}
		return kept
	})
}

// rewrite changes the blocks in which these mails stand.
func rewrite[M any](ctx context.Context, tx *sql.Tx, b *box, all []M, uid func(M) uint32, change func(text []byte, some []M) []byte) error {
	blocks := map[int64][]M{}
	for _, m := range all {
		id := blockOf(b, uid(m))
		blocks[id] = append(blocks[id], m)
	}
	for id, some := range blocks {
		var text []byte
		if err := tx.QueryRowContext(ctx, "SELECT text FROM blocks WHERE id = ?", id).Scan(&text); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var err error
		if text = change(text, some); len(text) > 0 {
			_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO blocks (id, text) VALUES (?, ?)", id, text)
		} else {
			_, err = tx.ExecContext(ctx, "DELETE FROM blocks WHERE id = ?", id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func uidOf(l []byte) uint32 {
	end := max(bytes.IndexByte(l, fieldEnd), 0)
	uid, _ := strconv.ParseUint(string(l[:end]), 36, 32) // of what we wrote ourselves
	return uint32(uid)
}

// finder says of the lines of a mailbox which mails match a search.
type finder struct {
	groups [][]test
	rare   []byte   // a word that every mail that matches has, if there is one
	texts  *inTexts // nil where it is not told by them
}

// test is a condition, its word folded.
type test struct {
	mailclient.Condition
	word []byte
	from int64           // of the arrival, in seconds: this one, and
	to   int64           // before this one
	in   map[uint32]bool // the mails that are so, where it is of flags, which stand in no line
}

// states are the conditions of flags, worded as the partial indexes are.
var states = map[string]string{"unread": "flags & 1 = 0", "read": "flags & 1 = 0", "flagged": "flags & 2 <> 0", "answered": "flags & 4 <> 0", "file": "flags & 128 <> 0", "tag": "words <> ''"}

// fieldsOf are the fields that a key looks into.
var fieldsOf = map[string][]int{"": {fieldFrom, fieldTo, fieldCc, fieldSubject, fieldFiles}, "from": {fieldFrom}, "to": {fieldTo}, "cc": {fieldCc},
	"subject": {fieldSubject}, "filename": {fieldFiles}, "pdf": {fieldFiles}}

// finder readies a search in a mailbox.
func (f *file) finder(ctx context.Context, b *box, q mailclient.SearchQuery, texts *inTexts) (look finder, err error) {
	look.texts = texts
	for _, group := range q.Groups {
		var tests []test
		for _, c := range group {
			t := test{Condition: c, word: []byte(message.Fold(c.Text))}
			day := time.Date(c.Day.Year(), c.Day.Month(), c.Day.Day(), 0, 0, 0, 0, c.Day.Location())
			switch c.Key {
			case "pdf":
				t.word = []byte(".pdf" + nameEnd)
			case "before":
				t.to = day.Unix()
			case "after":
				t.from, t.to = day.Unix(), 1<<62
			case "on":
				t.from, t.to = day.Unix(), day.AddDate(0, 0, 1).Unix()
			case "read":
				t.Not = !t.Not
			}
			if cond := states[c.Key]; cond != "" {
				if t.in, err = f.inState(ctx, b, cond, c); err != nil {
					return look, err
				}
			}
			tests = append(tests, t)
		}
		look.groups = append(look.groups, tests)
		if t := tests[0]; len(tests) == 1 && !t.Not && len(fieldsOf[t.Key]) > 0 && (t.Key != "" || texts == nil) && len(t.word) > len(look.rare) {
			look.rare = t.word
		}
	}
	return look, nil
}

// inState are the mails of a mailbox whose flags are so.
func (f *file) inState(ctx context.Context, b *box, cond string, c mailclient.Condition) (map[uint32]bool, error) {
	rows, err := f.query(ctx, "SELECT id, words FROM mails WHERE box = ? AND "+cond, b.id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	in := map[uint32]bool{}
	for rows.Next() {
		var id int64
		var words string
		if err := rows.Scan(&id, &words); err != nil {
			return nil, err
		}
		if c.Key != "tag" || slices.ContainsFunc(strings.Fields(words), func(w string) bool { return strings.EqualFold(w, c.Text) }) {
			in[uint32(id)] = true
		}
	}
	return in, rows.Err()
}

// look calls yield with each line of a text that may match.
func (look finder) look(text []byte, yield func(l []byte)) {
	if len(look.rare) == 0 {
		for l := range bytes.Lines(text) {
			yield(l)
		}
		return
	}
	for at := 0; ; {
		i := bytes.Index(text[at:], look.rare)
		if i < 0 {
			return
		}
		begin := bytes.LastIndexByte(text[:at+i], '\n') + 1
		end := at + i + bytes.IndexByte(text[at+i:], '\n') + 1
		if end <= at+i {
			return
		}
		yield(text[begin:end])
		at = end
	}
}

// found is a mail that was looked for.
type found struct {
	uid      uint32
	received int64
}

// match reads a line; is says whether its mail is one that is looked for.
func (look finder) match(line []byte) (m found, is truth) {
	l := split(line)
	m.uid = uidOf(line)
	m.received, _ = strconv.ParseInt(string(l[fieldReceived]), 36, 64) // of what we wrote ourselves
	is = yes
	for _, tests := range look.groups {
		one := no
		for _, t := range tests {
			holds := look.holds(t, m, l)
			if t.Not {
				holds = -holds
			}
			one = max(one, holds)
		}
		if is = min(is, one); is == no {
			return m, no
		}
	}
	return m, is
}

func (look finder) holds(t test, m found, l [fields][]byte) truth {
	if t.in != nil {
		return truthOf(t.in[m.uid])
	}
	switch t.Key {
	case "before":
		return truthOf(m.received < t.to)
	case "after", "on":
		return truthOf(m.received >= t.from && m.received < t.to)
	case "larger", "smaller":
		size, _ := strconv.ParseInt(string(l[fieldSize]), 36, 64) // of what we wrote ourselves
		return truthOf(t.Key == "larger" && size > t.Size || t.Key == "smaller" && size < t.Size)
	}
	in := truthOf(slices.ContainsFunc(fieldsOf[t.Key], func(i int) bool { return bytes.Contains(l[i], t.word) }))
	if t.Key == "" || t.Key == "body" {
		in = max(in, look.texts.has(m.uid, t.Text))
	}
	return in
}

func split(l []byte) (out [fields][]byte) {
	for i := range out {
		end := bytes.IndexByte(l, fieldEnd)
		if end < 0 {
			return out
		}
		out[i], l = l[:end], l[end+1:]
	}
	return out
}

// find gives the mails of a mailbox that match by what the index knows, the newest first, and those of which it does not
// know whether they do: where texts tell of nothing, not all of these. With a limit there are no more than that, of those
// with the highest UIDs.
func (f *file) find(ctx context.Context, b *box, q mailclient.SearchQuery, texts *inTexts, limit int) (out []found, unsure []uint32, err error) {
	look, err := f.finder(ctx, b, q, texts)
	if err != nil {
		return nil, nil, err
	}
	rows, err := f.query(ctx, "SELECT text FROM blocks WHERE id BETWEEN ? AND ? ORDER BY id DESC", idOf(b, 0), idOf(b, 1<<32-1))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for (limit == 0 || len(out) < limit) && rows.Next() {
		var text sql.RawBytes
		if err := rows.Scan(&text); err != nil {
			return nil, nil, err
		}
		look.look(text, func(l []byte) {
			switch m, is := look.match(l); is {
			case yes:
				out = append(out, m)
			case perhaps:
				unsure = append(unsure, m.uid)
			}
		})
	}
	slices.SortFunc(out, newest)
	if limit > 0 {
		out = out[:min(len(out), limit)]
	}
	return out, unsure, rows.Err()
}
