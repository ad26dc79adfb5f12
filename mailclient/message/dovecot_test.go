package message_test

import (
	"context"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
	"restante/mailclient/message"
)

func TestMain(m *testing.M) { testmail.Main(m) }

// alikeOnDovecot is how many mails of the corpus came out the same through Dovecot last. The others: NUL bytes and
// bare CR, which Dovecot changes; boundaries that are the beginning of others; a file that stands in a mail twice.
const alikeOnDovecot = 394

// TestBothWaysThroughDovecot reads each mail of the corpus as a person does, and from its bytes, and compares.
func TestBothWaysThroughDovecot(t *testing.T) {
	srv := testmail.Dovecot(t, testmail.DovecotOptions{})
	u := srv.NewUser(t)
	var ids []string
	var raws [][]byte
	talk := srv.Talk(t, u)
	for id, raw := range message.Corpus(t) {
		if len(raw) > 0 {
			talk.Append("INBOX", "", string(raw))
			ids, raws = append(ids, id), append(raws, raw)
		}
	}
	pool := mailclient.NewPool(mailclient.Limits{})
	t.Cleanup(pool.Close)
	at := mailclient.Endpoint{Host: srv.IMAP.Host, Port: srv.IMAP.Port, Security: mailclient.Plain}
	s := pool.Session("account", at, mailclient.Credentials{Username: u.Address, Password: u.Password})
	same := 0
	for i, id := range ids {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		open, err := s.Open(ctx, "INBOX", 0, uint32(i+1))
		cancel()
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		if diff := message.Difference(open.Message, message.Read(raws[i])); diff != "" {
			t.Logf("%s: %s", id, diff)
			continue
		}
		same++
	}
	t.Logf("%d of %d mails the same both ways", same, len(ids))
	if same < alikeOnDovecot {
		t.Errorf("%d mails are the same both ways, %d were before", same, alikeOnDovecot)
	}
}
