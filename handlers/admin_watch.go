package handlers

import (
	"cmp"
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/discover"
	"restante/templates"
)

const (
	certSoon   = 14 * 24 * time.Hour // before its end a certificate needs a hand
	watchStale = 5 * time.Minute     // after which nobody knows how the servers are
)

// watching is what is known of the servers of all domains, and of what people do there.
type watching struct {
	seen []store.Watched
	uses map[string]store.DomainUse
	now  time.Time
}

func (s *Server) watching(ctx context.Context) (w watching, err error) {
	w.now = s.now()
	if w.seen, err = s.store.Watched(ctx); err != nil {
		return w, err
	}
	w.uses, err = s.store.DomainUses(ctx)
	return w, err
}

// of are the servers of a domain.
func (w watching) of(domain string) (out []store.Watched) {
	for _, v := range w.seen {
		if v.Domain == domain {
			out = append(out, v)
		}
	}
	return out
}

// silent are the problems of servers that do not answer at all.
var silent = []mailclient.ConnectKind{mailclient.NoSuchHost, mailclient.Unreachable, mailclient.Timeout, mailclient.Lost}

// trouble says what is wrong with a server, since when, and how many people wait for it.
func (w watching) trouble(l *i18n.Localizer, v store.Watched) string {
	words := l.T("watch.silent", "Service", serviceNames[discover.Service(v.Service)], "Server", v.Server, "Since", w.since(v.Since))
	if !slices.Contains(silent, mailclient.ConnectKind(v.Problem)) {
		words = l.T("watch.wrong", "Service", serviceNames[discover.Service(v.Service)], "Server", v.Server, "Since", w.since(v.Since), "Problem", l.T("check.problem."+v.Problem))
	}
	waits := 0
	switch discover.Service(v.Service) {
	case discover.IMAP:
		waits = w.uses[v.Domain].SignedIn
	case discover.Submission:
		waits = w.uses[v.Domain].Waiting
	}
	if waits > 0 {
		words += " " + l.T("watch.people", "N", waits)
	}
	return words
}

// since is a moment in the past: of today, the time alone.
func (w watching) since(t time.Time) string {
	if now := w.now.UTC(); t.UTC().YearDay() == now.YearDay() && t.UTC().Year() == now.Year() {
		return t.UTC().Format("15:04 UTC")
	}
	return stamp(t)
}

// days are those until a certificate ends, not below 0.
func (w watching) days(until time.Time) int {
	return int(math.Max(0, math.Floor(until.Sub(w.now).Hours()/24)))
}

// needs are what of the servers needs a hand: those that are down before certificates that end soon.
func (w watching) needs(l *i18n.Localizer) (down, soon []templates.AdminNeed) {
	for _, v := range w.seen {
		need := templates.AdminNeed{State: "bad", URL: pathDomain(v.Domain), Link: l.T("admin.look")}
		switch {
		case w.now.Sub(v.Looked) > watchStale:
			need.State, need.Words = "warn", l.T("watch.stale", "Domain", v.Domain, "Server", v.Server, "Since", w.since(v.Looked))
			soon = append(soon, need)
		case v.Problem != "":
			need.Words = v.Domain + ": " + w.trouble(l, v)
			down = append(down, need)
		case !v.CertUntil.IsZero() && v.CertUntil.Sub(w.now) < certSoon:
			need.State, need.Words = "warn", l.T("watch.cert.soon", "Domain", v.Domain, "Server", v.Server, "N", w.days(v.CertUntil))
			soon = append(soon, need)
		}
	}
	return down, soon
}

// domainState is how a domain is, for its row: its state, what is wrong, and what else is known.
func (w watching) domainState(l *i18n.Localizer, domain string) (state string, wrong, lines []string) {
	servers := w.of(domain)
	if state = "ok"; len(servers) == 0 {
		state, wrong = "unknown", []string{l.T("watch.unseen")}
	}
	var until time.Time
	for _, v := range servers {
		if v.Problem != "" {
			state, wrong = "bad", append(wrong, w.trouble(l, v))
		}
		if !v.CertUntil.IsZero() && (until.IsZero() || v.CertUntil.Before(until)) {
			until = v.CertUntil
		}
	}
	if !until.IsZero() {
		if until.Sub(w.now) < certSoon && state == "ok" {
			state = "warn"
		}
		lines = append(lines, l.T("watch.cert", "N", w.days(until)))
	}
	last := l.T("watch.nosignin")
	if at := w.uses[domain].LastSignIn; !at.IsZero() {
		last = l.T("watch.signin", "Date", stamp(at))
	}
	return state, wrong, append(lines, last)
}

// tell fills in the card of a domain how servers answered that nobody has looked at on it.
func (w watching) tell(l *i18n.Localizer, d *domainDraft, rows []templates.DomainRow) {
	for i, row := range rows {
		service := discover.Service(row.ID)
		p := d.Of(service)
		for _, v := range w.of(d.Name) {
			if _, looked := d.Probes[service]; looked || v.Service != row.ID || v.Server != net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) || w.now.Sub(v.Looked) > watchStale {
				continue
			}
			if rows[i].State, rows[i].Words = answers(l, *p, v.CertUntil); v.Problem != "" {
				rows[i].State, rows[i].Words = "bad", w.trouble(l, v)
			}
		}
	}
}

// spaceNeed is what is to be said when the disk is about to be full: bad below 256 MiB or 2 %, a warning below 2 GiB and 10 %.
func (s *Server) spaceNeed(l *i18n.Localizer) *templates.AdminNeed {
	free, total := s.free()
	need := &templates.AdminNeed{State: "bad", Words: l.T("admin.need.space", "Free", l.Size(free)), URL: "/admin/health", Link: l.T("admin.look")}
	switch {
	case total <= 0:
		return nil
	case free < 256<<20 || free < total/50:
		return need
	case free < 2<<30 && free < total/10:
		need.State = "warn"
		return need
	}
	return nil
}

// gravest puts what is bad before what is to be known; what is equally grave stays in its order.
func gravest(needs []templates.AdminNeed) {
	rank := map[string]int{"bad": 0, "warn": 1}
	slices.SortStableFunc(needs, func(a, b templates.AdminNeed) int { return cmp.Compare(rank[a.State], rank[b.State]) })
}

// newsFor are what an admin is to know of others.
func (s *Server) newsFor(ctx context.Context, who *officer) (out []templates.AdminNews, err error) {
	list, err := s.store.AdminNews(ctx, who.ID)
	for _, n := range list {
		out = append(out, templates.AdminNews{About: n.About, Kind: n.Kind, Words: who.l.T("admin.news."+n.Kind, "Name", n.About, "Date", stamp(n.At))})
	}
	return out, err
}

// knowAdmin notes that an admin knows of another.
func (s *Server) knowAdmin(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	about, kind := cutText(r.PostFormValue("about"), 64), r.PostFormValue("kind")
	news, err := s.store.AdminNews(r.Context(), who.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(news, func(n store.AdminNews) bool { return n.About == about && n.Kind == kind }) {
		if err := s.audit(r, who, "admin-known", about, "ok"); err != nil {
			return err
		}
		if err := s.store.KnowAdmin(r.Context(), who.ID, about, kind); err != nil {
			return err
		}
	}
	return seeOther(w, r, "/admin")
}
