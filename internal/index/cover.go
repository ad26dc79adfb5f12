package index

import (
	"context"
	"database/sql"
	"errors"
	binary "math/bits"
	"slices"
)

// block are the bits of 512 mails in a row.
type block [1 << blockBits / 8]byte

func (b *block) has(id int64) bool { return b[id%(1<<blockBits)/8]>>(id%8)&1 != 0 }

func (b *block) set(id int64, on bool) {
	if b[id%(1<<blockBits)/8] &^= 1 << (id % 8); on {
		b[id%(1<<blockBits)/8] |= 1 << (id % 8)
	}
}

// covered are 512 mails: those of which there is a text, and those of which there is all of it.
type covered struct{ held, whole block }

// cover says of a mailbox of which mails there are texts: by the number of their block.
type cover map[uint32]*covered

func (c cover) whole(uid uint32) bool {
	b := c[uid>>blockBits]
	return b != nil && b.whole.has(int64(uid))
}

// uids are the mails of which there are texts, rising.
func (c cover) uids() (uids []uint32) {
	for at := range c {
		for i, eight := range c[at].held {
			for ; eight != 0; eight &= eight - 1 {
				uids = append(uids, at<<blockBits|uint32(i*8+binary.TrailingZeros8(eight)))
			}
		}
	}
	slices.Sort(uids)
	return uids
}

func coverOf(ctx context.Context, q asker, at *box) (cover, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, held, whole FROM cover WHERE id BETWEEN ? AND ?`, idOf(at, 0), idOf(at, 1<<32-1))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	c := cover{}
	for rows.Next() {
		var id int64
		var of covered
		if err := of.read(rows.Scan, &id); err != nil {
			return nil, err
		}
		c[uint32(id)] = &of
	}
	return c, rows.Err()
}

func (c *covered) read(scan func(...any) error, more ...any) error {
	var held, whole []byte
	err := scan(append(more, &held, &whole)...)
	copy(c.held[:], held)
	copy(c.whole[:], whole)
	return err
}

// covering changes what is covered, and writes it down at the end.
type covering struct {
	ctx  context.Context
	tx   *sql.Tx
	read map[int64]*covered // by the id of their block
}

// at is the block of a mail, by its id.
func (c *covering) at(id int64) (*covered, error) {
	id = id>>32<<32 | id&(1<<32-1)>>blockBits
	if of := c.read[id]; of != nil {
		return of, nil
	}
	var of covered
	if err := of.read(c.tx.QueryRowContext(c.ctx, `SELECT held, whole FROM cover WHERE id = ?`, id).Scan); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if c.read == nil {
		c.read = map[int64]*covered{}
	}
	c.read[id] = &of
	return &of, nil
}

func (c *covering) set(id int64, held, whole bool) error {
	of, err := c.at(id)
	if err == nil {
		of.held.set(id, held)
		of.whole.set(id, held && whole)
	}
	return err
}

func (c *covering) save() error {
	for id, of := range c.read {
		var err error
		if of.held == (block{}) {
			_, err = c.tx.ExecContext(c.ctx, `DELETE FROM cover WHERE id = ?`, id)
		} else {
			_, err = c.tx.ExecContext(c.ctx, `INSERT OR REPLACE INTO cover (id, held, whole) VALUES (?, ?, ?)`, id, of.held[:], of.whole[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
