package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"restante/internal/jobs"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/templates"
)

const (
	peopleShown   = 100
	sessionsShown = 200
)

// peoplePage lists who has signed in.
func (s *Server) peoplePage(w http.ResponseWriter, r *http.Request, who *officer) error {
	q := r.URL.Query()
	people, err := s.store.UsersSeen(r.Context(), q.Get("q"), q.Get("after"), peopleShown+1)
	if err != nil {
		return err
	}
	page := templates.AdminPeople{AdminFrame: s.desk(r, who, "people", who.l.T("admin.people")), Query: q.Get("q")}
	if len(people) > peopleShown {
		people = people[:peopleShown]
		page.More = with("/admin/people", q, "after", people[peopleShown-1].Address)
	}
	for _, p := range people {
		row := templates.AdminPerson{Address: p.Address, URL: "/admin/people/" + strconv.FormatInt(p.ID, 10), Locked: p.Locked,
			Lines: []string{who.l.T("admin.seen", "Date", stamp(p.SeenAt)), who.l.T("admin.sessionsof", "N", p.Sessions)}}
		page.People = append(page.People, row)
	}
	return s.ok(w, r, page)
}

// personOf is the user in the path.
func (s *Server) personOf(r *http.Request) (store.User, error) {
	id, err := idParam(r, "user")
	if err != nil {
		return store.User{}, err
	}
	return s.store.User(r.Context(), id)
}

func (s *Server) personPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	u, err := s.personOf(r)
	if err != nil {
		return err
	}
	return s.showPerson(w, r, who, u, "", http.StatusOK)
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request, who *officer, u store.User, fault string, status int) error {
	if err := s.setup.Reload(r.Context()); err != nil {
		return err
	}
	h, err := s.store.Holds(r.Context(), u.ID)
	if err != nil {
		return err
	}
	list, err := s.store.Sessions(r.Context(), u.ID)
	if err != nil {
		return err
	}
	issuers, err := s.store.Issuers(r.Context(), u.Address)
	if err != nil {
		return err
	}
	senders, err := s.personSenders(r, who, u)
	if err != nil {
		return err
	}
	seen := u.SeenAt
	if len(list) > 0 && list[0].SeenAt.After(seen) { // the latest used comes first
		seen = list[0].SeenAt
	}
	l, id := who.l, strconv.FormatInt(u.ID, 10)
	page := templates.AdminPersonPage{
		AdminFrame: s.desk(r, who, "people", u.Address), Address: u.Address, FormURL: "/admin/people/" + id, SessionsURL: "/admin/sessions?user=" + id, Locked: u.Locked, SignedIn: len(list) > 0, Provider: len(issuers) > 0, Problem: fault,
		Limits:  s.limitForm(l, boundedBy{limits.Person, u.Address}, limitsTyped{}, "/admin/people/"+id),
		Senders: senders,
		Lines:   []string{l.T("admin.seen", "Date", stamp(seen)), l.T("admin.sessionsof", "N", len(list))},
		Holds:   []string{l.T("admin.holds.drafts", "N", h.Drafts), l.T("admin.holds.outbox", "N", h.Outbox), l.T("admin.holds.contacts", "N", h.Contacts), l.T("admin.holds.sources", "N", h.Sources)},
	}
	s.render(w, r, status, page)
	return nil
}

// actOnPerson signs a user out everywhere, locks them out or lets them in, or removes what is kept of them.
func (s *Server) actOnPerson(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	u, err := s.personOf(r)
	if err != nil {
		return err
	}
	ctx, here := r.Context(), r.URL.Path
	if strings.HasPrefix(r.PostFormValue("action"), "address-") {
		return s.changeSenders(w, r, who, u)
	}
	var verb, words string
	var act func() error
	switch action := r.PostFormValue("action"); action {
	case "out":
		verb, words = "user-sign-out", who.l.T("admin.signedout", "Address", u.Address)
		act = func() error { _, err := s.store.EndOtherSessions(ctx, u.ID, ""); return err }
	case "lock":
		verb, words = "user-lock", who.l.T("admin.locked", "Address", u.Address)
		act = func() error { return s.store.LockUser(ctx, u.ID, true) }
	case "unlock":
		verb, words = "user-unlock", who.l.T("admin.unlocked", "Address", u.Address)
		act = func() error { return s.queue.LetIn(ctx, u.ID) }
	case "release":
		if fault, err := s.again(r, who); err != nil || fault != "" {
			if err != nil {
				return err
			}
			return s.showPerson(w, r, who, u, fault, http.StatusUnprocessableEntity)
		}
		verb, words = "user-release", who.l.T("admin.person.released")
		act = func() error { return s.releasePerson(r, u.ID) }
	case "remove":
		if !strings.EqualFold(strings.TrimSpace(r.PostFormValue("confirm")), u.Address) {
			return s.showPerson(w, r, who, u, who.l.T("domain.confirm", "Domain", u.Address), http.StatusUnprocessableEntity)
		}
		if fault, err := s.again(r, who); err != nil || fault != "" {
			if err != nil {
				return err
			}
			return s.showPerson(w, r, who, u, fault, http.StatusUnprocessableEntity)
		}
		here, verb, words = "/admin/people", "user-remove", who.l.T("admin.removed", "Address", u.Address)
		act = func() error { return s.removePerson(r, u.ID) }
	default:
		return badRequest("error.act")
	}
	if err := s.audit(r, who, verb, u.Address, "ok"); err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	if err := s.letGo(r, u.ID); err != nil {
		return err
	}
	if err := s.say(r, who, words); err != nil {
		return err
	}
	return seeOther(w, r, here)
}

// releasePerson lets another person at the provider become a user: the one who was is signed out.
func (s *Server) releasePerson(r *http.Request, id int64) error {
	if _, err := s.store.EndOtherSessions(r.Context(), id, ""); err != nil {
		return err
	}
	return s.store.ForgetIdentity(r.Context(), id)
}

// removePerson removes what is kept of a user, and ends their connections first: afterwards nobody knows whose they were.
func (s *Server) removePerson(r *http.Request, id int64) error {
	if err := s.store.LockUser(r.Context(), id, true); err != nil {
		return err
	}
	if err := s.letGo(r, id); err != nil {
		return err
	}
	if err := s.tokens.Forget(r.Context(), id); err != nil {
		return err
	}
	accounts, err := s.store.Accounts(r.Context(), id)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if err := s.index.Remove(a.ID); err != nil {
			return err
		}
	}
	return s.store.RemoveUser(r.Context(), id)
}

// letGo ends what a user's sessions held here: streams, and the connections to the mail server when none is left.
func (s *Server) letGo(r *http.Request, userID int64) error {
	s.hub.tell(userID, "session")
	rest, err := s.store.Sessions(r.Context(), userID)
	if err != nil || len(rest) > 0 {
		return err
	}
	accounts, err := s.store.Accounts(r.Context(), userID)
	for _, a := range accounts {
		s.pool.Drop(jobs.SessionKey(a.ID))
	}
	return err
}

// sessionsPage lists the browsers that are signed in.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	user := atoi64(r.URL.Query().Get("user"))
	list, err := s.store.AllSessions(r.Context(), user, sessionsShown+1)
	if err != nil {
		return err
	}
	page := templates.AdminSessions{AdminFrame: s.desk(r, who, "sessions", who.l.T("admin.sessions")), Some: user > 0, Here: with("/admin/sessions", r.URL.Query())}
	if len(list) > sessionsShown {
		list, page.More = list[:sessionsShown], who.l.T("admin.moresessions", "N", sessionsShown)
	}
	for _, v := range list {
		page.Sessions = append(page.Sessions, templates.AdminSession{Key: v.Hash, User: v.UserID, Address: v.Address, Device: v.Device, Network: shownBlock(v.Network), Seen: who.l.T("admin.seen", "Date", stamp(v.SeenAt))})
	}
	return s.ok(w, r, page)
}

// endSession signs one browser out. It is out with its next request, and its stream ends.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id := atoi64(r.PostFormValue("user"))
	u, err := s.store.User(r.Context(), id)
	if err != nil {
		return err
	}
	if err := s.audit(r, who, "session-end", u.Address, "ok"); err != nil {
		return err
	}
	if err := s.store.EndSession(r.Context(), id, r.PostFormValue("session")); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.letGo(r, id); err != nil {
		return err
	}
	if err := s.say(r, who, who.l.T("admin.ended", "Address", u.Address)); err != nil {
		return err
	}
	return seeOther(w, r, adminPath(r.PostFormValue("back")))
}
