package pop3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"restante/mailclient/pop3"
	"restante/mailclient/wire"
)

// world is what outlives a run that is killed: the source's and the target's servers, ledger, spool, and the clock. A
// process is one life of the program in it. Every durable write and every network act is a step; a process that is
// killed at one takes no further step, in no goroutine.
type world struct {
	mu  sync.Mutex
	rng *rand.Rand

	now    time.Time
	alive  *process
	faults float64 // how likely an act fails
	wrongs []string
	trace  []string

	// the source
	mails    []*original
	bodies   map[string]int // how often each body has ever been at the source
	lost     map[string]int // mails that somebody else has deleted there
	noUIDL   bool
	noTOP    bool
	forgets  bool // EXPIRE 0: QUIT deletes what was retrieved
	seldom   bool // odd listings
	lastUID  int
	sessions int

	// the target
	boxes    map[string][]*copied
	validity uint32
	uidnext  uint32
	history  []*copied // everything that was ever taken

	// ours
	rows  []pop3.Row
	spool map[int64][]byte
	safe  map[int64]bool // what of the spool a power cut does not reach

	tokens map[int64][]string // that rows have had before: for P20
}

// original is a mail at the source.
type original struct {
	uid, body string
	gone      bool
}

// copied is a mail that the target has taken.
type copied struct {
	token, body string
	uid         uint32
	seenAt      time.Time // before, nobody sees it
	gone        bool
}

// process is one life of the program.
type process struct {
	w     *world
	left  int // steps until it is killed; below 0 it is not
	dead  bool
	died  chan struct{}
	steps int
}

func (w *world) start(left int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &process{w: w, left: left, died: make(chan struct{})}
	w.alive = p
	return p
}

// powerCut takes from the spool what was not forced to the disk, or tears it, which is noticed.
func (w *world) powerCut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(w.spool)) {
		if !w.safe[id] && w.chance(0.5) {
			w.log("the power cut took %d", id)
			delete(w.spool, id)
		}
	}
}

// step is one act. It does not return to a process that is dead or that it kills. It leaves the world locked.
func (p *process) step() {
	p.w.mu.Lock()
	p.steps++
	if p.left--; p.left == 0 && !p.dead {
		p.dead = true
		close(p.died)
	}
	if p.dead {
		p.w.mu.Unlock()
		runtime.Goexit()
	}
}

// did ends an act: the process may be killed before it hears of it.
func (p *process) did() {
	p.w.mu.Unlock()
	p.step()
	p.w.mu.Unlock()
}

// log notes what happened, to be read when a world goes wrong: which goroutine is first is not in the seed.
func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) wrong(format string, args ...any) {
	w.wrongs = append(w.wrongs, fmt.Sprintf(format, args...))
	w.log("WRONG: "+format, args...)
}

// chance says yes now and then.
func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

func (w *world) fails() bool { return w.faults > 0 && w.chance(w.faults) }

// ---- the source ----

func (w *world) arrive(body, uid string) {
	w.mails = append(w.mails, &original{uid: uid, body: body})
	w.bodies[body]++
}

func (w *world) freshUID() string {
	w.lastUID++
	return fmt.Sprintf("u%d", w.lastUID)
}

type source struct {
	p      *process
	list   []*original
	listed bool
	marks  map[int]bool
	given  map[int]bool // whole, by RETR
	broken bool
	odd    int
	born   time.Time
}

func (p *process) dial(context.Context) (pop3.Session, error) {
	p.step()
	defer p.did()
	w := p.w
	if w.fails() {
		switch w.rng.IntN(3) {
		case 0:
			return nil, &wire.ConnectError{Host: "pop", Kind: wire.Unreachable}
		case 1:
			return nil, &pop3.RefusedError{Host: "pop", Command: "PASS", Code: "IN-USE"}
		}
		return nil, &pop3.RefusedError{Host: "pop", Command: "PASS"}
	}
	w.sessions++
	s := &source{p: p, marks: map[int]bool{}, given: map[int]bool{}, born: w.now}
	for _, m := range w.mails {
		if !m.gone {
			s.list = append(s.list, m)
		}
	}
	return s, nil
}

// act is one exchange: it fails now and then, by a drop or a refusal.
func (s *source) act(command string) error {
	w := s.p.w
	switch {
	case s.broken:
		return &wire.ConnectError{Host: "pop", Kind: wire.Lost}
	case w.fails() && w.chance(0.5):
		return &pop3.RefusedError{Host: "pop", Command: command, Text: "not now"}
	case w.fails():
		s.broken = true
		return &wire.ConnectError{Host: "pop", Kind: wire.Lost}
	}
	return nil
}

func (s *source) Listing(_ context.Context, each func(pop3.Entry) error) (bool, error) {
	s.p.step()
	w := s.p.w
	var list []pop3.Entry
	err := s.act("STAT")
	empty := w.seldom && w.chance(0.03)
	for i, m := range s.list {
		e := pop3.Entry{Number: i + 1, UID: m.uid, Size: int64(len(m.body))}
		if w.noUIDL {
			e.UID = ""
		} else if w.seldom && w.chance(0.01) {
			e.UID = ""
			s.odd++
		}
		if !empty {
			list = append(list, e)
		}
	}
	s.listed = true
	w.log("listing %v %v %v", list, err, func() (o []string) {
		for _, m := range s.list {
			o = append(o, short(m.body))
		}
		return
	}())
	s.p.did()
	for _, e := range list {
		if err == nil {
			err = each(e)
		}
	}
	return !w.noUIDL, err
}

func (s *source) mail(number int) *original {
	if !s.listed || number < 1 || number > len(s.list) {
		s.p.w.wrong("P21: number %d in a session that has not listed it", number)
		return &original{}
	}
	return s.list[number-1]
}

func (s *source) UIDOf(_ context.Context, number int) (string, error) {
	s.p.step()
	defer s.p.did()
	return s.mail(number).uid, s.act("UIDL")
}

func (s *source) Top(_ context.Context, number int) ([]byte, error) {
	s.p.step()
	defer s.p.did()
	if s.p.w.noTOP {
		return nil, &pop3.RefusedError{Host: "pop", Command: "TOP"}
	}
	head, _, _ := strings.Cut(s.mail(number).body, "\r\n\r\n")
	var no *pop3.RefusedError
	err := s.act("TOP")
	if errors.As(err, &no) { // a server that knows TOP gives it
		err = nil
	}
	return []byte(head + "\r\n"), err
}

func (s *source) Retr(_ context.Context, number int, w io.Writer, _ int64, _ int) (pop3.Content, error) {
	s.p.step()
	body := s.mail(number).body
	err := s.act("RETR")
	var lost *wire.ConnectError
	if errors.As(err, &lost) {
		body = body[:s.p.w.rng.IntN(len(body)+1)]
	} else if err != nil {
		body = ""
	}
	s.p.w.mu.Unlock()
	_, werr := io.WriteString(w, body)
	s.p.step()
	s.given[number] = err == nil
	s.p.w.mu.Unlock()
	return pop3.Content{Bytes: int64(len(body))}, errors.Join(err, werr)
}

func (s *source) Dele(_ context.Context, number int) error {
	s.p.step()
	defer s.p.did()
	m := s.mail(number)
	s.p.w.log("DELE %d %s %s", number, m.uid, short(m.body))
	s.p.w.mayDelete(m)
	err := s.act("DELE")
	if err == nil {
		s.marks[number] = true
	}
	return err
}

// mayDelete is P19: a mail is only deleted when a durable row says so, and the target has taken it.
func (w *world) mayDelete(m *original) {
	for _, row := range w.rows {
		for _, c := range w.history {
			if row.State == pop3.Deleting && row.Token != "" && c.token == row.Token && c.body == m.body {
				return
			}
		}
	}
	w.wrong("P19: DELE of %q, which is not surely in the target", short(m.body))
}

func (s *source) Noop(context.Context) error {
	s.p.step()
	defer s.p.did()
	return s.act("NOOP")
}

func (s *source) Quit(context.Context) error {
	s.p.step()
	defer s.p.did()
	before := s.p.w.fails()
	err := s.act("QUIT")
	if err == nil || !before {
		for n := range s.marks {
			s.list[n-1].gone = true
			if !s.p.w.taken(s.list[n-1].body) {
				s.p.w.wrong("lost: %q", short(s.list[n-1].body))
			}
		}
	}
	for n, whole := range s.given {
		if m := s.list[n-1]; s.p.w.forgets && whole && err == nil {
			m.gone = true
			if !s.p.w.taken(m.body) && !s.p.w.waits(m.body) {
				s.p.w.wrong("lost, as the source forgets: %q", short(m.body))
			}
		}
	}
	s.broken = true
	return err
}

// waits says whether a mail is in the spool for good, or may be one of which the person is told that nobody knows.
func (w *world) waits(body string) bool {
	if slices.ContainsFunc(w.rows, func(row pop3.Row) bool { return row.State == pop3.Doubtful }) {
		return true
	}
	for id, text := range w.spool {
		if w.safe[id] && string(text) == body {
			return true
		}
	}
	return false
}

func (w *world) taken(body string) bool {
	return slices.ContainsFunc(w.history, func(c *copied) bool { return c.body == body })
}

func (s *source) Close()                    {}
func (s *source) Age() time.Duration        { return s.p.clock().Sub(s.born) }
func (s *source) Odd() int                  { return s.odd }
func (s *source) LoginDelay() time.Duration { return 0 }

// ---- the target ----

type target struct{ p *process }

func (t target) Place(context.Context) (pop3.Place, error) {
	t.p.step()
	defer t.p.did()
	if t.p.w.fails() {
		return pop3.Place{}, &pop3.NotTakenError{Why: pop3.Away, Host: "imap"}
	}
	return t.p.w.place(), nil
}

func (w *world) place() pop3.Place {
	return pop3.Place{Mailbox: "INBOX", UIDValidity: w.validity, UIDNext: w.uidnext}
}

func (t target) Append(_ context.Context, _ pop3.Place, m pop3.Mail) (uint32, error) {
	raw, err := io.ReadAll(m.Body)
	if err != nil {
		return 0, err
	}
	t.p.step()
	defer t.p.did()
	w := t.p.w
	_, token, ok := strings.Cut(strings.TrimSuffix(m.Mark, "\r\n"), ": 7.")
	if !ok || int64(len(raw)) != m.Size {
		w.wrong("a mail of %d octets is told as %d, with the mark %q", len(raw), m.Size, m.Mark)
	}
	w.log("APPEND %s %s", token, short(string(raw)))
	w.mayAppend(token)
	if w.fails() {
		return 0, &pop3.NotTakenError{Why: []pop3.Trouble{pop3.OverQuota, pop3.No, pop3.NoPlace, pop3.NoSignIn, pop3.Away}[w.rng.IntN(5)], Host: "imap"}
	}
	lost := &wire.ConnectError{Host: "imap", Kind: wire.Lost}
	if w.fails() {
		return 0, lost
	}
	c := &copied{token: token, body: string(raw), uid: w.uidnext}
	w.uidnext++
	w.history = append(w.history, c)
	w.boxes["INBOX"] = append(w.boxes["INBOX"], c)
	if w.fails() { // taken, and nobody hears of it; perhaps it takes a moment
		c.seenAt = w.now.Add(time.Duration(w.rng.IntN(2)) * 10 * time.Second)
		return 0, lost
	}
	return c.uid, nil
}

// mayAppend is P20: a mail is appended when a durable row says so, and no earlier APPEND of it can have been taken.
func (w *world) mayAppend(token string) {
	for _, row := range w.rows {
		if row.Token != token {
			continue
		}
		if row.State != pop3.Appending {
			w.wrong("P20: APPEND of a row that is %s", row.State)
		}
		for _, old := range w.tokens[row.ID] {
			if slices.ContainsFunc(w.history, func(c *copied) bool { return c.token == old }) {
				w.wrong("P20: a second APPEND of what was taken already")
			}
		}
		return
	}
	w.wrong("P20: APPEND without a row")
}

func (t target) Find(_ context.Context, at pop3.Place, token string) (f pop3.Found, err error) {
	t.p.step()
	defer t.p.did()
	w := t.p.w
	if w.fails() {
		return f, &pop3.NotTakenError{Why: pop3.Away, Host: "imap"}
	}
	for _, box := range []string{"INBOX", "Other"} {
		for _, c := range w.boxes[box] {
			if c.token == token && !c.gone && !c.seenAt.After(w.now) {
				return pop3.Found{Found: true, At: pop3.Place{Mailbox: box, UIDValidity: w.validity}, UID: c.uid}, nil
			}
		}
	}
	there := 0
	for _, c := range w.boxes["INBOX"] {
		if c.uid >= at.UIDNext && !c.gone {
			there++
		}
	}
	f.Absent = at.UIDValidity == w.validity && uint32(there) == w.uidnext-at.UIDNext
	for _, c := range w.boxes["INBOX"] { // one on its way has no UID yet
		if c.token == token && c.seenAt.After(w.now) {
			f.Absent = true
		}
	}
	return f, nil
}

// ---- ledger and spool ----

type ledger struct{ p *process }

func (l ledger) Load(_ context.Context, each func(pop3.Row) error) error {
	l.p.step()
	rows := slices.Clone(l.p.w.rows)
	l.p.w.mu.Unlock()
	for _, row := range rows {
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

func (l ledger) Row(_ context.Context, id int64) (pop3.Row, error) {
	l.p.step()
	defer l.p.did()
	return l.p.w.rows[id-1], nil
}

func (l ledger) Add(_ context.Context, rows []pop3.Row) error {
	l.p.step()
	defer l.p.did()
	w := l.p.w
	for i := range rows {
		for _, other := range w.rows {
			if other.UID == rows[i].UID && other.Dup == rows[i].Dup {
				w.wrong("two rows are %q %d", other.UID, other.Dup)
			}
		}
		rows[i].ID = int64(len(w.rows) + 1)
		w.log("add %d %q.%d cmp %v", rows[i].ID, rows[i].UID, rows[i].Dup, rows[i].Compare)
		w.rows = append(w.rows, rows[i])
	}
	return nil
}

func (l ledger) Save(_ context.Context, rows ...pop3.Row) error {
	l.p.step()
	defer l.p.did()
	w := l.p.w
	for _, row := range rows {
		old := w.rows[row.ID-1]
		row.UID, row.Dup, row.Compare = old.UID, old.Dup, old.Compare
		if old.Token != "" && old.Token != row.Token && row.State != pop3.Gone && row.State != pop3.Missing {
			w.tokens[row.ID] = append(w.tokens[row.ID], old.Token)
		}
		if (row.State == pop3.Spooled && old.State != pop3.Appending || row.State == pop3.Appending) && w.spool[row.ID] == nil {
			w.wrong("P22: a row is %s without a spool", row.State)
		}
		w.log("save %d %q.%d (%s) %s %s %d tries: %s", row.ID, row.UID, row.Dup, old.State, row.State, row.Token, row.Tries, short(string(w.spool[row.ID])))
		w.rows[row.ID-1] = row
	}
	return nil
}

func (l ledger) Mark(_ context.Context, c pop3.Change, ids ...int64) error {
	l.p.step()
	defer l.p.did()
	for _, id := range ids {
		row := &l.p.w.rows[id-1]
		l.p.w.log("mark %d %q.%d %s -> %s %s", id, row.UID, row.Dup, row.State, c.State, c.Words)
		row.State, row.Compare, row.Changed = c.State, row.Compare || c.Compare, l.p.w.now
		if c.Words != "" {
			row.Tries++
			row.LastError = c.Words
		}
	}
	return nil
}

func (l ledger) Progress(context.Context, pop3.Progress) error { return nil }

type spool struct{ p *process }

type spooling struct {
	bytes.Buffer
	s  spool
	id int64
}

func (s spool) Create(id int64) (pop3.Spooling, error) {
	s.p.step()
	defer s.p.did()
	return &spooling{s: s, id: id}, nil
}

func (f *spooling) Commit() error {
	f.s.p.step()
	defer f.s.p.did()
	f.s.p.w.spool[f.id] = append([]byte{}, f.Bytes()...)
	delete(f.s.p.w.safe, f.id)
	return nil
}

func (f *spooling) Abort() {}

func (s spool) Open(id int64) (io.ReadCloser, int64, error) {
	s.p.step()
	defer s.p.did()
	raw := s.p.w.spool[id]
	if raw == nil {
		return nil, 0, os.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(raw)), int64(len(raw)), nil
}

func (s spool) Remove(id int64) error {
	s.p.step()
	defer s.p.did()
	w := s.p.w
	for _, row := range w.rows {
		if row.ID == id && slices.Contains([]pop3.State{pop3.Spooled, pop3.Appending, pop3.Failed, pop3.Doubtful}, row.State) {
			w.wrong("P10: the spool of a row that is %s is thrown away", row.State)
		}
	}
	delete(w.spool, id)
	delete(w.safe, id)
	return nil
}

func (s spool) IDs() (ids []int64, err error) {
	s.p.step()
	defer s.p.did()
	for id := range s.p.w.spool {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

func (s spool) Sync(id int64) error {
	s.p.step()
	defer s.p.did()
	s.p.w.safe[id] = true
	return nil
}

func (s spool) Full() bool { return false }

// look locks the world for a process that only looks, and is no step.
func (p *process) look() {
	p.w.mu.Lock()
	if p.dead {
		p.w.mu.Unlock()
		runtime.Goexit()
	}
}

func (p *process) clock() time.Time {
	p.look()
	defer p.w.mu.Unlock()
	return p.w.now
}

func short(s string) string { line, _, _ := strings.Cut(s, "\r"); return line }
