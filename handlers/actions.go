package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/index"
	"restante/mailclient"
	"restante/templates"
)

const (
	maxUIDs = 100_000          // mails that one act may name
	actTime = 25 * time.Second // for an act that a person waits for
)

// actForm is what POST …/actions brings, but for the mails it is about.
type actForm struct {
	action, to, label, back, stay, list string
	all                                 bool
}

func actFormFrom(r *http.Request) (f actForm, err error) {
	if err := parseForm(r); err != nil {
		return f, err
	}
	if len(r.PostForm["uid"]) > maxUIDs {
		return f, badRequest("error.form")
	}
	f = actForm{action: r.PostFormValue("action"), to: r.PostFormValue("to"), label: strings.TrimSpace(cmp.Or(r.PostFormValue("label"), r.PostFormValue("to"))),
		back: r.PostFormValue("back"), stay: r.PostFormValue("stay"), list: r.PostFormValue("list"), all: r.PostFormValue("all") == "1"}
	if len(r.PostForm["uid"]) == 0 && !f.all {
		return f, badRequest("error.nothingpicked")
	}
	return f, nil
}

// pickedIn are the mails of one mailbox that a form names.
func pickedIn(r *http.Request, box string) (ref mailclient.Ref, err error) {
	ref.Mailbox = box
	if ref.UIDValidity, err = validityParam(r.PostFormValue("validity")); err != nil {
		return ref, err
	}
	if ref.UIDs, err = uidsOf(r.PostForm["uid"]); err != nil {
		return ref, err
	}
	slices.Sort(ref.UIDs)
	ref.UIDs = slices.Compact(ref.UIDs)
	return ref, nil
}

// act does something to mails of a mailbox, then goes back with words and Undo.
func (s *Server) act(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, err := s.place(r, p)
	if err != nil {
		return err
	}
	f, err := actFormFrom(r)
	if err != nil {
		return err
	}
	ref, err := pickedIn(r, pl.box.Name)
	if err != nil {
		return err
	}
	if f.action == "open" && len(ref.UIDs) > 0 { // Enter in a check of the list
		return seeOther(w, r, pathMessage(p.Account.ID, pl.slug, ref.UIDs[0]))
	}
	f.back = cmp.Or(f.back, pl.path)
	if f.action == "forward" && !f.all {
		return s.forwardPicked(w, r, p, pl.slug, ref.UIDs)
	}
	if f.action == "delete" && r.URL.Query().Get("ask") == "1" {
		return s.askForever(w, r, p, f, p.L.T("list.selectall", "N", int(pl.box.Messages), "Folder", display(pl.box, p)))
	}
	if ref.UIDValidity == 0 && !f.all { // a form of somebody else's making: the UIDs of now are meant
		ref.UIDValidity = pl.box.UIDValidity
	}
	if f.all || ref.UIDValidity == 0 {
		lq := mailclient.ListQuery{}
		if f.all {
			if lq, err = listQueryOf(r.Form, p); err != nil {
				return err
			}
			lq.Conversations = lq.Conversations && pl.hasTalks()
		}
		now, err := p.Mail.UIDs(r.Context(), pl.box.Name, lq)
		if err != nil {
			return err
		}
		ref.UIDValidity = cmp.Or(ref.UIDValidity, now.UIDValidity)
		if f.all {
			ref.UIDs = now.UIDs
		}
	}
	if ref, err = s.together(r.Context(), r, p, ref); err != nil {
		return err
	}
	return s.actOn(w, r, p, pl.boxes, f, []mailclient.Ref{ref})
}

// actOn does what a form says to mails of one folder or several, and goes where the form says.
func (s *Server) actOn(w http.ResponseWriter, r *http.Request, p *person, boxes []mailclient.Mailbox, f actForm, refs []mailclient.Ref) error {
	a, told, err := s.actOf(r, p, boxes, f)
	if err != nil {
		return err
	}
	var steps []mailclient.Step
	for _, ref := range refs {
		if len(ref.UIDs) > 0 && ref.Mailbox != a.To {
			steps = append(steps, mailclient.Step{Act: a, Ref: ref})
		}
	}
	done, err := s.take(r, p, steps, told)
	if err != nil {
		return err
	}
	if !done.Failed && (f.action == "trash" || f.action == "delete") {
		s.throwAway(r, p, boxes, refs)
	}
	s.putFlash(r, done)
	s.hub.tell(p.User.ID, "mail")
	switch {
	case f.stay != "" && staysOpen[f.action]:
		return seeOther(w, r, f.stay)
	case f.action == "unread" && f.list != "": // the mail is put back, and no other is opened in its place
		return seeOther(w, r, keepListed(f.list, refs[0].UIDs...))
	case a.Kind == mailclient.ActFlags && len(refs) == 1 && !f.all:
		return seeOther(w, r, keepListed(f.back, refs[0].UIDs...))
	}
	return seeOther(w, r, f.back)
}

// maxKeptListed is how many mails stay in a list that its filter passes over.
const maxKeptListed = 100

// keepListed adds mails to those that stay in a list of ours with a filter or a search, until the list is left:
// they were opened or changed there, and nothing vanishes under a person's eyes.
func keepListed(path string, uids ...uint32) string {
	u, err := url.Parse(path)
	q := u.Query()
	if err != nil || q.Get("filter") == "" && q.Get("q") == "" {
		return path
	}
	kept, err := keptListed(q)
	for _, uid := range uids {
		if !slices.Contains(kept, uid) {
			kept = append(kept, uid)
		}
	}
	if err != nil || len(kept) > maxKeptListed {
		return path
	}
	words := make([]string, len(kept))
	for i, uid := range kept {
		words[i] = strconv.FormatUint(uint64(uid), 10)
	}
	q.Set("keep", strings.Join(words, "."))
	u.RawQuery = q.Encode()
	return u.String()
}

// keptListed are the mails that an address keeps in its list.
func keptListed(q url.Values) (uids []uint32, err error) {
	if q.Get("keep") == "" {
		return nil, nil
	}
	for _, v := range strings.Split(q.Get("keep"), ".") {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil || n == 0 || len(uids) == maxKeptListed {
			return nil, badRequest("error.filter")
		}
		uids = append(uids, uint32(n))
	}
	return uids, nil
}

// askForever asks once more, where no script has asked, before mails are deleted for good. all names them where all
// in a folder are meant.
func (s *Server) askForever(w http.ResponseWriter, r *http.Request, p *person, f actForm, all string) error {
	page := templates.Error{
		Head: s.head(r, p, p.L.T("act.forever")), Words: p.L.T("confirm.foreverof", "N", len(r.PostForm["uid"])),
		RetryURL: r.URL.Path, RetryMethod: "post", RetryWords: p.L.T("act.forever"), Danger: true,
		ButtonURL: ownPath(f.back), ButtonWords: p.L.T("cancel"),
	}
	if f.all {
		page.Words, page.Safe = p.L.T("confirm.forever"), all
	}
	for name, values := range r.PostForm {
		for _, v := range values {
			page.Kept = append(page.Kept, templates.Field{Name: name, Value: v})
		}
	}
	return s.ok(w, r, page)
}

// staysOpen are the acts after which the message stays on the screen.
var staysOpen = map[string]bool{"flag": true, "unflag": true, "label": true, "unlabel": true, "copy": true}

// flagActs are the acts that only change flags.
var flagActs = map[string]mailclient.Act{
	"read": {Kind: mailclient.ActFlags, Add: []string{`\Seen`}}, "unread": {Kind: mailclient.ActFlags, Remove: []string{`\Seen`}},
	"flag": {Kind: mailclient.ActFlags, Add: []string{`\Flagged`}}, "unflag": {Kind: mailclient.ActFlags, Remove: []string{`\Flagged`}},
}

// roleActs are the acts that move mails to where their kind belongs; name is that of a folder made for it.
var roleActs = map[string]struct {
	role        mailclient.Role
	name        string
	add, remove []string
}{
	"archive": {role: mailclient.RoleArchive, name: "Archive"}, "trash": {role: mailclient.RoleTrash, name: "Trash"},
	"junk":    {mailclient.RoleJunk, "Junk", []string{"$Junk"}, []string{"$NotJunk"}},
	"notjunk": {mailclient.RoleInbox, "INBOX", []string{"$NotJunk"}, []string{"$Junk"}},
}

// telling is how the words for what was done are made.
type telling struct {
	Key    string `json:"key"`
	Folder string `json:"folder,omitempty"`
	Label  string `json:"label,omitempty"`
}

func (t telling) words(p *person, n int) string {
	return p.L.T(t.Key, "N", n, "Folder", t.Folder, "Label", t.Label)
}

// actOf is what a form wants done. A folder that an act needs, and that is not there yet, is made.
func (s *Server) actOf(r *http.Request, p *person, boxes []mailclient.Mailbox, f actForm) (a mailclient.Act, t telling, err error) {
	t = telling{Key: "done." + f.action}
	if flags, ok := flagActs[f.action]; ok {
		return flags, t, nil
	}
	if to, ok := roleActs[f.action]; ok {
		ctx, cancel := context.WithTimeout(r.Context(), actTime)
		defer cancel()
		box, err := p.Mail.MailboxByRole(ctx, to.role, true, to.name)
		return mailclient.Act{Kind: mailclient.ActMove, To: box.Name, Add: to.add, Remove: to.remove}, telling{Key: "done.move", Folder: fullDisplay(box, p)}, err
	}
	switch f.action {
	case "label", "unlabel":
		keyword, ok := f.label, mailclient.IsKeyword(f.label)
		a.Kind = mailclient.ActFlags
		if f.action == "label" {
			keyword, ok = mailclient.Keyword(f.label)
			a.Add = []string{keyword}
		} else {
			a.Remove = []string{keyword}
		}
		if !ok {
			return a, t, badRequest("error.label")
		}
		t.Label = mailclient.Label(keyword)
		return a, t, nil
	case "move", "copy":
		for _, b := range boxes {
			if (b.Name == f.to || Slug(b.Name, b.Delimiter) == f.to) && b.Selectable {
				s.usedFolder(r, p, b.Name)
				t.Folder = fullDisplay(b, p)
				return mailclient.Act{Kind: mailclient.ActKind(f.action), To: b.Name}, t, nil
			}
		}
		return a, t, badRequest("error.nofolderpicked")
	case "delete":
		return mailclient.Act{Kind: mailclient.ActExpunge}, t, nil
	}
	return a, t, badRequest("error.act")
}

// take does steps now, or in the background when they are long, and gives the words for it. What was done of steps
// that failed on the way is told, and can be taken back.
func (s *Server) take(r *http.Request, p *person, steps []mailclient.Step, t telling) (flash, error) {
	if long(steps) && !canWait(p, steps) {
		return s.startWork(r, p, steps, t)
	}
	return s.tellTaken(r, p, t, s.carryOut(r, p, steps, t))
}

// acted is what came of steps in one account.
type acted struct {
	mailclient.Result
	account int64
	total   int
	failed  error
	waiting []int64
}

// carryOut does steps now. Those for which the server is away wait.
func (s *Server) carryOut(r *http.Request, p *person, steps []mailclient.Step, t telling) acted {
	ctx, cancel := context.WithTimeout(r.Context(), actTime)
	defer cancel()
	sum := acted{account: p.Account.ID}
	for _, st := range steps {
		res, err := p.Mail.Run(ctx, st)
		if index.Away(err) && len(st.Ref.UIDs) > 0 {
			var id int64
			if id, err = s.wait(ctx, p, st, t); err == nil {
				res, sum.waiting = mailclient.Result{Done: len(st.Ref.UIDs)}, append(sum.waiting, id)
			}
		}
		if errors.Is(err, mailclient.ErrGone) { // S18: somebody was faster
			err = nil
		}
		if sum.failed == nil {
			sum.failed = err
		}
		sum.total += len(st.Ref.UIDs)
		sum.Done, sum.Marked, sum.Back = sum.Done+res.Done, sum.Marked || res.Marked, append(sum.Back, res.Back...)
	}
	return sum
}

// tellTaken gives the words for what was done, in one account or several, with one Undo for all of it.
func (s *Server) tellTaken(r *http.Request, p *person, t telling, all ...acted) (flash, error) {
	var sum acted
	var back undoStep
	for _, one := range all {
		sum.Done, sum.total, sum.Marked, sum.waiting = sum.Done+one.Done, sum.total+one.total, sum.Marked || one.Marked, append(sum.waiting, one.waiting...)
		if sum.failed == nil {
			sum.failed = one.failed
		}
		if part := (undoStep{Account: one.account, Steps: one.Back, Waiting: one.waiting}); len(one.Back)+len(one.waiting) > 0 && back.Account == 0 {
			back = part
		} else if len(one.Back)+len(one.waiting) > 0 {
			back.Also = append(back.Also, part)
		}
	}
	failed := sum.failed
	if failed != nil && sum.Done == 0 {
		return flash{}, unknownOutcome(failed)
	}
	if sum.Done == 0 {
		return flash{Words: p.L.T("done.already")}, nil
	}
	words := t.words(p, sum.Done)
	if failed != nil {
		pr := problemOf(unknownOutcome(failed))
		s.logProblem(r, pr)
		words += " " + p.L.T("done.stayed", "N", sum.total-sum.Done) + " " + p.L.T(pr.Key, pr.Args...)
	}
	if len(sum.waiting) > 0 {
		words += " " + p.L.T("wait.later")
	}
	if sum.Marked {
		words += " " + p.L.T("done.leftmarked")
	}
	done := flash{Words: words}
	if back.Account != 0 {
		done = s.undoable(r, p, "mails", words, back)
	}
	done.Failed = failed != nil
	return done, nil
}

// unknownOutcome tells of a server that fell silent after an act was asked of it: it may have been done.
func unknownOutcome(err error) error {
	var lost *mailclient.ConnectError
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &lost) && (lost.Kind == mailclient.Timeout || lost.Kind == mailclient.Lost) {
		return wrap(err, http.StatusServiceUnavailable, "error.actunknown")
	}
	return err
}

// throwAway throws away the drafts whose copies in the Drafts folder were deleted: who wants one back finds it, for 30 days,
// among what was thrown away.
func (s *Server) throwAway(r *http.Request, p *person, boxes []mailclient.Mailbox, refs []mailclient.Ref) {
	for _, ref := range refs {
		if !slices.ContainsFunc(boxes, func(b mailclient.Mailbox) bool { return b.Name == ref.Mailbox && b.Role == mailclient.RoleDrafts }) {
			continue
		}
		if err := s.store.DiscardCopies(r.Context(), p.User.ID, p.Account.ID, ref.Mailbox, ref.UIDValidity, ref.UIDs); err != nil {
			s.log.Warn("drafts that were deleted stay open", "id", requestID(r), "err", err.Error())
		}
	}
}
