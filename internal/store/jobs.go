package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// Job is something that goes on behind the pages, or waits, as an admin may see it: it holds no subject and nobody who was
// written to, and what a server said is without them too.
type Job struct {
	Kind       JobKind
	ID, UserID int64
	Address    string // whose it is
	Stage      JobStage
	State      string // of JobSend an OutboxState, of JobWork a WorkState
	Problem    string
	Server     string
	ServerText string
	Tries      int
	NextAt     time.Time // of what waits
	Created    time.Time
	Size       int64 // of a mail, bytes
	People     int   // to whom a mail goes
	Total, At  int   // mails of an act in the background, and those that have had their turn
	Every      time.Duration
	Held       bool // a source that an admin has paused
	Paused     bool // by its person
	Locked     bool // its person is locked: what is theirs waits
}

// JobKind is what a job does.
type JobKind string

// The kinds of jobs.
const (
	JobSend   JobKind = "send"   // an outbox item
	JobImport JobKind = "import" // a source
	JobWork   JobKind = "work"   // an act on many mails
)

// JobStage is where a job stands.
type JobStage string

// The stages of jobs, in the order in which they are listed.
const (
	JobFailed  JobStage = "failed" // it waits for somebody to do something
	JobRunning JobStage = "running"
	JobWaiting JobStage = "waiting"
	JobPaused  JobStage = "paused"
)

// StoppedByAdmin is the problem of an outbox item, or of work, that an admin has stopped.
const StoppedByAdmin = "stopped-by-admin"

// importsHeld is true while an admin has paused all imports.
const importsHeld = `EXISTS (SELECT 1 FROM site WHERE name = '` + SiteImportsHeld + `')`

// allJobs are those of all users; $1 is now.
const allJobs = `(
	SELECT j.*, u.address, u.locked, CASE WHEN u.locked AND (begun = 'waiting' OR begun = 'failed' AND kind = 'import' AND NOT paused) THEN 'paused' ELSE begun END AS stage
	FROM (
	SELECT 'send' AS kind, id, user_id, CASE WHEN state IN ('connecting', 'data', 'dot') THEN 'running' WHEN state IN ('held', 'waiting', 'accepted') THEN 'waiting' ELSE 'failed' END AS begun,
		state, problem, server, server_text, tries, CASE WHEN state = 'held' THEN due_at ELSE next_at END AS next_at, created_at, size, recipients, subject, 0 AS total, 0 AS at, 0 AS every_s, FALSE AS held, FALSE AS paused
	FROM outbox WHERE state NOT IN ('sent', 'undone')
	UNION ALL
	SELECT 'import', id, user_id, CASE WHEN taken_until > $1 THEN 'running' WHEN held OR ` + importsHeld + ` THEN 'paused' WHEN problem NOT IN ('', 'done', 'stopped') THEN 'failed' WHEN paused THEN 'paused' ELSE 'waiting' END,
		'', problem, host, server_text, failures, next_at, created_at, 0, '[]', '', 0, 0, every_s, held, paused
	FROM sources WHERE removed_at = 0
	UNION ALL
	SELECT 'work', id, user_id, CASE WHEN state IN ('running', 'stopping') THEN 'running' ELSE state END,
		state, problem, '', '', tries, taken_until, created_at, 0, '[]', '', total, at, 0, FALSE, FALSE
	FROM work WHERE state IN ('waiting', 'running', 'stopping', 'failed')) AS j JOIN users u ON u.id = j.user_id) AS j`

const jobColumns = `j.kind, j.id, j.user_id, j.address, j.stage, j.state, j.problem, j.server, j.server_text, j.tries, j.next_at, j.created_at, j.size, j.recipients, j.subject, j.total, j.at, j.every_s, j.held, j.paused, j.locked`

// JobQuery asks for jobs, those that need somebody first: of a stage and a kind ("" for all), up to N after the first Skip.
type JobQuery struct {
	Stage   JobStage
	Kind    JobKind
	Skip, N int
}

// Jobs lists jobs of all users.
func (s *Store) Jobs(ctx context.Context, q JobQuery) ([]Job, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+jobColumns+` FROM `+allJobs+` WHERE ($2 = '' OR j.stage = $2) AND ($3 = '' OR j.kind = $3)
		ORDER BY CASE j.stage WHEN 'failed' THEN 0 WHEN 'running' THEN 1 WHEN 'waiting' THEN 2 ELSE 3 END, j.kind, j.id DESC LIMIT $4 OFFSET $5`,
		s.ms(), string(q.Stage), string(q.Kind), q.N, q.Skip)
	return collect(rows, err, scanJob)
}

func scanJob(r *sql.Rows) (j Job, err error) {
	var next, created, every int64
	var recipients, subject string
	err = r.Scan(&j.Kind, &j.ID, &j.UserID, &j.Address, &j.Stage, &j.State, &j.Problem, &j.Server, &j.ServerText, &j.Tries, &next, &created, &j.Size, &recipients, &subject, &j.Total, &j.At, &every, &j.Held, &j.Paused, &j.Locked)
	if err != nil {
		return j, err
	}
	j.NextAt, j.Created, j.Every = fromMS(next), fromMS(created), time.Duration(every)*time.Second
	var to []string
	err = json.Unmarshal([]byte(recipients), &to)
	j.People, j.ServerText = len(to), Masked(j.ServerText, subject)
	return j, err
}

// JobCounts counts the jobs of all users by where they stand.
func (s *Store) JobCounts(ctx context.Context) (map[JobStage]int, error) {
	type count struct {
		stage JobStage
		n     int
	}
	rows, err := s.db.QueryContext(ctx, `SELECT j.stage, COUNT(*) FROM `+allJobs+` GROUP BY j.stage`, s.ms())
	list, err := collect(rows, err, func(r *sql.Rows) (c count, err error) { return c, r.Scan(&c.stage, &c.n) })
	out := map[JobStage]int{}
	for _, c := range list {
		out[c.stage] = c.n
	}
	return out, err
}

// Job is one job; ErrNotFound if it is no more.
func (s *Store) Job(ctx context.Context, kind JobKind, id int64) (Job, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+jobColumns+` FROM `+allJobs+` WHERE j.kind = $2 AND j.id = $3`, s.ms(), string(kind), id)
	list, err := collect(rows, err, scanJob)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Job{}, err
	}
	return list[0], nil
}

const maskedBytes = 300

var (
	addressLike = regexp.MustCompile(`[^\s<>()\[\]",;:@]+@([^\s<>()\[\]",;:@]+)`)
	wordLike    = regexp.MustCompile(`\S+`)
)

// Masked is what a server said, as somebody may see it who is not to know of the mail: addresses without their local
// parts, a subject (more than three letters, "" for none) left out, at most 300 bytes.
func Masked(text, subject string) string {
	if words := wordLike.FindAllString(subject, -1); len([]rune(strings.Join(words, ""))) > 3 {
		for i, w := range words {
			words[i] = regexp.QuoteMeta(w)
		}
		if like, err := regexp.Compile(`(?i)` + strings.Join(words, `\s+`)); err == nil { // too long a one cannot stand in an answer
			text = like.ReplaceAllString(text, "…")
		}
	}
	text = addressLike.ReplaceAllString(text, "…@$1")
	return strings.ToValidUTF8(text[:min(len(text), maskedBytes)], "")
}

// RetryStoppedTx makes an outbox item due now, as an admin may: one that waits, whose server could not be used, or that an
// admin has stopped. What was refused, or was perhaps sent, is for its writer to decide. ErrNotFound: it is none of these.
func (s *Store) RetryStoppedTx(ctx context.Context, tx *sql.Tx, id int64) error {
	return changed(tx.ExecContext(ctx, `
		UPDATE outbox SET state = 'waiting', next_at = 0, problem = '', server_text = '', first_try_at = 0, updated_at = $1
		WHERE id = $2 AND (state IN ('waiting', 'config') OR state = 'rejected' AND problem = $3)`, s.ms(), id, StoppedByAdmin))
}

// StopOutbox takes an item from the queue that no worker has, as an admin may. It stays in its writer's outbox, not sent.
// ErrNotFound: it is on its way, or its writer has it.
func (s *Store) StopOutbox(ctx context.Context, id int64) error {
	return changed(s.db.ExecContext(ctx, `UPDATE outbox SET state = 'rejected', problem = $1, server = '', server_text = '', updated_at = $2 WHERE id = $3 AND state IN ('held', 'waiting')`,
		StoppedByAdmin, s.ms(), id))
}

// StopAnyWork asks for anybody's work to end, as an admin may; its person is told so.
func (s *Store) StopAnyWork(ctx context.Context, id int64) error {
	return changed(s.db.ExecContext(ctx, `
		UPDATE work SET state = CASE WHEN state = 'waiting' THEN 'stopped' ELSE 'stopping' END, problem = $1, updated_at = $2
		WHERE id = $3 AND state IN ('waiting', 'running')`, StoppedByAdmin, s.ms(), id))
}

// SetSourceHeld has an admin pause a source, or let it go on. What its person has paused stays so.
func (s *Store) SetSourceHeld(ctx context.Context, id int64, held bool) error {
	return changed(s.db.ExecContext(ctx, `UPDATE sources SET held = $1, next_at = CASE WHEN $1 THEN next_at ELSE not_before END, updated_at = $2 WHERE id = $3 AND removed_at = 0`, held, s.ms(), id))
}
