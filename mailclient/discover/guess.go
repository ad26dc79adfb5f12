package discover

import (
	"context"
	"slices"
	"sync"

	"restante/mailclient"
)

// usual are names and ports at which many domains have their servers, the likeliest first. "" is the domain itself.
var usual = map[Service][]struct {
	name string
	port int
}{
	IMAP:       {{"imap.", 993}, {"mail.", 993}, {"", 993}, {"imap.", 143}, {"mail.", 143}},
	Submission: {{"smtp.", 465}, {"mail.", 465}, {"smtp.", 587}, {"mail.", 587}, {"", 465}, {"", 587}},
	POP3:       {{"pop.", 995}, {"pop3.", 995}, {"mail.", 995}, {"pop.", 110}, {"mail.", 110}},
}

// mostTried is how many servers are dialled at most for a service: together maxDials.
var mostTried = map[Service]int{IMAP: 4, Submission: 4, POP3: 2, Sieve: 2}

// prove looks whether the chosen servers are there, and guesses where none is known. ManageSieve comes after IMAP, as
// it is guessed to be on the same host.
func (q *quest) prove(ctx context.Context, f *Found) {
	looks := make([][]Look, len(services))
	var all sync.WaitGroup
	for i, s := range services[:3] {
		all.Go(func() {
			looks[i] = q.settle(ctx, s, f.Of(s), func() ([]Answer, []Look) { return q.usual(ctx, s) })
			if s == IMAP {
				looks[3] = q.settle(ctx, Sieve, &f.Sieve, func() ([]Answer, []Look) { return sieveOf(f.IMAP), nil })
			}
		})
	}
	all.Wait()
	for _, l := range looks {
		f.Looked = append(f.Looked, l...)
	}
}

// settle proves the answers of one service in their order until one is as it should be. Where there are none, guesses
// are: all at once.
func (q *quest) settle(ctx context.Context, s Service, c *Choice, usual func() ([]Answer, []Look)) []Look {
	if c.Refused {
		return nil
	}
	if c.Found() {
		q.walk(ctx, s, c)
		return nil
	}
	guesses, looked := usual()
	guesses = guesses[:min(len(guesses), mostTried[s])]
	var all sync.WaitGroup
	for i := range guesses {
		all.Go(func() { guesses[i].Probe = q.probe(ctx, s, guesses[i]) })
	}
	all.Wait()
	for _, g := range guesses {
		looked = append(looked, Look{FromGuess, g.Address(), came(g.Probe)})
	}
	guesses = slices.DeleteFunc(guesses, func(g Answer) bool { return !g.answers() })
	slices.SortStableFunc(guesses, func(a, b Answer) int { return rank(b) - rank(a) })
	if len(guesses) > 0 {
		c.Others = slices.Insert(c.Others, 0, guesses[1:]...)
		c.Answer = guesses[0]
	}
	return looked
}

func rank(a Answer) int {
	if a.ready() {
		return 1
	}
	return 0
}

// walk probes the choice, and if it is not there the others that could be used. The first that is ready is taken; else
// the first that answers, under a certificate that somebody may accept; else it stays.
func (q *quest) walk(ctx context.Context, s Service, c *Choice) {
	all := append([]Answer{c.Answer}, c.Others...)
	best, tried := 0, 0
	for i := range all {
		if tried == mostTried[s] || i > 0 && !all[i].usable() {
			continue
		}
		tried++
		all[i].Probe = q.probe(ctx, s, all[i])
		if all[i].ready() || all[i].OAuthOnly() && all[i].answers() {
			best = i
			break
		}
		if all[i].answers() && !all[best].answers() {
			best = i
		}
	}
	c.Answer = all[best]
	c.Others = slices.Delete(all, best, best+1)
}

// usual are the guesses for a service whose names exist, and those names that do not. The host where the domain's mail
// is delivered is among them if it is the domain's own.
func (q *quest) usual(ctx context.Context, s Service) (out []Answer, none []Look) {
	var list []Answer
	for _, u := range usual[s] {
		list = append(list, q.guess(u.name+q.domain, u.port))
	}
	for _, mx := range q.mx {
		if registrable(mx) == q.own && mx != q.domain {
			list = append(list, q.guess(mx, usual[s][0].port))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	exists := make([]bool, len(list))
	var all sync.WaitGroup
	for i, a := range list {
		all.Go(func() {
			addrs, err := q.o.Resolver.LookupHost(ctx, a.Host)
			exists[i] = err == nil && len(addrs) > 0
		})
	}
	all.Wait()
	for i, a := range list {
		look := Look{FromGuess, a.Host, CameNothing}
		switch {
		case exists[i] && !slices.ContainsFunc(out, a.same):
			out = append(out, a)
		case !exists[i] && !slices.Contains(none, look):
			none = append(none, look)
		}
	}
	return out, none
}

func (q *quest) guess(host string, port int) Answer {
	return q.relate(Answer{Host: host, Port: port, Security: usualSecurity(port), Source: FromGuess, Where: host})
}

// usualSecurity is what is spoken on a port of mail.
func usualSecurity(port int) mailclient.Security {
	if port == 143 || port == 110 || port == 587 {
		return mailclient.StartTLS
	}
	return mailclient.TLS
}

// sieveOf guesses the filters' server beside that of IMAP (RFC 5804 1.8).
func sieveOf(c Choice) []Answer {
	if !c.answers() {
		return nil
	}
	return []Answer{{Host: c.Host, Port: 4190, Security: mailclient.StartTLS, Login: c.Login, Source: FromGuess, Where: c.Host, Outside: c.Outside, Known: c.Known}}
}
