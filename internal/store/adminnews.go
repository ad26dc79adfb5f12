package store

import (
	"context"
	"database/sql"
	"time"
)

// AdminNews is what an admin is to know of another one: that they were made ("create"), or let in anew ("reset"), by
// somebody on the machine.
type AdminNews struct {
	About, Kind string
	At          time.Time
}

// TellAdmins has all admins but the one it is about be told, until each has said that they know.
func (s *Store) TellAdmins(ctx context.Context, about, kind string) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO admin_news (admin_id, about, kind, at) SELECT id, $1, $2, $3 FROM admins WHERE name <> $1
		ON CONFLICT (admin_id, about, kind) DO UPDATE SET at = excluded.at`, adminName(about), kind, s.ms())
	return err
}

// AdminNews lists what an admin has not said they know, the newest first.
func (s *Store) AdminNews(ctx context.Context, adminID int64) ([]AdminNews, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT about, kind, at FROM admin_news WHERE admin_id = $1 ORDER BY at DESC, about, kind LIMIT 20`, adminID)
	return collect(rows, err, func(r *sql.Rows) (n AdminNews, err error) {
		var at int64
		err = r.Scan(&n.About, &n.Kind, &at)
		n.At = fromMS(at)
		return n, err
	})
}

// KnowAdmin notes that an admin knows. ErrNotFound: they have said so before.
func (s *Store) KnowAdmin(ctx context.Context, adminID int64, about, kind string) error {
	return changed(s.db.ExecContext(ctx, `DELETE FROM admin_news WHERE admin_id = $1 AND about = $2 AND kind = $3`, adminID, about, kind))
}
