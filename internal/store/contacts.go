package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Contact is somebody whom the user keeps. Card is its owner's own JSON; the rest is what lists and searches need of it:
// Name as shown, Sort and Words folded, Words with a space before each, Initial the heading it stands under, and the mail
// addresses, in small letters.
type Contact struct {
	ID                               int64
	Name, Sort, Initial, Words, Card string
	Addresses                        []string
	Groups                           []int64
}

// ContactGroup is a group of contacts.
type ContactGroup struct {
	ID      int64
	Name    string
	Members int
}

// ContactQuery asks for contacts: those of a group (0 for all) whose words begin so, all of them. A word with a mark in it,
// such as "o'brien", is also found by its parts.
type ContactQuery struct {
	Group   int64
	Words   []string
	From, N int // N 0: all
}

// ErrTooMany means that a user keeps as many as they can.
var ErrTooMany = errors.New("too many")

const maxGroups = 500

// where is the condition of a query, and its parameters; the first is the user. There is no end of such texts: they are
// run by s.db.DB, which does not keep them.
func (q ContactQuery) where(userID int64) (cond string, args []any) {
	cond, args = "contacts.user_id = $1", []any{userID}
	add := func(before string, v any, after string) {
		args = append(args, v)
		cond += before + "$" + strconv.Itoa(len(args)) + after
	}
	if q.Group != 0 {
		add(" AND EXISTS (SELECT 1 FROM contact_members WHERE contact_id = contacts.id AND group_id = ", q.Group, ")")
	}
	for _, w := range q.Words {
		add(` AND (words LIKE `, "% "+likeText(w)+"%", ` ESCAPE '\'`)
		joint := " OR "
		for _, part := range partsOf(w) {
			add(joint+"words LIKE ", "% "+likeText(part)+"%", ` ESCAPE '\'`)
			joint = " AND "
		}
		cond += ")"
	}
	return cond, args
}

// partsOf are the words that a name is made of: "jean-luc" stands as one word in an address, as two in a name.
func partsOf(word string) []string {
	if strings.Contains(word, "@") {
		return nil
	}
	return strings.FieldsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace

// Contacts lists contacts by their names, without their groups, and says how many there are.
func (s *Store) Contacts(ctx context.Context, userID int64, q ContactQuery) (list []Contact, total int, err error) {
	cond, args := q.where(userID)
	if err := s.db.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM contacts WHERE "+cond, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	query := "SELECT id, name, sort, initial, words, card FROM contacts WHERE " + cond + " ORDER BY sort, id"
	if q.N > 0 {
		query += " LIMIT " + strconv.Itoa(q.N) + " OFFSET " + strconv.Itoa(q.From)
	}
	rows, err := s.db.DB.QueryContext(ctx, query, args...)
	list, err = collect(rows, err, func(r *sql.Rows) (c Contact, err error) {
		return c, r.Scan(&c.ID, &c.Name, &c.Sort, &c.Initial, &c.Words, &c.Card)
	})
	return list, total, err
}

// Initial is a heading, and how many contacts stand before it.
type Initial struct {
	Letter string
	Before int
}

// ContactInitials are the headings of a list, in its order.
func (s *Store) ContactInitials(ctx context.Context, userID int64, q ContactQuery) ([]Initial, error) {
	cond, args := q.where(userID)
	rows, err := s.db.DB.QueryContext(ctx, "SELECT initial, COUNT(*) FROM contacts WHERE "+cond+" GROUP BY initial ORDER BY MIN(sort)", args...)
	before := 0
	return collect(rows, err, func(r *sql.Rows) (i Initial, err error) {
		var n int
		err = r.Scan(&i.Letter, &n)
		i.Before = before
		before += n
		return i, err
	})
}

// Contact gives one contact with its groups.
func (s *Store) Contact(ctx context.Context, userID, id int64) (c Contact, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		c, err = contactTx(ctx, tx, userID, id)
		return err
	})
	return c, err
}

func contactTx(ctx context.Context, tx *sql.Tx, userID, id int64) (c Contact, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id, name, sort, initial, words, card FROM contacts WHERE user_id = $1 AND id = $2`, userID, id).
		Scan(&c.ID, &c.Name, &c.Sort, &c.Initial, &c.Words, &c.Card)
	if err != nil {
		return c, one(err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT group_id FROM contact_members WHERE contact_id = $1 ORDER BY group_id`, id)
	if c.Groups, err = collect(rows, err, func(r *sql.Rows) (v int64, err error) { return v, r.Scan(&v) }); err != nil {
		return c, err
	}
	rows, err = tx.QueryContext(ctx, `SELECT address FROM contact_addresses WHERE contact_id = $1 ORDER BY place`, id)
	c.Addresses, err = collect(rows, err, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) })
	return c, err
}

// ContactChange is one step of ChangeContacts: contacts that go, and those that are written. One without an ID is new;
// one with an ID that is not there comes back under it. Most is how many the user may have once there are more than
// before; 0 is as many as come.
type ContactChange struct {
	Delete []int64
	Save   []Contact
	Most   int64
}

// ChangeContacts does all of a change or nothing. It gives the ids of what was saved, and what had been there before of
// all that was changed. ErrTooMany when there is no room. Members of groups that are not the user's are left out.
func (s *Store) ChangeContacts(ctx context.Context, userID int64, ch ContactChange) (ids []int64, before []Contact, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		for _, id := range ch.Delete {
			c, err := contactTx(ctx, tx, userID, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM contacts WHERE id = $1`, id); err != nil {
				return err
			}
			before = append(before, c)
		}
		for _, c := range ch.Save {
			old, err := s.saveContactTx(ctx, tx, userID, &c)
			if err != nil {
				return err
			}
			if ids = append(ids, c.ID); old.ID != 0 {
				before = append(before, old)
			}
		}
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM contacts WHERE user_id = $1`, userID).Scan(&n); err != nil {
			return err
		}
		if ch.Most > 0 && n > ch.Most && len(ids) > len(before) {
			return ErrTooMany
		}
		return nil
	})
	s.knowns.forget(userID)
	if err != nil {
		return nil, nil, err
	}
	return ids, before, nil
}

// saveContactTx writes a contact, gives it its id, and gives what was there before.
func (s *Store) saveContactTx(ctx context.Context, tx *sql.Tx, userID int64, c *Contact) (before Contact, err error) {
	if c.ID != 0 {
		if before, err = contactTx(ctx, tx, userID, c.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return before, err
		}
	}
	values := []any{userID, c.Name, c.Sort, c.Initial, c.Words, c.Card, s.ms()}
	switch {
	case before.ID != 0:
		_, err = tx.ExecContext(ctx, `UPDATE contacts SET name = $2, sort = $3, initial = $4, words = $5, card = $6, updated_at = $7 WHERE user_id = $1 AND id = $8`, append(values, c.ID)...)
	case c.ID != 0:
		// An id that has become somebody else's meanwhile would be an error of the database, and nothing is done.
		_, err = tx.ExecContext(ctx, `INSERT INTO contacts (user_id, name, sort, initial, words, card, created_at, updated_at, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`, append(values, c.ID)...)
	default:
		err = tx.QueryRowContext(ctx, `INSERT INTO contacts (user_id, name, sort, initial, words, card, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id`, values...).Scan(&c.ID)
	}
	if err != nil {
		return before, err
	}
	for _, q := range []string{`DELETE FROM contact_addresses WHERE contact_id = $1`, `DELETE FROM contact_members WHERE contact_id = $1`} {
		if _, err := tx.ExecContext(ctx, q, c.ID); err != nil {
			return before, err
		}
	}
	for i, a := range c.Addresses {
		if _, err := tx.ExecContext(ctx, `INSERT INTO contact_addresses (contact_id, user_id, address, place) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, c.ID, userID, strings.ToLower(a), i); err != nil {
			return before, err
		}
	}
	for _, g := range c.Groups {
		if _, err := tx.ExecContext(ctx, `INSERT INTO contact_members (group_id, contact_id) SELECT id, $1 FROM contact_groups WHERE id = $2 AND user_id = $3 ON CONFLICT DO NOTHING`, c.ID, g, userID); err != nil {
			return before, err
		}
	}
	return before, nil
}

// ContactOf gives the id of a contact that has a mail address, the oldest; ErrNotFound if none has.
func (s *Store) ContactOf(ctx context.Context, userID int64, address string) (id int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT contact_id FROM contact_addresses WHERE user_id = $1 AND address = $2 ORDER BY contact_id LIMIT 1`, userID, strings.ToLower(address)).Scan(&id)
	return id, one(err)
}

// scanPerson reads address, name, written and last_at.
func scanPerson(r *sql.Rows) (p Person, err error) {
	var last int64
	err = r.Scan(&p.Address, &p.Name, &p.Written, &last)
	p.LastAt = fromMS(last)
	return p, err
}

// Strangers lists people written to who are no contacts, those written to last first, and says how many there are.
func (s *Store) Strangers(ctx context.Context, userID int64, from, n int) (list []Person, total int, err error) {
	const cond = `FROM people WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM contact_addresses a WHERE a.user_id = people.user_id AND a.address = people.address)`
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) `+cond, userID).Scan(&total); err != nil {
		return nil, 0, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT address, name, written, last_at `+cond+` ORDER BY last_at DESC, address LIMIT $2 OFFSET $3`, userID, n, from)
	list, err = collect(rows, err, scanPerson)
	return list, total, err
}

// ForgetPerson takes somebody out of the people written to.
func (s *Store) ForgetPerson(ctx context.Context, userID int64, address string) error {
	defer s.knowns.forget(userID)
	return changed(s.db.ExecContext(ctx, `DELETE FROM people WHERE user_id = $1 AND address = $2`, userID, strings.ToLower(address)))
}

// ContactGroups lists the groups of a user by their names.
func (s *Store) ContactGroups(ctx context.Context, userID int64) ([]ContactGroup, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, (SELECT COUNT(*) FROM contact_members WHERE group_id = contact_groups.id) FROM contact_groups WHERE user_id = $1 ORDER BY sort`, userID)
	return collect(rows, err, func(r *sql.Rows) (g ContactGroup, err error) { return g, r.Scan(&g.ID, &g.Name, &g.Members) })
}

// GroupAddresses are the first mail addresses of a group's members, with their names.
func (s *Store) GroupAddresses(ctx context.Context, userID, group int64) ([]Person, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT a.address, c.name, 0, 0 FROM contact_members m JOIN contacts c ON c.id = m.contact_id JOIN contact_addresses a ON a.contact_id = c.id
		WHERE m.group_id = $1 AND c.user_id = $2 AND a.place = (SELECT MIN(place) FROM contact_addresses WHERE contact_id = c.id) ORDER BY c.sort, c.id`, group, userID)
	return collect(rows, err, scanPerson)
}

// MakeGroup gives the id of the group of that name, which it makes if there is none. sort is the name, folded. ErrTooMany
// when there is no room.
func (s *Store) MakeGroup(ctx context.Context, userID int64, name, sort string) (id int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id FROM contact_groups WHERE user_id = $1 AND sort = $2`, userID, sort).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM contact_groups WHERE user_id = $1`, userID).Scan(&n); err != nil {
			return err
		}
		if n >= maxGroups {
			return ErrTooMany
		}
		// Somebody may have made it meanwhile.
		return tx.QueryRowContext(ctx, `INSERT INTO contact_groups (user_id, name, sort) VALUES ($1, $2, $3) ON CONFLICT (user_id, sort) DO UPDATE SET sort = excluded.sort RETURNING id`, userID, name, sort).Scan(&id)
	})
	return id, err
}

// RenameGroup calls a group otherwise. false when another is called so.
func (s *Store) RenameGroup(ctx context.Context, userID, id int64, name, sort string) (ok bool, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		var taken bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contact_groups WHERE user_id = $1 AND sort = $2 AND id <> $3)`, userID, sort, id).Scan(&taken); err != nil || taken {
			return err
		}
		ok = true
		return changed(tx.ExecContext(ctx, `UPDATE contact_groups SET name = $1, sort = $2 WHERE user_id = $3 AND id = $4`, name, sort, userID, id))
	})
	return ok, err
}

// DeleteGroup deletes a group, not its members, and gives their ids.
func (s *Store) DeleteGroup(ctx context.Context, userID, id int64) (name string, members []int64, err error) {
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT name FROM contact_groups WHERE user_id = $1 AND id = $2`, userID, id).Scan(&name); err != nil {
			return one(err)
		}
		rows, err := tx.QueryContext(ctx, `SELECT contact_id FROM contact_members WHERE group_id = $1`, id)
		if members, err = collect(rows, err, func(r *sql.Rows) (v int64, err error) { return v, r.Scan(&v) }); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM contact_groups WHERE id = $1`, id)
		return err
	})
	return name, members, err
}

// ChangeMembers puts contacts into a group, or takes them out. It gives those for whom that was a change.
func (s *Store) ChangeMembers(ctx context.Context, userID, group int64, contacts []int64, in bool) (were []int64, err error) {
	query := `DELETE FROM contact_members WHERE group_id = (SELECT id FROM contact_groups WHERE id = $1 AND user_id = $2) AND contact_id = $3`
	if in {
		query = `INSERT INTO contact_members (group_id, contact_id) SELECT g.id, c.id FROM contact_groups g, contacts c
			WHERE g.id = $1 AND g.user_id = $2 AND c.id = $3 AND c.user_id = $2 ON CONFLICT DO NOTHING`
	}
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		for _, c := range contacts {
			if err := changed(tx.ExecContext(ctx, query, group, userID, c)); err == nil {
				were = append(were, c)
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return were, err
}

// fileAge is how long an uploaded file of contacts waits for a decision.
const fileAge = 24 * time.Hour

// KeepContactFile keeps what was read of a file until somebody decides what comes of it. A user has a few at once.
func (s *Store) KeepContactFile(ctx context.Context, userID int64, name, data string) (id string, err error) {
	id = NewID()
	return id, s.InTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM contact_files WHERE user_id = $1 AND id NOT IN (SELECT id FROM contact_files WHERE user_id = $1 ORDER BY created_at DESC LIMIT 2) OR created_at < $2`,
			userID, s.now().Add(-fileAge).UnixMilli())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO contact_files (id, user_id, name, data, created_at) VALUES ($1, $2, $3, $4, $5)`, id, userID, name, data, s.ms())
		return err
	})
}

// ContactFile gives back what KeepContactFile keeps.
func (s *Store) ContactFile(ctx context.Context, userID int64, id string) (name, data string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT name, data FROM contact_files WHERE user_id = $1 AND id = $2`, userID, id).Scan(&name, &data)
	return name, data, one(err)
}

// DropContactFile forgets a file.
func (s *Store) DropContactFile(ctx context.Context, userID int64, id string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM contact_files WHERE user_id = $1 AND id = $2`, userID, id)
	return err
}

// SaveContactFile changes what is kept of a file.
func (s *Store) SaveContactFile(ctx context.Context, userID int64, id, data string) error {
	return changed(s.db.ExecContext(ctx, `UPDATE contact_files SET data = $1 WHERE user_id = $2 AND id = $3`, data, userID, id))
}
