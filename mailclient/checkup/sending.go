package checkup

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"mime"
	"net/mail"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/submit"
)

const (
	smallest   = 10 << 20         // a server that takes less is worth a word
	phaseTime  = 15 * time.Second // of a server that sends (PROTOCOLS T2)
	lookEvery  = time.Second
	maxSubject = 200
)

// letter is a mail that is tried with.
type letter struct{ id, text string }

func (r *run) mail() letter {
	b := make([]byte, 16)
	rand.Read(b)
	_, domain, _ := strings.Cut(r.o.Address, "@")
	m := letter{id: hex.EncodeToString(b) + ".checkup@" + domain}
	who := (&mail.Address{Address: r.o.Address}).String()
	subject := strings.ToValidUTF8(r.o.Subject[:min(len(r.o.Subject), maxSubject)], "")
	m.text = strings.Join([]string{
		"From: " + who, "To: " + who, "Subject: " + mime.QEncoding.Encode("utf-8", subject), "Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <" + m.id + ">", "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=us-ascii", "", "Restante", "",
	}, "\r\n")
	return m
}

func (r *run) submission() submit.Options {
	return submit.Options{Server: r.o.Servers.SMTP, Credentials: r.cred, HelloName: r.o.HelloName, Timeout: phaseTime}
}

func (r *run) sending(m letter) submit.Mail {
	ascii := strings.IndexFunc(r.o.Address, func(c rune) bool { return c > 0x7e }) < 0
	return submit.Mail{From: r.o.Address, Recipients: []string{r.o.Address}, Size: int64(len(m.text)), Body: strings.NewReader(m.text), UTF8: !ascii}
}

// rehearse does all of a send but the text.
func (r *run) rehearse(ctx context.Context, s *Step) {
	limit, err := submit.Rehearse(ctx, r.submission(), r.sending(r.mail()))
	s.Facts.SizeLimit = limit
	var no *submit.RefusedError
	switch {
	case errors.As(err, &no):
		s.fail(outcome(no.Outcome))
	case err != nil:
		s.fail(Refused, err.Error())
	case limit > 0 && limit < smallest:
		s.warn(TooSmall)
	}
}

// outcome names what became of a try to send.
func outcome(out submit.Outcome) (Problem, string) {
	switch out.Kind {
	case submit.SignIn:
		return Password, out.Text
	case submit.Identity:
		return Sender, out.Text
	case submit.TooLarge:
		return TooSmall, out.Text
	case submit.Config:
		if out.Why != "" {
			return Problem(out.Why), ""
		}
		return NoMechanism, ""
	case submit.Retry:
		if out.Code == 0 {
			return Problem(mailclient.Unreachable), ""
		}
		return Trouble, out.Text
	}
	return Refused, out.Text
}

// roundTrip sends a mail to the account itself, waits for it, and removes it and its copy.
func (r *run) roundTrip(ctx context.Context, s *Step) {
	m := r.mail()
	began := time.Now()
	out := submit.Send(ctx, r.submission(), r.sending(m))
	if out.Kind != submit.Sent {
		s.fail(outcome(out))
		if out.Kind != submit.Uncertain {
			return
		}
	}
	box := r.await(ctx, m.id)
	s.Facts.Way = time.Since(began)
	s.Facts.Mailbox = box
	_, left := r.remove(ctx, cmp.Or(box, "INBOX"), m.id)
	if sent := r.roles[mailclient.RoleSent]; sent != "" && sent != box {
		copies, more := r.remove(ctx, sent, m.id)
		s.Facts.FilesSent, left = copies > 0, cmp.Or(left, more)
	}
	switch {
	case s.Result == Failed:
	case box == "":
		s.fail(NotArrived, "")
	case left != "":
		s.warn(left)
	case box == r.roles[mailclient.RoleJunk]:
		s.warn(InJunk)
	}
}

// await looks for a mail in INBOX and among junk until it is there or the time is over. "": it did not come.
func (r *run) await(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(ctx, r.o.RoundTrip)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for _, box := range []string{"INBOX", r.roles[mailclient.RoleJunk]} {
			if box != "" && r.has(ctx, box, id) {
				return box
			}
		}
		select {
		case <-ctx.Done():
			return ""
		case <-tick.C:
		}
	}
}

func (r *run) has(ctx context.Context, box, id string) bool {
	ref, err := r.session.FindByMessageID(ctx, box, id)
	return err == nil && len(ref.UIDs) > 0
}
