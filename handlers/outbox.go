package handlers

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/submit"
	"restante/templates"
)

// outbox lists what was accepted and is not proven sent.
func (s *Server) outbox(w http.ResponseWriter, r *http.Request, p *person) error {
	items, err := s.store.Outbox(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	frame, _ := s.frame(r, p, "outbox", p.L.T("nav.outbox"), "")
	page := templates.Outbox{Frame: frame}
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	for _, it := range items {
		there, err := s.as(p, it.AccountID)
		if err != nil { // what it says needs no server
			there = p
		}
		page.Items = append(page.Items, s.outboxItem(s.through(there, ownSender(ids, it.IdentityID)), it))
	}
	return s.ok(w, r, page)
}

// outboxActs are the buttons of each state; the first is the filled one.
var outboxActs = map[store.OutboxState][]string{
	store.Held: {"undo", "sendnow"}, store.Waiting: {"retry", "edit", "discard"}, store.Rejected: {"edit", "retry", "discard"},
	store.SignIn: {"retry", "edit", "discard"}, store.BadFrom: {"edit", "discard"}, store.TooBig: {"edit", "discard"},
	store.Config: {"edit", "retry", "discard"}, store.Uncertain: {"arrived", "look", "again", "edit"}, store.Partly: {"edit", "retry", "enough"}, store.Sent: {"seen"},
}

// actsOf are the buttons of an item.
func actsOf(it store.OutboxItem) []string {
	acts := outboxActs[it.State]
	if it.State == store.Held && it.Later != "" {
		return []string{"sendnow", "edit", "cancel"}
	}
	if it.State == store.Rejected && it.Problem != store.StoppedByAdmin && len(it.Left()) > 0 && len(it.Results) > 0 {
		return []string{"edit", "rest", "retry", "discard"}
	}
	if i := slices.Index(acts, "discard"); i >= 0 && len(it.Reached) > 0 { // what some have cannot be thrown away
		acts = append(slices.Clone(acts[:i]), "enough")
	}
	return acts
}

func (s *Server) outboxItem(p *person, it store.OutboxItem) templates.OutboxItem {
	subject, to := subjectOf(p, it.Subject), strings.Join(it.Recipients, ", ")
	v := templates.OutboxItem{
		ID: it.ID, State: string(it.State), Subject: subject, To: to, ServerSaid: it.ServerText, AskPassword: it.State == store.SignIn && p.cred.Token == 0,
		Failed: slices.Contains([]store.OutboxState{store.Rejected, store.SignIn, store.BadFrom, store.TooBig, store.Config, store.Uncertain}, it.State),
	}
	state := it.State
	switch {
	case state == store.Waiting && len(it.Reached) > 0:
		state = store.Partly
	case state == store.Held && it.Later != "":
		state = "later"
	}
	v.Label = p.L.T("outbox.item", "State", p.L.T("outbox.state."+string(state)), "Subject", subject, "To", to)
	v.Words, v.Fates = s.outboxWords(p, it), fates(p, it)
	if it.IdentityID != 0 && it.Problem != store.ServerGone && it.State != store.Accepted && it.State != store.Sent {
		v.Fates = append(v.Fates, p.L.T("outbox.through", "Host", p.Servers.SMTP.Host))
		if it.State == store.SignIn {
			v.AskPassword, v.PasswordURL, v.PasswordWords = false, pathIdentity(it.IdentityID), p.L.T("outbox.toserver", "Host", p.Servers.SMTP.Host)
		}
	}
	for addr, words := range it.Results {
		v.Refused = append(v.Refused, addr+": "+words)
	}
	slices.Sort(v.Refused)
	for i, name := range actsOf(it) {
		v.Acts = append(v.Acts, templates.OutboxAct{Name: name, Words: p.L.T("outbox.act." + name), Filled: i == 0 && state != "later"})
	}
	return v
}

func (s *Server) outboxWords(p *person, it store.OutboxItem) string {
	clock := func() string { return p.L.Ahead(it.NextAt, s.nowFor(p)) }
	switch it.State {
	case store.Held:
		if it.Later != "" {
			return p.L.T("later.sends", "Time", p.L.Ahead(it.DueAt, s.nowFor(p)))
		}
		return p.L.T("outbox.words.held", "Time", it.DueAt.In(p.Zone).Format("15:04:05"))
	case store.Waiting:
		if len(it.Reached) > 0 {
			return p.L.T("outbox.words.some", "Whom", whom(p, it.Left()), "Time", clock())
		}
		if it.ServerText != "" && it.Problem != "unreachable" {
			return p.L.T("outbox.words.later", "Time", clock())
		}
		return p.L.T("outbox.words.waiting", "Time", clock())
	case store.Connecting, store.Data, store.Dot:
		return p.L.T("outbox.words.sending")
	case store.Accepted:
		if it.Problem == "unfiled" {
			return p.L.T("outbox.words.notfiled")
		}
		return p.L.T("outbox.words.accepted")
	case store.Sent:
		return p.L.T("outbox.words." + it.Problem)
	case store.SignIn:
		if it.IdentityID != 0 {
			return p.L.T("outbox.words.ownsignin", "Host", p.Servers.SMTP.Host, "From", it.From)
		}
		if submit.SwitchedOff(it.ServerText) {
			return p.L.T("outbox.words.switchedoff")
		}
		if p.cred.Token != 0 {
			return p.L.T("outbox.words.provider", "Provider", providerName(p.Servers.OAuth))
		}
	case store.BadFrom:
		return p.L.T("outbox.words.identity", "From", it.From)
	case store.TooBig:
		if limit := s.sendLimit(p); limit > 0 {
			return p.L.T("outbox.words.toobig", "Limit", p.L.Size(limit))
		}
		return p.L.T("outbox.words.toobig.unknown")
	case store.Config:
		if it.Problem == store.ServerGone {
			return p.L.T("outbox.words.server-gone", "From", it.From)
		}
		if key, ok := connectKeys[mailclient.ConnectKind(it.Problem)]; ok {
			return p.L.T(key, "Host", it.Server)
		}
	case store.Rejected:
		if it.Problem == store.StoppedByAdmin {
			return p.L.T("outbox.words.stopped")
		}
		if len(it.Results) > 0 && len(it.Left()) > 0 {
			return p.L.T("outbox.words.recipient.some")
		}
		if len(it.Results) > 0 {
			return p.L.T("outbox.words.recipient")
		}
		if it.Problem == store.GaveUp {
			return p.L.T("outbox.words.gaveup")
		}
	}
	return p.L.T("outbox.words." + string(it.State))
}

// fates tells whom a mail has reached and whom not, where they fare differently.
func fates(p *person, it store.OutboxItem) (lines []string) {
	left := slices.DeleteFunc(it.Left(), func(r string) bool { return slices.Contains(it.Perhaps, r) })
	for _, l := range []struct {
		key  string
		whom []string
		told bool // by the words of the state
	}{
		{"outbox.fate.sent", it.Reached, it.State == store.Sent || it.State == store.Accepted && len(left) == 0},
		{"outbox.fate.perhaps", it.Perhaps, it.State != store.Uncertain || len(it.Perhaps) == len(it.Recipients)},
		{"outbox.fate.left", left, it.State == store.Waiting || len(it.Reached)+len(it.Perhaps) == 0},
	} {
		if len(l.whom) > 0 && !l.told {
			lines = append(lines, p.L.T(l.key, "Whom", whom(p, l.whom)))
		}
	}
	if it.State == store.Uncertain {
		lines = append(lines, lookedFor(p, it)...)
	}
	return lines
}

// lookKeys say where an uncertain mail was looked for.
var lookKeys = map[string]string{"": "outbox.look.failed", "sent": "outbox.look.sent", "inbox": "outbox.look.inbox", "sent inbox": "outbox.look.both"}

func lookedFor(p *person, it store.OutboxItem) (lines []string) {
	if it.Looks > 0 {
		lines = append(lines, p.L.T(lookKeys[it.Looked], "Time", it.Updated.In(p.Zone).Format("15:04")))
	}
	if !it.NextAt.IsZero() {
		lines = append(lines, p.L.T("outbox.look.next", "Time", it.NextAt.In(p.Zone).Format("15:04")))
	}
	return lines
}

// whom names recipients, the first five of many.
func whom(p *person, addrs []string) string {
	const most = 5
	if n := len(addrs) - most; n > 0 {
		return p.L.T("outbox.more", "Whom", strings.Join(addrs[:most], ", "), "N", n)
	}
	return strings.Join(addrs, ", ")
}

// withoutReached are a draft's fields without the recipients who have the mail.
func withoutReached(f store.DraftFields, reached []string) store.DraftFields {
	for _, field := range []*string{&f.To, &f.Cc, &f.Bcc} {
		all, _ := compose.Recipients(*field)
		*field = compose.Format(slices.DeleteFunc(all, func(a compose.Address) bool { return slices.Contains(reached, a.Addr) }))
	}
	return f
}

// actOnOutbox does what the person decides about an item.
func (s *Server) actOnOutbox(w http.ResponseWriter, r *http.Request, p *person) error {
	id, err := idParam(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	item, err := s.store.OutboxItem(r.Context(), p.User.ID, id)
	if err != nil {
		return err
	}
	action := r.FormValue("action")
	if there, err := s.as(p, item.AccountID); err == nil {
		p = there
	} else if slices.Contains([]string{"retry", "again", "sendnow", "rest"}, action) { // nothing else needs its account
		return err
	}
	switch action {
	case "undo", "edit", "cancel":
		if byItself(item) {
			return s.undoAnswer(w, r, p, item)
		}
		draft, err := s.store.UndoOutbox(r.Context(), p.User.ID, id, withoutReached)
		if errors.Is(err, store.ErrNotFound) {
			return s.tooLate(w, r, p)
		}
		if err != nil {
			return err
		}
		words := "outbox.undone"
		if len(item.Reached) > 0 {
			words = "outbox.undone.some"
		}
		s.putFlash(r, flash{Words: p.L.T(words)})
		s.hub.tell(p.User.ID, "outbox")
		if action == "cancel" {
			return s.backToDrafts(w, r, p, draft)
		}
		return seeOther(w, r, "/compose/"+draft)
	case "retry", "again", "sendnow":
		return s.retryOutbox(w, r, p, item, nil)
	case "rest":
		return s.retryOutbox(w, r, p, item, item.Left())
	case "arrived":
		return s.settled(w, r, p, "outbox.settled", func() error {
			err := s.store.ArrivedOutbox(r.Context(), p.User.ID, id)
			s.queue.Wake(id, s.now())
			return err
		})
	case "look":
		if err := s.store.LookOutbox(r.Context(), p.User.ID, id); err != nil {
			return err
		}
		s.queue.Wake(id, s.now())
		s.putFlash(r, flash{Words: p.L.T("outbox.looking")})
		return seeOther(w, r, "/outbox")
	case "seen":
		if err := s.store.SeenOutbox(r.Context(), p.User.ID, id); err != nil {
			return err
		}
		return seeOther(w, r, "/outbox")
	case "enough":
		return s.settled(w, r, p, "outbox.settled", func() error { return s.store.SettleOutbox(r.Context(), p.User.ID, id, store.Sent) })
	case "discard":
		return s.settled(w, r, p, "outbox.discarded", func() error {
			if err := s.store.SettleOutbox(r.Context(), p.User.ID, id, store.Undone); err != nil {
				return err
			}
			err := s.store.SetDraftState(r.Context(), p.User.ID, item.DraftID, "discarded") // from where it can be brought back
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	return badRequest("error.act")
}

// backToDrafts leaves a mail that is not to go out among the drafts.
func (s *Server) backToDrafts(w http.ResponseWriter, r *http.Request, p *person, draft string) error {
	if err := s.copyDraft(r.Context(), p, draft); err != nil { // it follows
		s.logProblem(r, problemOf(err))
	}
	s.putFlash(r, flash{Words: p.L.T("later.cancelled"), LinkURL: "/compose/" + draft, LinkWords: p.L.T("outbox.act.edit")})
	return seeOther(w, r, "/outbox")
}

// settled ends what a person decides about an item, and says so.
func (s *Server) settled(w http.ResponseWriter, r *http.Request, p *person, words string, settle func() error) error {
	if err := settle(); err != nil {
		return err
	}
	s.putFlash(r, flash{Words: p.L.T(words)})
	s.hub.tell(p.User.ID, "outbox")
	return seeOther(w, r, "/outbox")
}

// tooLate says that an item is on its way.
func (s *Server) tooLate(w http.ResponseWriter, r *http.Request, p *person) error {
	s.putFlash(r, flash{Words: p.L.T("outbox.undolate"), Failed: true})
	return seeOther(w, r, "/outbox")
}

// retryOutbox makes an item due now, with the password of its account or the one just typed.
// only, when it is not empty, are the recipients that are left.
func (s *Server) retryOutbox(w http.ResponseWriter, r *http.Request, p *person, item store.OutboxItem, only []string) error {
	id, cred := item.ID, sealedFor(p, item)
	if pw := r.PostFormValue("password"); p.cred.Token == 0 && pw != "" && len(pw) <= 1024 {
		cred.Password = pw
	}
	now, blob := s.now(), ""
	ids, err := s.identities(r.Context(), p)
	if err != nil {
		return err
	}
	own := ownSender(ids, item.IdentityID)
	if item.Later != "" && item.State == store.Held {
		if blob, err = s.redated(r.Context(), p, item); err != nil {
			return err
		}
	}
	err = s.store.InTx(r.Context(), func(tx *sql.Tx) error {
		if item.IdentityID != 0 && own.Server == "" { // it has none any more
			if err := s.store.SetOutboxServerTx(r.Context(), tx, p.User.ID, id, 0); err != nil {
				return err
			}
		}
		if blob != "" {
			if err := s.store.RedateOutboxTx(r.Context(), tx, p.User.ID, id, blob); err != nil {
				return err
			}
		}
		if len(only) > 0 {
			if err := s.store.SetRecipientsTx(r.Context(), tx, p.User.ID, id, only); err != nil {
				return err
			}
		}
		if err := s.store.RetryOutboxTx(r.Context(), tx, p.User.ID, id, s.queue.SealCredential(p.User.ID, id, cred)); err != nil {
			return err
		}
		_, err := s.queue.SendTx(r.Context(), tx, id, now)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return s.tooLate(w, r, p)
	}
	if err != nil {
		return err
	}
	s.queue.Wake(id, now)
	words := "outbox.retrying"
	if item.State == store.Held {
		words = "compose.sending"
	}
	s.putFlash(r, flash{Words: p.L.T(words)})
	return seeOther(w, r, "/outbox")
}

// ownSender is the identity by whose own server a mail goes out, the zero one for that of its account.
func ownSender(ids []sending, id int64) store.Identity {
	for _, i := range ids {
		if i.ID == id {
			return i.Identity
		}
	}
	return store.Identity{}
}

// redated is the text of a mail that was to go out later, with the date of now.
func (s *Server) redated(ctx context.Context, p *person, item store.OutboxItem) (blob string, err error) {
	err = piped(func(w io.Writer) error {
		return compose.Redate(w, s.store.Blob(ctx, p.User.ID, item.BlobID), s.nowFor(p))
	}, func(r io.Reader) (err error) {
		blob, _, err = s.store.WriteBlob(ctx, p.User.ID, r, item.Size)
		return err
	})
	return blob, err
}
