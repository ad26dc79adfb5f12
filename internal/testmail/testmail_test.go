package testmail_test

import (
	"crypto/tls"
	"fmt"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/internal/testproc"
)

func TestMain(m *testing.M) { testmail.Main(m) }

func TestUsersDoNotSeeEachOther(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		anna, ben := srv.NewUser(t), srv.NewUser(t)
		srv.Deliver(t, anna, testmail.Mail("x@example.test", "Hello", "text"))
		if n := srv.Talk(t, anna).Count("INBOX"); n != 1 {
			t.Errorf("anna has %d mails", n)
		}
		if n := srv.Talk(t, ben).Count("INBOX"); n != 0 {
			t.Errorf("ben has %d mails", n)
		}
	})
}

func TestCapabilitiesCanBeTakenAway(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{Without: "MOVE THREAD="})
	caps := strings.Join(srv.Talk(t, srv.NewUser(t)).Do("CAPABILITY"), " ")
	if strings.Contains(caps, "MOVE") || strings.Contains(caps, "THREAD") || !strings.Contains(caps, "UIDPLUS") {
		t.Error(caps)
	}
}

func TestDovecotSpeaksTLSByItsAuthority(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	c, err := tls.Dial("tcp", srv.IMAPS.String(), &tls.Config{RootCAs: srv.CA, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestPostfixDeliversToDovecot(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	if err := send(srv, anna, ben); err != nil {
		t.Fatal(err)
	}
	talk := srv.Talk(t, ben)
	if err := testproc.Wait(20*time.Second, func() error {
		if n := talk.Count("INBOX"); n != 1 {
			return fmt.Errorf("%d mails", n)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func send(srv *testmail.Server, from, to testmail.User) error {
	c, err := smtp.Dial(srv.Submission.String())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.StartTLS(&tls.Config{RootCAs: srv.CA, ServerName: "localhost"}); err != nil {
		return err
	}
	if err := c.Auth(smtp.PlainAuth("", from.Address, from.Password, "127.0.0.1")); err != nil {
		return err
	}
	if err := c.Mail(from.Address); err != nil {
		return err
	}
	if err := c.Rcpt(to.Address); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(w, testmail.Mail(from.Address, "Hello", "text")); err != nil {
		return err
	}
	return w.Close()
}
