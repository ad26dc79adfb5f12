package index

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"restante/mailclient"
	"restante/mailclient/message"
)

// inTexts is what the texts that are kept tell of a search in a mailbox. They are looked through as a server does it (RFC
// 3501 6.4.4), by substring in any letter case. What is other than with Dovecot 2.3, which reads what was sent: accents
// do not matter; of HTML what there is to read counts, and neither its tags nor the addresses of its links; a phrase may
// go over the end of a line; and of headers, those that a list knows: people, subjects, names of files.
type inTexts struct {
	cover cover
	have  map[string]map[uint32]bool // by a word: the mails in which it stands
}

// inTexts reads it; nil where no texts are kept that could tell of it.
func (m *Mail) inTexts(ctx context.Context, f *file, b *box, q mailclient.SearchQuery) *inTexts {
	if !q.Texts() {
		return nil
	}
	t := m.bodies(f)
	if t == nil {
		return nil
	}
	x, err := t.look(ctx, b.name, f.validity(b), q)
	if err != nil {
		m.spoiltBodies(f, t, err)
		return nil
	}
	return x
}

// look reads it at one moment: what is written meanwhile does not count.
func (t *bodies) look(ctx context.Context, name string, validity uint32, q mailclient.SearchQuery) (*inTexts, error) {
	tx, err := t.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	at, ok, err := placeOf(ctx, tx, name, validity)
	if err != nil || !ok {
		return nil, err
	}
	x := &inTexts{have: map[string]map[uint32]bool{}}
	if x.cover, err = coverOf(ctx, tx, at); err != nil || len(x.cover) == 0 {
		return nil, err
	}
	for _, group := range q.Groups {
		for _, c := range group {
			if c.Key != "" && c.Key != "body" || x.have[c.Text] != nil {
				continue
			}
			if x.have[c.Text], err = having(ctx, tx, at, c.Text); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// having are the mails of a mailbox in whose texts a word stands.
func having(ctx context.Context, q asker, at *box, word string) (map[uint32]bool, error) {
	word = message.FoldText(word)
	query, args := "SELECT id, text FROM bodies WHERE id BETWEEN ? AND ?", []any{idOf(at, 0), idOf(at, 1<<32-1)}
	grams, exact := lookup(word)
	if grams != "" {
		args = slices.Insert(args, 0, any(grams))
		query = "SELECT rowid, NULL FROM grams WHERE grams MATCH ? AND rowid BETWEEN ? AND ?"
	}
	if grams != "" && !exact {
		query = "SELECT id, text FROM bodies WHERE id IN (SELECT rowid FROM grams WHERE grams MATCH ? AND rowid BETWEEN ? AND ?)"
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	out := map[uint32]bool{}
	var text []byte
	for rows.Next() {
		var id int64
		var raw sql.RawBytes
		if err = rows.Scan(&id, &raw); err == nil && !exact {
			text, err = zipped().DecodeAll(raw, text[:0])
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		if exact || bytes.Contains(text, []byte(word)) {
			out[uint32(id)] = true
		}
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// truth is yes, perhaps or no, so that the truth of all is the least of them, of any the greatest, of not its negative.
type truth int

const (
	no truth = iota - 1
	perhaps
	yes
)

func truthOf(ok bool) truth {
	if ok {
		return yes
	}
	return no
}

// has says whether a word stands in the text of a mail.
func (x *inTexts) has(uid uint32, word string) truth {
	switch {
	case x == nil:
		return perhaps
	case x.have[word][uid]:
		return yes
	case x.cover.whole(uid):
		return no
	}
	return perhaps
}
