package handlers

import (
	"context"
	"errors"
	"sync"
	"time"

	"restante/internal/seal"
	"restante/mailclient"
)

// passwords spares the mail servers, to whom all tries come from one address, that of Restante: a pair of address and
// password that was wrong is not asked for again at once, and an account is asked about once at a time.
type passwords struct {
	ring *seal.Ring
	now  func() time.Time

	lanes *crowd[string] // one for an account's strangers, one for its devices

	mu    sync.Mutex
	wrong map[string]wrongPair // by keyed hash
}

type wrongPair struct {
	at  time.Time
	err error
}

const (
	staysWrong = 2 * time.Minute
	maxWrong   = 10_000
	askTime    = 45 * time.Second // for an answer of the mail server, with the wait for those before
)

func newPasswords(ring *seal.Ring, now func() time.Time) *passwords {
	return &passwords{ring: ring, now: now, lanes: newCrowd[string](1), wrong: map[string]wrongPair{}}
}

// try calls ask unless the pair was wrong a moment ago, and then gives that answer again. ask runs to its end even if
// the browser goes away: else going away would make a try that counts for nothing. Known devices do not wait behind
// strangers.
func (p *passwords) try(ctx context.Context, address, password string, known bool, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	name := "stranger " + address
	if known {
		name = "known " + address
	}
	leave, err := p.lanes.enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	pair := string(p.ring.MAC("wrong-pair/1", address, password))
	if err := p.wasWrong(pair); err != nil {
		return err
	}
	err = ask(ctx)
	var refused *mailclient.SignInError
	if errors.As(err, &refused) && !refused.Temporary {
		p.remember(pair, err)
	}
	return err
}

func (p *passwords) wasWrong(pair string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w, ok := p.wrong[pair]; ok && p.now().Sub(w.at) < staysWrong {
		return w.err
	}
	return nil
}

func (p *passwords) remember(pair string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wrong) >= maxWrong {
		clear(p.wrong)
	}
	p.wrong[pair] = wrongPair{p.now(), err}
}
