package store

import (
	"context"
	"database/sql"
	"time"

	"restante/migrations"
)

// Watched is how a server of a domain answered when it was last looked at. Problem is "" where all is as it should be,
// and it has been so since Since.
type Watched struct {
	Domain, Service, Server string
	Problem                 string
	Since, Looked           time.Time
	CertUntil               time.Time // zero without a certificate
}

// SaveWatched notes how a server answered just now.
func (s *Store) SaveWatched(ctx context.Context, w Watched) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO watched (domain, service, server, problem, since_at, cert_until, looked_at) VALUES ($1, $2, $3, $4, $5, $6, $5)
		ON CONFLICT (domain, service) DO UPDATE SET server = excluded.server, problem = excluded.problem, cert_until = excluded.cert_until, looked_at = excluded.looked_at,
			since_at = CASE WHEN watched.problem = excluded.problem AND watched.server = excluded.server THEN watched.since_at ELSE excluded.since_at END`,
		w.Domain, w.Service, w.Server, w.Problem, s.ms(), toMS(w.CertUntil))
	return err
}

// Watched lists how the servers of all domains answered, by their domains.
func (s *Store) Watched(ctx context.Context) ([]Watched, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT domain, service, server, problem, since_at, cert_until, looked_at FROM watched ORDER BY domain, service`)
	return collect(rows, err, func(r *sql.Rows) (w Watched, err error) {
		var since, until, looked int64
		err = r.Scan(&w.Domain, &w.Service, &w.Server, &w.Problem, &since, &until, &looked)
		w.Since, w.CertUntil, w.Looked = fromMS(since), fromMS(until), fromMS(looked)
		return w, err
	})
}

// ForgetWatched forgets what was not looked at since a time: domains, or services of them, that are no more.
func (s *Store) ForgetWatched(ctx context.Context, before time.Time) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM watched WHERE looked_at < $1`, toMS(before))
	return err
}

// DomainUse is what people do at a domain.
type DomainUse struct {
	LastSignIn time.Time // zero if nobody ever signed in
	SignedIn   int       // people with a living session that was used within the last hour
	Waiting    int       // people with mail that waits to be sent
}

// DomainUses says what people do at each domain, by its name.
func (s *Store) DomainUses(ctx context.Context) (map[string]DomainUse, error) {
	type use struct {
		domain string
		DomainUse
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT domain, MAX(seen_at), SUM(signed_in), SUM(waits) FROM (
			SELECT SUBSTR(u.address, `+s.at("u.address")+` + 1) AS domain, u.seen_at AS seen_at,
				CASE WHEN EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.seen_at > $2 AND `+living("s.", "$1")+`) THEN 1 ELSE 0 END AS signed_in,
				CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.user_id = u.id AND o.state IN ('waiting', 'connecting', 'data', 'dot')) THEN 1 ELSE 0 END AS waits
			FROM users u) AS people GROUP BY domain`, s.ms(), s.ms()-time.Hour.Milliseconds())
	list, err := collect(rows, err, func(r *sql.Rows) (v use, err error) {
		var seen int64
		err = r.Scan(&v.domain, &seen, &v.SignedIn, &v.Waiting)
		v.LastSignIn = fromMS(seen)
		return v, err
	})
	out := map[string]DomainUse{}
	for _, v := range list {
		out[v.domain] = v.DomainUse
	}
	return out, err
}

// at is where the sign @ stands in a column.
func (s *Store) at(column string) string {
	if s.dialect == migrations.SQLite {
		return `INSTR(` + column + `, '@')`
	}
	return `STRPOS(` + column + `, '@')`
}

// SpaceUsed is how many bytes of letters and files wait in the database.
func (s *Store) SpaceUsed(ctx context.Context) (n int64, err error) {
	return n, s.db.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs`).Scan(&n)
}
