package discover

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"slices"
	"sync"

	"restante/mailclient"
)

// record is a kind of SRV record (RFC 6186 3, RFC 8314 5.1, RFC 5804 1.8).
type record struct {
	service  Service
	name     string
	security mailclient.Security
}

// records are asked for at once and believed in this order: TLS from the start first (RFC 8314 3).
var records = []record{
	{IMAP, "imaps", mailclient.TLS}, {IMAP, "imap", mailclient.StartTLS},
	{Submission, "submissions", mailclient.TLS}, {Submission, "submission", mailclient.StartTLS},
	{POP3, "pop3s", mailclient.TLS}, {POP3, "pop3", mailclient.StartTLS},
	{Sieve, "sieve", mailclient.StartTLS},
}

// inOrder sorts by priority, then by weight: settings want one server, the same each time, not a share of the load.
func inOrder(list []*net.SRV) []*net.SRV {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *net.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	})
	return list
}

func (q *quest) fromSRV(ctx context.Context) *report {
	lists, faults := make([][]*net.SRV, len(records)), make([]error, len(records))
	var all sync.WaitGroup
	for i, rec := range records {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			_, lists[i], faults[i] = q.o.Resolver.LookupSRV(ctx, rec.name, "tcp", q.domain)
		})
	}
	all.Wait()
	r := &report{refused: map[Service]bool{}}
	offered := map[Service]bool{}
	for i, rec := range records {
		where, named := "_"+rec.name+"._tcp."+q.domain, 0
		for _, t := range inOrder(lists[i]) {
			host, ok := hostName(t.Target)
			switch {
			case t.Target == ".": // RFC 6186 3.4: the service is decidedly not there
				r.refused[rec.service] = true
			case ok && t.Port != 0 && t.Port != 25:
				named++
				offered[rec.service] = true
				r.add(rec.service, q.relate(Answer{Host: host, Port: int(t.Port), Security: rec.security, Source: FromSRV, Where: where}))
			}
		}
		r.saw(FromSRV, where, cameOfNames(named, faults[i]))
	}
	for s := range offered { // "no imap" beside an imaps means: not in the open
		delete(r.refused, s)
	}
	return r
}

func cameOfNames(named int, err error) Came {
	switch {
	case named > 0:
		return CameAnswer
	case err == nil:
		return CameNothing
	}
	return cameOf(err)
}

const maxMX = 3

// fromMX knows by where a domain's mail is delivered who may have its mailboxes: a provider of the table, or somebody
// who has a page of settings.
func (q *quest) fromMX(ctx context.Context) *report {
	r := &report{}
	hosts, err := q.lookupMX(ctx)
	r.saw(FromMX, q.domain, cameOfNames(len(hosts), err))
	for _, host := range hosts {
		if p, ok := byMX(host); ok {
			r.takePreset(FromMX, host, p)
			return r
		}
	}
	for _, host := range hosts {
		if d := registrable(host); d != q.own {
			more := q.config(ctx, FromMXAutoconfig,
				at("https", "autoconfig."+d, configPath, url.Values{"emailaddress": {q.address}}), at("https", d, wellKnown, nil))
			r.answers, r.looked = more.answers, append(r.looked, more.looked...)
			break
		}
	}
	return r
}

func (q *quest) lookupMX(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	list, err := q.o.Resolver.LookupMX(ctx, q.domain)
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	for _, mx := range list[:min(len(list), maxMX)] {
		if host, ok := hostName(mx.Host); ok { // not "." (RFC 7505)
			q.mx = append(q.mx, host)
		}
	}
	return q.mx, err
}
