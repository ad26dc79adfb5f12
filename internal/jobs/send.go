package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/compose"
	"restante/mailclient/discover"
	"restante/mailclient/submit"
)

// lease is how long an item stays with a worker that gives no sign; it is renewed while the worker lives, so that
// what a killed process left is looked at soon.
const lease = time.Minute

// giveUp is how long a mail is tried before it is told as not sent.
const giveUp = 48 * time.Hour

type sendArgs struct {
	OutboxID int64 `json:"outbox_id"`
}

// Kind names the job for River.
func (sendArgs) Kind() string { return "send" }

type sendWorker struct {
	river.WorkerDefaults[sendArgs]
	q *Queue
}

// Work sends one outbox item, or files one that was sent already.
func (w *sendWorker) Work(ctx context.Context, job *river.Job[sendArgs]) error {
	q := w.q
	letGo, ok := q.enter(job.Args.OutboxID)
	if !ok { // it may have something to do once that worker is done
		return river.JobSnooze(time.Second)
	}
	defer letGo()
	item, err := q.store.TakeOutbox(ctx, job.Args.OutboxID, q.node, lease)
	if errors.Is(err, store.ErrNotFound) {
		return nil // taken back, sent already, or another worker has it
	}
	if err != nil {
		return err
	}
	defer q.hold(ctx, item.ID)()
	fresh := item.State == store.Connecting && len(item.Reached) == 0
	switch item.State {
	case store.Uncertain: // a worker died while the final dot was on its way, or it is time to look for the mail again
		err := q.lookFor(ctx, &item)
		if errors.Is(err, store.ErrNotFound) {
			return nil // its writer decided meanwhile
		}
		if err != nil || item.State == store.Uncertain {
			return err
		}
	case store.Connecting:
		q.tell(item)
		q.try(ctx, &item)
	}
	if item.State == store.Accepted {
		if err := q.record(ctx, &item); err != nil { // that it was accepted is durable before the copy is made
			return err
		}
	}
	if len(item.Reached) > 0 {
		q.file(ctx, &item, fresh)
	}
	return q.finish(ctx, &item)
}

// enter has one worker of this node alone at an item. Its lease does not say so: a machine that slept, or a clock that was
// put forward, ends it while its worker goes on.
func (q *Queue) enter(id int64) (letGo func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[id] {
		return nil, false
	}
	q.held[id] = true
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.held, id)
	}, true
}

// hold renews the lease of an item until the function it gives is called.
func (q *Queue) hold(ctx context.Context, id int64) (letGo func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		beat := time.NewTicker(lease / 4)
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
				if err := q.store.HoldOutbox(ctx, id, q.node, lease); err != nil && ctx.Err() == nil {
					q.log.Warn("outbox lease", "item", id, "err", err)
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

// record writes how far an item has come, which its worker keeps.
func (q *Queue) record(ctx context.Context, item *store.OutboxItem) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.store.RecordOutbox(ctx, *item, q.node); err != nil {
		return err
	}
	q.tell(*item)
	return nil
}

// finish records the outcome, even when the request to stop has come, and wakes the next try.
func (q *Queue) finish(ctx context.Context, item *store.OutboxItem) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.store.FinishOutbox(ctx, *item, q.node); err != nil {
		return err
	}
	q.log.Info("outbox", "item", item.ID, "state", string(item.State), "tries", item.Tries)
	if item.State == store.Waiting || item.State == store.Uncertain {
		q.Wake(item.ID, item.NextAt)
	}
	q.tell(*item)
	return nil
}

func (q *Queue) tell(item store.OutboxItem) {
	if q.notify != nil {
		q.notify(item.UserID, item)
	}
}

// SealCredential closes a credential for one outbox item of a user.
func (q *Queue) SealCredential(userID, itemID int64, c Credential) []byte {
	return q.sealCredential(credPlace(userID, itemID), c)
}

func credPlace(userID, itemID int64) string { return fmt.Sprintf("outbox/cred/%d/%d", itemID, userID) }

// access gives the servers and the credential of an item.
func (q *Queue) access(ctx context.Context, item *store.OutboxItem) (s discover.Servers, a store.Account, c Credential, err error) {
	if a, s, err = q.account(ctx, item.UserID, item.AccountID); err != nil {
		return s, a, c, err
	}
	c, err = q.openCredential(credPlace(item.UserID, item.ID), item.Cred)
	return s, a, c, err
}

// try makes one try at sending and writes its outcome into item.
func (q *Queue) try(ctx context.Context, item *store.OutboxItem) {
	item.Tries++
	server, cred, err := q.submission(ctx, item)
	if errors.Is(err, errServerGone) {
		item.State, item.Problem = store.Config, store.ServerGone
		return
	}
	if err != nil {
		item.State, item.Problem, item.ServerText = store.SignIn, string(submit.SignIn), err.Error()
		return
	}
	blob := q.store.Blob(ctx, item.UserID, item.BlobID)
	if _, err := io.CopyN(io.Discard, blob, item.Skip); err != nil {
		item.State, item.Problem, item.ServerText = store.Rejected, "broken", err.Error()
		return
	}
	// One who is refused only now does not hold up those who are to get what others have already.
	mail := submit.Mail{Size: item.Size - item.Skip, Body: blob, Partly: len(item.Reached) > 0, Receipts: item.Receipts, ID: item.MessageID}
	mail.From, mail.UTF8 = compose.Envelope(item.From)
	to := envelopes{}
	for _, r := range item.Left() {
		addr, utf8 := compose.Envelope(r)
		to[addr] = append(to[addr], r)
		mail.Recipients, mail.UTF8 = append(mail.Recipients, addr), mail.UTF8 || utf8
	}
	o := submit.Options{
		Server: server, Credentials: q.Credentials(cred),
		HelloName: q.hello, Timeout: q.patience,
		Step: func(phase string, accepted []string) error {
			return q.store.SetOutboxStep(ctx, item.ID, q.node, store.OutboxState(phase), to.names(accepted))
		},
	}
	own := mail.From
	if item.AnswerKind == store.ReceiptKind { // RFC 8098 3: no receipt may cause another mail
		mail.From = ""
	}
	out := submit.Send(ctx, o, mail)
	if out.Kind == submit.Identity && mail.From != own { // a server that lets nobody send so
		mail.From = own
		out = submit.Send(ctx, o, mail)
	}
	q.apply(item, out, server.Host, to)
}

// envelopes are the recipients by their address as SMTP has it.
type envelopes map[string][]string

func (e envelopes) names(addrs []string) (names []string) {
	for _, a := range addrs {
		names = append(names, e[a]...)
	}
	return names
}

// states maps outcomes to states; Retry is decided by apply.
var states = map[submit.Kind]store.OutboxState{
	submit.Sent: store.Accepted, submit.Partly: store.Accepted, submit.Rejected: store.Rejected, submit.SignIn: store.SignIn,
	submit.Identity: store.BadFrom, submit.TooLarge: store.TooBig, submit.Config: store.Config, submit.Uncertain: store.Uncertain,
}

// backoff is PROTOCOLS T13: 1, 5, 15, 30, 60 minutes, then hourly.
var backoff = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

func (q *Queue) apply(item *store.OutboxItem, out submit.Outcome, host string, to envelopes) {
	item.Problem, item.Server, item.ServerText = cmp.Or(string(out.Why), string(out.Kind)), host, out.Text
	item.Perhaps = nil
	if out.Untold && len(out.Accepted) > 0 {
		item.Problem = store.Untold
	}
	for addr, words := range out.Refused {
		refuse(item, words, to[addr]...)
	}
	item.State = states[out.Kind]
	switch out.Kind {
	case submit.Sent, submit.Partly:
		item.Reached = append(item.Reached, to.names(out.Accepted)...)
		item.NextAt = time.Now()
		if !out.More {
			item.NextAt = item.NextAt.Add(backoff[0])
		}
	case submit.Uncertain:
		item.Perhaps, item.Looks, item.Looked, item.NextAt = to.names(out.Accepted), 0, "", time.Now().Add(q.looks[0])
	case submit.Retry:
		q.later(item, out)
	}
	if item.State == store.Rejected && len(item.Reached) > 0 { // some have it: the others are refused it, one and all
		refuse(item, out.Text, item.Left()...)
		item.State = store.Accepted
	}
}

func refuse(item *store.OutboxItem, words string, whom ...string) {
	if item.Results == nil {
		item.Results = map[string]string{}
	}
	for _, r := range whom {
		item.Results[r] = words
	}
}

// later decides when a mail that was provably not accepted is tried again, or that it no longer is.
func (q *Queue) later(item *store.OutboxItem, out submit.Outcome) {
	if time.Since(item.FirstTry) > giveUp {
		item.State, item.Problem = store.Rejected, store.GaveUp
		return
	}
	if out.Code == 0 {
		item.Problem = "unreachable"
	}
	item.State = store.Waiting
	item.NextAt = time.Now().Add(max(out.Wait, backoff[min(item.Tries, len(backoff))-1]))
}

// file puts the copy into Sent as soon as the mail has reached somebody, and does what follows; none of it can send again.
// An accepted item is then done with, or waits for the recipients that are left, or for a later try at the copy. fresh says
// that nobody can have made the copy before.
func (q *Queue) file(ctx context.Context, item *store.OutboxItem, fresh bool) {
	var err error
	if !item.Filed {
		if err = q.copyAndMark(ctx, item, fresh); err != nil {
			q.log.Warn("sent copy", "item", item.ID, "err", err)
		}
		item.Filed = err == nil
	}
	switch {
	case item.State != store.Accepted: // what is left decides
	case len(item.Left()) > 0:
		item.State, item.Tries = store.Waiting, 0 // some got it: the waits begin anew
	case err != nil && time.Since(item.FirstTry) < 7*24*time.Hour:
		item.Problem, item.ServerText, item.NextAt = "unfiled", err.Error(), time.Now().Add(min(max(time.Since(item.FirstTry)/4, time.Minute), time.Hour))
		q.Wake(item.ID, item.NextAt)
	case len(item.Results) > 0:
		item.State = store.Partly
	default:
		item.State = store.Sent
	}
}

// copyAndMark puts the copy into Sent, marks what was answered, removes the draft, and remembers the people written to.
func (q *Queue) copyAndMark(ctx context.Context, item *store.OutboxItem, fresh bool) error {
	s, account, cred, err := q.access(ctx, item)
	if err != nil {
		return err
	}
	session := q.session(account, s, cred)
	if item.AnswerKind == store.ReceiptKind { // no letter of theirs, to nobody whom they write to
		return q.markReceipted(ctx, session, item)
	}
	if err := q.fileSent(ctx, session, s, account, item, fresh); err != nil {
		return err
	}
	q.afterwards(ctx, session, item)
	return nil
}

// markReceipted marks what a receipt was given for, so that nobody is asked again. What is thrown away asks for none.
func (q *Queue) markReceipted(ctx context.Context, own *mailclient.Session, item *store.OutboxItem) error {
	there, err := q.answered(ctx, own, item)
	if err != nil {
		return err
	}
	d, err := q.store.Draft(ctx, item.UserID, item.DraftID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	err = markAnswered(ctx, there, item, d.Fields.InReplyTo)
	if errors.Is(err, mailclient.ErrGone) || errors.Is(err, mailclient.ErrNoMailbox) || errors.Is(err, mailclient.ErrUIDValidity) {
		return nil
	}
	return err
}

// afterwards does what follows a sent mail. Each failure is only logged: the mail is sent and filed.
func (q *Queue) afterwards(ctx context.Context, session *mailclient.Session, item *store.OutboxItem) {
	var errs []error
	d, err := q.store.Draft(ctx, item.UserID, item.DraftID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		errs = append(errs, err)
	}
	if item.AnswerUID != 0 {
		there, err := q.answered(ctx, session, item)
		if err == nil {
			err = markAnswered(ctx, there, item, cmp.Or(d.Fields.AnswerID, d.Fields.InReplyTo))
		}
		errs = append(errs, err)
	}
	if err == nil {
		if d.IMAP.UID != 0 && d.AccountID == item.AccountID {
			ref := mailclient.Ref{Mailbox: d.IMAP.Mailbox, UIDValidity: d.IMAP.Validity, UIDs: []uint32{d.IMAP.UID}}
			errs = append(errs, session.Expunge(ctx, ref), q.store.SetDraftCopy(ctx, item.UserID, d.ID, store.DraftCopy{}))
		}
		errs = append(errs, q.store.AddPeople(ctx, item.UserID, peopleOf(d)))
	}
	if err := errors.Join(errs...); err != nil {
		q.log.Warn("after sending", "item", item.ID, "err", err)
	}
}

// answered is the session of the account in which what is answered lies: another than own, if it was answered from there.
func (q *Queue) answered(ctx context.Context, own *mailclient.Session, item *store.OutboxItem) (*mailclient.Session, error) {
	if item.AnswerAccount == 0 || item.AnswerAccount == item.AccountID {
		return own, nil
	}
	a, s, err := q.account(ctx, item.UserID, item.AnswerAccount)
	if err != nil {
		return nil, err
	}
	if a.Further() {
		c, err := q.AccountCredential(a)
		return q.session(a, s, c), err
	}
	c, err := q.openCredential(credPlace(item.UserID, item.ID), item.Cred)
	if err != nil || c.Answered == nil {
		return nil, cmp.Or(err, errNotSignedIn)
	}
	return q.session(a, s, *c.Answered), nil
}

var errNotSignedIn = errors.New("no password for the account in which what was answered lies")

// markAnswered marks what was answered or forwarded. How an invitation was answered is a keyword of its own: a server
// that takes none has the mark of an answer at least.
func markAnswered(ctx context.Context, session *mailclient.Session, item *store.OutboxItem, id string) error {
	switch item.AnswerKind {
	case "again", "several":
		return nil
	case store.ReceiptKind:
		return markOriginal(ctx, session, item, id, []string{"$MDNSent"}, nil)
	case "forward", store.RedirectKind:
		return markOriginal(ctx, session, item, id, []string{"$Forwarded"}, nil)
	case "accepted", "tentative", "declined":
		var others []string
		for _, kind := range []string{"accepted", "tentative", "declined"} {
			if kind != item.AnswerKind {
				others = append(others, mailclient.InvitationKeyword(kind))
			}
		}
		return errors.Join(markOriginal(ctx, session, item, id, []string{`\Answered`}, nil),
			markOriginal(ctx, session, item, id, []string{mailclient.InvitationKeyword(item.AnswerKind)}, others))
	}
	return markOriginal(ctx, session, item, id, []string{`\Answered`}, nil)
}

// markOriginal changes the flags of what was answered. An original that was moved or renumbered meanwhile is looked for by
// its Message-ID, where it was, in the inbox and in the archive (PROTOCOLS A18).
func markOriginal(ctx context.Context, session *mailclient.Session, item *store.OutboxItem, id string, add, remove []string) error {
	mark := mailclient.Act{Kind: mailclient.ActFlags, Add: add, Remove: remove}
	at := mailclient.Ref{Mailbox: item.AnswerMailbox, UIDValidity: item.AnswerValidity, UIDs: []uint32{item.AnswerUID}}
	done, err := session.Run(ctx, mailclient.Step{Act: mark, Ref: at})
	if len(done.Back) > 0 || id == "" {
		return err
	}
	places := []string{item.AnswerMailbox, "INBOX"}
	if archive, err := session.MailboxByRole(ctx, mailclient.RoleArchive, false, ""); err == nil {
		places = append(places, archive.Name)
	}
	for _, place := range places {
		_, err = session.Run(ctx, mailclient.Step{Act: mark, Ref: mailclient.Ref{Mailbox: place}, MessageIDs: []string{id}})
		if !errors.Is(err, mailclient.ErrGone) && !errors.Is(err, mailclient.ErrNoMailbox) {
			break
		}
	}
	return err
}

func peopleOf(d store.Draft) (people []store.Person) {
	list, _ := compose.Recipients(strings.Join([]string{d.Fields.To, d.Fields.Cc, d.Fields.Bcc}, ","))
	for _, a := range list {
		people = append(people, store.Person{Address: a.Addr, Name: a.Name})
	}
	return people
}
