package index

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

// Mails that name each other are one conversation, in whatever mailbox they lie: what RFC 5256 calls REFERENCES, with
// its guards in PROTOCOLS L9. Each mail's own Message-ID, those it refers to, and what its server or Exchange calls its
// conversation are names; mails with a name in common are joined.

const (
	orphanTime = 30 * 24 * time.Hour // how much later an answer that names nothing may come than what it answers
	fewWords   = 2                   // that its subject has at least
	manyTalks  = 2000                // of so many at once, all of a mailbox are worked out anew
	maxOthers  = 50                  // mailboxes in which the origin of an answer is looked for
	alike      = 20                  // mails of its subject that are looked at in each
)

// joiner finds the conversations of mails in one transaction, and sees to what hangs on them.
type joiner struct {
	ctx     context.Context
	tx      *sql.Tx
	b       *box
	last    int64           // number that was given to a conversation
	first   int64           // of those when it began
	known   map[int64]int64 // conversations by names
	touched map[int64]bool
	orphans bool // there are some
	others  []int64

	ready map[string]*sql.Stmt // by their words
}

func newJoiner(ctx context.Context, tx *sql.Tx, b *box) (*joiner, error) {
	j := &joiner{ctx: ctx, tx: tx, b: b, known: map[int64]int64{}, touched: map[int64]bool{}, ready: map[string]*sql.Stmt{}}
	err := tx.QueryRowContext(ctx, "SELECT talk FROM last").Scan(&j.last)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	j.first = j.last
	return j, err
}

// stmt is a statement of the transaction, made ready once. Its words are one of few.
func (j *joiner) stmt(words string) (*sql.Stmt, error) {
	if st := j.ready[words]; st != nil {
		return st, nil
	}
	st, err := j.tx.PrepareContext(j.ctx, words)
	if err == nil {
		j.ready[words] = st
	}
	return st, err
}

func (j *joiner) exec(words string, args ...any) error {
	st, err := j.stmt(words)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(j.ctx, args...)
	return err
}

func (j *joiner) rows(words string, args ...any) (*sql.Rows, error) {
	st, err := j.stmt(words)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(j.ctx, args...)
}

// scan reads the one row that a query gives; sql.ErrNoRows where it gives none.
func (j *joiner) scan(words string, args []any, into ...any) error {
	st, err := j.stmt(words)
	if err != nil {
		return err
	}
	return st.QueryRowContext(j.ctx, args...).Scan(into...)
}

// namesOf are the names of a mail, each a hash.
func namesOf(r mailclient.Row) (out []int64) {
	if strings.HasPrefix(r.Thread, "gm ") { // Gmail has joined them already
		return []int64{hash(r.Thread)}
	}
	if r.Thread != "" { // as a hint: Outlook keeps it for what has become another matter
		out = append(out, hash(r.Thread+"\n"+r.SortKey(mailclient.SortSubject)))
	}
	for _, ids := range [][]string{{r.MessageID}, r.References, r.InReplyTo} {
		for _, id := range ids {
			if id = strings.TrimSpace(id); id != "" {
				out = append(out, hash(id))
			}
		}
	}
	return out
}

func hash(s string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return int64(h.Sum64())
}

// meet learns of these names what conversations they have.
func (j *joiner) meet(names []int64) error {
	slices.Sort(names)
	for some := range slices.Chunk(slices.Compact(names), many) {
		args := make([]any, many)
		for i := range args {
			args[i] = some[min(i, len(some)-1)]
		}
		rows, err := j.rows("SELECT hash, talk FROM names WHERE hash IN (?"+strings.Repeat(", ?", many-1)+")", args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var name, talk int64
			if err := rows.Scan(&name, &talk); err != nil {
				return errors.Join(err, rows.Close())
			}
			j.known[name] = talk
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// join gives a mail its conversation, by its names, which were met: those that they have are one from now on.
func (j *joiner) join(names []int64) (talk int64, err error) {
	for _, name := range names {
		switch t := j.known[name]; {
		case t == 0 || t == talk:
		case talk == 0:
			talk = t
		default:
			if talk, err = j.unite(talk, t); err != nil {
				return 0, err
			}
		}
	}
	if talk == 0 {
		j.last++
		talk = j.last
	}
	for _, name := range names {
		if j.known[name] != 0 {
			continue
		}
		j.known[name] = talk
		if err := j.exec("INSERT INTO names (hash, talk) VALUES (?, ?)", name, talk); err != nil {
			return 0, err
		}
	}
	j.touched[talk] = true
	return talk, nil
}

// many is how many names are asked for by one statement.
const many = 16

// unite makes one conversation of two: the one that was there first.
func (j *joiner) unite(x, y int64) (int64, error) {
	keep, other := min(x, y), max(x, y)
	for _, words := range []string{"UPDATE mails SET talk = ?1 WHERE talk = ?2", "UPDATE names SET talk = ?1 WHERE talk = ?2", "DELETE FROM talks WHERE talk = ?2 AND ?1 > 0"} {
		if err := j.exec(words, keep, other); err != nil {
			return 0, err
		}
	}
	for name, talk := range j.known {
		if talk == other {
			j.known[name] = keep
		}
	}
	delete(j.touched, other)
	j.touched[keep] = true
	return keep, nil
}

// bySubject joins an answer that names nothing with what it most likely answers: the last mail of the same subject
// before it.
func (j *joiner) bySubject(r mailclient.Row) error {
	base, reply := message.BaseSubject(r.Subject)
	orphan := reply && len(r.References) == 0 && len(r.InReplyTo) == 0
	if !orphan && !j.orphans || len(strings.Fields(base)) < fewWords || strings.HasPrefix(r.Thread, "gm ") {
		return nil
	}
	subject, id, at := key(r, mailclient.SortSubject), idOf(j.b, r.UID), r.Received.Unix()
	var talk int64
	if err := j.scan("SELECT talk FROM mails WHERE id = ?", []any{id}, &talk); err != nil {
		return err
	}
	if orphan {
		origin, named, err := j.origin(subject, at, id)
		if err != nil {
			return err
		}
		if origin != 0 && origin != talk {
			if talk, err = j.unite(origin, talk); err != nil {
				return err
			}
		}
		if !named {
			j.orphans = true
			if err := j.exec("INSERT OR REPLACE INTO orphans (id, subject, received) VALUES (?, ?, ?)", id, hash(subject), at); err != nil {
				return err
			}
		}
	}
	return j.adopt(talk, id, hash(subject), at, orphan)
}

// origin is the conversation of the last mail of a subject before a moment, 0 for none; named says that this is no
// orphan itself.
func (j *joiner) origin(subject string, at, id int64) (talk int64, named bool, err error) {
	boxes, err := j.boxes()
	if err != nil {
		return 0, false, err
	}
	var last int64
	for _, box := range boxes {
		var t, received int64
		var is bool
		err := j.scan(`SELECT talk, received, NOT EXISTS (SELECT 1 FROM orphans WHERE orphans.id = some.id) FROM
			(SELECT id, talk, received FROM mails WHERE box = ? AND subject = ? AND id <> ? ORDER BY id DESC LIMIT ?) AS some WHERE received BETWEEN ? AND ? ORDER BY received DESC LIMIT 1`,
			[]any{box, subject, id, alike, at - int64(orphanTime.Seconds()), at}, &t, &received, &is)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return 0, false, err
		}
		if talk == 0 || received > last {
			talk, named, last = t, is, received
		}
	}
	return talk, named, nil
}

// boxes are the mailboxes in which the origin of an answer is looked for.
func (j *joiner) boxes() (out []int64, err error) {
	if j.others != nil {
		return j.others, nil
	}
	rows, err := j.tx.QueryContext(j.ctx, "SELECT id FROM boxes ORDER BY id LIMIT ?", maxOthers)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	j.others = out
	return out, rows.Err()
}

// adopt joins a mail with the orphans of its subject that came after it: they have their origin now, unless it is one
// itself.
func (j *joiner) adopt(talk, id, key, at int64, orphan bool) error {
	rows, err := j.rows("SELECT mails.id, talk FROM orphans JOIN mails USING (id) WHERE orphans.subject = ? AND orphans.received BETWEEN ? AND ? AND id <> ? ORDER BY orphans.received LIMIT ?", key, at, at+int64(orphanTime.Seconds()), id, alike)
	if err != nil {
		return err
	}
	var children, talks []int64
	for rows.Next() {
		var child, t int64
		if err := rows.Scan(&child, &t); err != nil {
			return errors.Join(err, rows.Close())
		}
		children, talks = append(children, child), append(talks, t)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for i, child := range children {
		if !orphan {
			if err := j.exec("DELETE FROM orphans WHERE id = ?", child); err != nil {
				return err
			}
		}
		if talks[i] == talk {
			continue
		}
		united, err := j.unite(talk, talks[i])
		if err != nil {
			return err
		}
		for k := range talks {
			if talks[k] == talks[i] && k > i || talks[k] == talk {
				talks[k] = united
			}
		}
		talk = united
	}
	return nil
}

// worked is what a list of conversations needs of those that were touched: the newest mail of each in a mailbox, one that
// is marked deleted only where there is no other, and how they are marked. Its columns are those of the newest as long as
// this is the only MAX: https://sqlite.org/lang_select.html#bareagg
const worked = `INSERT OR REPLACE INTO talks (box, talk, received, id, marks)
	SELECT box, talk, received, id, marks FROM (SELECT box, talk, received, id, (SUM(flags & 33 = 0) > 0) | (SUM(flags & 2) > 0) * 2 | (SUM(flags & 128) > 0) * 128 AS marks,
		MAX(((flags & 32 = 0) << 61) | (received << 29) | (id & 536870911)) FROM mails WHERE `

// end works out the conversations that were touched, in the mailboxes that are wholly known. anew says that this one has
// just become so.
func (j *joiner) end(anew bool) error {
	if j.last > j.first {
		if _, err := j.tx.ExecContext(j.ctx, "INSERT OR REPLACE INTO last (one, talk) VALUES (1, ?)", j.last); err != nil {
			return err
		}
	}
	if anew || len(j.touched) > manyTalks {
		if _, err := j.tx.ExecContext(j.ctx, "DELETE FROM talks WHERE box = ?", j.b.id); err != nil {
			return err
		}
		if _, err := j.tx.ExecContext(j.ctx, worked+"box = ? AND box IN (SELECT id FROM boxes WHERE complete) GROUP BY talk)", j.b.id); err != nil {
			return err
		}
	}
	for talk := range j.touched {
		if len(j.touched) > manyTalks { // what lies in other mailboxes has its marks of its own
			break
		}
		if err := j.exec("DELETE FROM talks WHERE talk = ?", talk); err != nil {
			return err
		}
		if err := j.exec(worked+"talk = ? AND box IN (SELECT id FROM boxes WHERE complete) GROUP BY box)", talk); err != nil {
			return err
		}
	}
	return nil
}
