package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// Person is somebody the user has written to.
type Person struct {
	Address, Name string
	Written       int64
	LastAt        time.Time
}

// AddPeople counts one more mail written to each.
func (s *Store) AddPeople(ctx context.Context, userID int64, people []Person) error {
	defer s.knowns.forget(userID)
	return s.InTx(ctx, func(tx *sql.Tx) error {
		for _, p := range people {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO people (user_id, address, name, written, last_at) VALUES ($1, $2, $3, 1, $4)
				ON CONFLICT (user_id, address) DO UPDATE SET written = people.written + 1, last_at = excluded.last_at,
					name = CASE WHEN excluded.name <> '' THEN excluded.name ELSE people.name END`,
				userID, strings.ToLower(p.Address), p.Name, s.ms())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// maxPeople is how many people of a user are looked through, those written to most.
const maxPeople = 5000

// Acquaintance is what a user has to do with an address: whether they have written to it or keep it, whose contact it is
// (0 for nobody's), and which other addresses they know under the same name.
type Acquaintance struct {
	Known     bool
	Contact   int64
	Namesakes []string
}

// Acquainted says what the user has to do with an address that bears a name.
func (s *Store) Acquainted(ctx context.Context, userID int64, address, name string) (a Acquaintance, err error) {
	address = strings.ToLower(address)
	rows, err := s.db.QueryContext(ctx, `
		SELECT address, contact FROM (
			SELECT address, written, 0 AS contact FROM people WHERE user_id = $1 AND (address = $2 OR name = $3 AND name <> '')
			UNION ALL
			SELECT a.address, 0, a.contact_id FROM contact_addresses a WHERE a.user_id = $1 AND a.address = $2
			UNION ALL
			SELECT a.address, 0, a.contact_id FROM contacts c JOIN contact_addresses a ON a.contact_id = c.id WHERE c.user_id = $1 AND c.name = $3 AND c.name <> ''
		) AS met ORDER BY written DESC LIMIT 20`,
		userID, address, name)
	type met struct {
		address string
		contact int64
	}
	all, err := collect(rows, err, func(r *sql.Rows) (m met, err error) { return m, r.Scan(&m.address, &m.contact) })
	for _, m := range all {
		if m.address == address {
			a.Known, a.Contact = true, max(a.Contact, m.contact)
		} else if !slices.Contains(a.Namesakes, m.address) {
			a.Namesakes = append(a.Namesakes, m.address)
		}
	}
	return a, err
}

// maxDomains is of how many people, those written to most, WrittenDomains tells.
const maxDomains = 500

// WrittenDomains lists the domains of the people that the user writes to.
func (s *Store) WrittenDomains(ctx context.Context, userID int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT address FROM people WHERE user_id = $1 ORDER BY written DESC, last_at DESC LIMIT $2`, userID, maxDomains)
	all, err := collect(rows, err, func(r *sql.Rows) (v string, err error) {
		err = r.Scan(&v)
		return v[strings.LastIndexByte(v, '@')+1:], err
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// TrustSender lets pictures of a sender's mails be shown from now on.
func (s *Store) TrustSender(ctx context.Context, userID int64, sender string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO trusted_senders (user_id, sender, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		userID, strings.ToLower(sender), s.ms())
	return err
}

// SenderTrusted says whether TrustSender was called for sender.
func (s *Store) SenderTrusted(ctx context.Context, userID int64, sender string) (ok bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM trusted_senders WHERE user_id = $1 AND sender = $2)`, userID, strings.ToLower(sender)).Scan(&ok)
	return ok, err
}

// TrustedSenders lists those whose pictures are always shown.
func (s *Store) TrustedSenders(ctx context.Context, userID int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT sender FROM trusted_senders WHERE user_id = $1 ORDER BY sender`, userID)
	return collect(rows, err, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) })
}

// DistrustSender takes TrustSender back.
func (s *Store) DistrustSender(ctx context.Context, userID int64, sender string) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM trusted_senders WHERE user_id = $1 AND sender = $2`, userID, strings.ToLower(sender)))
}

// KeepColours lets a sender's letters be shown in the colours they were sent in, or not any more.
func (s *Store) KeepColours(ctx context.Context, userID int64, sender string, yes bool) error {
	query := `DELETE FROM original_colours WHERE user_id = $1 AND sender = $2`
	if yes {
		query = `INSERT INTO original_colours (user_id, sender) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	}
	_, err := s.db.ExecContext(ctx, query, userID, strings.ToLower(sender))
	return err
}

// ColoursKept says whether KeepColours holds for sender.
func (s *Store) ColoursKept(ctx context.Context, userID int64, sender string) (ok bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM original_colours WHERE user_id = $1 AND sender = $2)`, userID, strings.ToLower(sender)).Scan(&ok)
	return ok, err
}

// KeptColours lists the senders for whom KeepColours holds.
func (s *Store) KeptColours(ctx context.Context, userID int64) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT sender FROM original_colours WHERE user_id = $1 ORDER BY sender`, userID)
	return collect(rows, err, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) })
}

// Act is something done that can be undone. Undo is the handlers' own description of how.
type Act struct {
	ID      int64
	Kind    string
	Undo    string
	Created time.Time
}

// AddAct remembers an act and gives its id. A user keeps the last 50.
func (s *Store) AddAct(ctx context.Context, userID int64, kind, undo string) (id int64, err error) {
	err = s.lightly(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `INSERT INTO acts (user_id, kind, undo, created_at) VALUES ($1, $2, $3, $4) RETURNING id`, userID, kind, undo, s.ms()).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM acts WHERE user_id = $1 AND id < (SELECT MIN(id) FROM (SELECT id FROM acts WHERE user_id = $1 ORDER BY id DESC LIMIT 50) AS last)`, userID)
		return err
	})
	return id, err
}

// TakeAct gives an act to be undone, once.
func (s *Store) TakeAct(ctx context.Context, userID, id int64) (Act, error) {
	a := Act{ID: id}
	var created int64
	err := s.db.QueryRowContext(ctx, `UPDATE acts SET done = TRUE WHERE id = $1 AND user_id = $2 AND NOT done RETURNING kind, undo, created_at`, id, userID).
		Scan(&a.Kind, &a.Undo, &created)
	a.Created = fromMS(created)
	return a, one(err)
}

// HasAct says whether there is such an act of the user, undone or not.
func (s *Store) HasAct(ctx context.Context, userID, id int64) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM acts WHERE id = $1 AND user_id = $2`, id, userID).Scan(&n)
	return n > 0, err
}
