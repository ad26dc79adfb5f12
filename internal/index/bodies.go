package index

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"restante/mailclient"
)

//go:embed bodies.sql
var bodiesSchema string

// bodiesVersion is as version.
const bodiesVersion = "1"

const (
	gramSize = 2   // bytes that a gram of a mail takes in the index, about
	bodySize = 100 // and what else a mail takes
)

// bodies are the texts of an account's mails, in a file of their own beside its index: it goes with its policy, and
// what it takes is bounded. A mail's text never changes, so that the file holds whatever becomes of the index.
type bodies struct {
	path string
	db   *sql.DB

	write sync.Mutex
	size  int64 // bytes of all texts, of write
}

// body is the text of a mail.
type body struct {
	uid      uint32
	received int64
	text     string // folded
	whole    bool
}

// zip makes texts small, and zipped reads them. Both are safe for use by many goroutines, and no option of them is wrong.
var (
	zip = sync.OnceValue(func() *zstd.Encoder {
		e, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10), zstd.WithEncoderCRC(false))
		return e
	})
	zipped = sync.OnceValue(func() *zstd.Decoder {
		d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBody))
		return d
	})
)

const maxBody = 8 << 20 // bytes of a text, far beyond what an admin can set

const textsEnd = ".texts" // of their files' names

// bodiesPath is where texts lie beside an index.
func bodiesPath(path string) string { return strings.TrimSuffix(path, ".db") + textsEnd }

// openBodies opens the texts of an account, or begins them where there are none that can be used.
func openBodies(path, owner string) (*bodies, error) {
	b, err := tryBodies(path, owner)
	if err != nil {
		if err = erase(path); err == nil {
			b, err = tryBodies(path, owner)
		}
	}
	return b, err
}

func tryBodies(path, owner string) (*bodies, error) {
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	is, was := bodiesVersion+" "+owner, ""
	_, err = db.ExecContext(ctx, bodiesSchema)
	if err == nil {
		_, err = db.ExecContext(ctx, `INSERT INTO about (one, text) VALUES (1, ?) ON CONFLICT DO NOTHING`, is)
	}
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT text FROM about`).Scan(&was)
	}
	if err == nil && was != is {
		err = errOther
	}
	b := &bodies{path: path, db: db}
	if err == nil {
		b.size, _, err = b.kept(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return b, nil
}

// bodies are the texts of the account, nil where the admin wants none to be kept: what there are of an earlier time go.
func (m *Mail) bodies(f *file) *bodies {
	policy := m.policy()
	f.opening.Lock()
	defer f.opening.Unlock()
	switch {
	case policy.Most <= 0 && !f.bare:
		f.bare = m.ix.dropBodies(f) == nil
	case policy.Most > 0 && f.bodies == nil && !f.closed:
		var err error
		if f.bodies, err = openBodies(bodiesPath(f.path), f.owner); err != nil {
			m.ix.log.Warn("texts cannot be opened", "account", m.account, "err", err.Error())
		}
		f.bare = false
		f.unreadAll()
	case policy.Most > 0 && policy != f.policy:
		f.unreadAll()
	}
	f.policy = policy
	return f.bodies
}

// unreadAll has the texts of all mailboxes seen to again.
func (f *file) unreadAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = nil
}

// dropBodies takes the texts of an account off the disk. f.opening is held.
func (ix *Index) dropBodies(f *file) error {
	var err error
	if f.bodies != nil {
		err = f.bodies.db.Close()
		f.bodies = nil
	}
	return errors.Join(err, erase(bodiesPath(f.path)))
}

// spoiltBodies begins the texts anew where SQLite cannot make sense of them.
func (m *Mail) spoiltBodies(f *file, b *bodies, err error) {
	if err == nil || m.ix.ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	f.opening.Lock()
	defer f.opening.Unlock()
	if f.bodies != b { // closed meanwhile
		return
	}
	m.ix.log.Warn("texts are begun anew", "account", m.account, "err", err.Error(), "removed", m.ix.dropBodies(f) == nil)
}

// change writes in one transaction.
func (b *bodies) change(ctx context.Context, do func(tx *sql.Tx) error) (err error) {
	b.write.Lock()
	defer b.write.Unlock()
	was := b.size
	defer func() {
		if err != nil {
			b.size = was
		}
	}()
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// asker is a file of texts, or a transaction in which it stays as it is.
type asker interface {
	QueryContext(ctx context.Context, words string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, words string, args ...any) *sql.Row
}

// placeOf gives the number of a mailbox among the texts; ok is false where nothing of it is there as it is now.
func placeOf(ctx context.Context, q asker, name string, validity uint32) (at *box, ok bool, err error) {
	at = &box{name: name, known: mailclient.Known{UIDValidity: validity}}
	var is uint32
	err = q.QueryRowContext(ctx, `SELECT id, validity FROM boxes WHERE name = ?`, name).Scan(&at.id, &is)
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	return at, err == nil && is == validity, err
}

// begin is placeOf for a mailbox of which something is to be written: what is of an earlier one of the name goes.
func (b *bodies) begin(ctx context.Context, name string, validity uint32) (*box, error) {
	at, ok, err := placeOf(ctx, b.db, name, validity)
	if err != nil || ok {
		return at, err
	}
	if at.id != 0 {
		if err := b.forget(ctx, at); err != nil {
			return nil, err
		}
	}
	err = b.change(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO boxes (name, validity) VALUES (?, ?) RETURNING id`, name, validity).Scan(&at.id)
	})
	return at, err
}

// forget takes out all of a mailbox.
func (b *bodies) forget(ctx context.Context, at *box) error {
	c, err := coverOf(ctx, b.db, at)
	if err != nil {
		return err
	}
	if err := b.remove(ctx, at, c.uids()); err != nil {
		return err
	}
	return b.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM boxes WHERE id = ?`, at.id)
		return err
	})
}

// add writes texts down, of which none is there yet. Where there are more than most bytes then, the oldest go; full says so.
func (b *bodies) add(ctx context.Context, at *box, some []body, most int64) (full bool, err error) {
	some = slices.SortedFunc(slices.Values(some), func(x, y body) int { return cmp.Compare(x.uid, y.uid) }) // FTS5 writes out all it has where a number falls
	err = b.change(ctx, func(tx *sql.Tx) error {
		w := writing{covering: covering{ctx: ctx, tx: tx}, size: b.size}
		for _, t := range some {
			if err := w.add(idOf(at, t.uid), t, zip().EncodeAll([]byte(t.text), nil)); err != nil {
				return err
			}
		}
		for full = w.size > most; w.size > most; {
			if err := w.dropOldest(most); err != nil {
				return err
			}
		}
		return w.end(b)
	})
	return full, err
}

// remove takes out the texts of mails.
func (b *bodies) remove(ctx context.Context, at *box, uids []uint32) error {
	for some := range slices.Chunk(uids, removedAtOnce) {
		if err := b.change(ctx, func(tx *sql.Tx) error {
			w := writing{covering: covering{ctx: ctx, tx: tx}, size: b.size}
			for _, uid := range some {
				if err := w.drop(idOf(at, uid)); err != nil {
					return err
				}
			}
			return w.end(b)
		}); err != nil {
			return err
		}
	}
	return nil
}

const removedAtOnce = 500 // texts in one transaction

// writing is one transaction, with the bytes that all texts take by then.
type writing struct {
	covering
	size int64
}

func (w *writing) add(id int64, t body, text []byte) error {
	found := grams(t.text)
	size := int64(len(text) + bodySize + gramSize*len(found))
	var words strings.Builder
	for g := range found {
		words.WriteString(g + " ")
	}
	_, err := w.tx.ExecContext(w.ctx, `INSERT INTO bodies (id, received, size, text) VALUES (?, ?, ?, ?)`, id, t.received, size, text)
	if err == nil {
		_, err = w.tx.ExecContext(w.ctx, `INSERT INTO grams (rowid, gram) VALUES (?, ?)`, id, words.String())
	}
	if err != nil {
		return err
	}
	w.size += size
	return w.set(id, true, t.whole)
}

func (w *writing) drop(id int64) error {
	var size int64
	err := w.tx.QueryRowContext(w.ctx, `DELETE FROM bodies WHERE id = ? RETURNING size`, id).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = w.tx.ExecContext(w.ctx, `DELETE FROM grams WHERE rowid = ?`, id)
	}
	if err != nil {
		return err
	}
	w.size -= size
	return w.set(id, false, false)
}

// dropOldest takes out some texts of the mails that came first.
func (w *writing) dropOldest(most int64) error {
	rows, err := w.tx.QueryContext(w.ctx, `SELECT id FROM bodies ORDER BY received, id LIMIT 100`)
	if err != nil {
		return err
	}
	ids, err := column(rows)
	if len(ids) == 0 {
		w.size = 0
	}
	for _, id := range ids {
		if err == nil && w.size > most {
			err = w.drop(id)
		}
	}
	return err
}

func column(rows *sql.Rows) (ids []int64, err error) {
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (w *writing) end(b *bodies) error {
	b.size = w.size
	return w.save()
}

// kept says how many bytes the texts take, and when the oldest of those mails came.
func (b *bodies) kept(ctx context.Context) (size, oldest int64, err error) {
	err = b.db.QueryRowContext(ctx, `SELECT COALESCE(SUM(size), 0), COALESCE(MIN(received), 0) FROM bodies`).Scan(&size, &oldest)
	return size, oldest, err
}

// names are the mailboxes of which there are texts.
func (b *bodies) names(ctx context.Context) (names []string, err error) {
	rows, err := b.db.QueryContext(ctx, `SELECT name FROM boxes`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// close ends the use of a file and of its texts.
func (f *file) close() {
	f.opening.Lock()
	defer f.opening.Unlock()
	f.closed = true
	if f.bodies != nil {
		_ = f.bodies.db.Close()
		f.bodies = nil
	}
	_ = f.db.Close()
}
