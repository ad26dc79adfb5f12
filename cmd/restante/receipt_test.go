package main

import (
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAReceiptIsSentByTheReadersWordAlone: who opens a mail that asks for one is asked, and what they say is kept at the
// mail, for their other programs too.
func TestAReceiptIsSentByTheReadersWordAlone(t *testing.T) {
	t.Parallel()
	testmail.EachHouse(t, func(t *testing.T, srv *testmail.Server) {
		anna, ben := srv.NewUser(t), srv.NewUser(t)
		s := newSite(t, srv, testdb.SQLite(t), nil)
		asks := func(subject string) string {
			return "Disposition-Notification-To: Ben <" + ben.Address + ">\r\n" + testmail.Mail(ben.Address, subject, "Read me.")
		}
		talk := srv.Talk(t, anna)
		for _, subject := range []string{"Sent one", "Not sent", "Never asked"} {
			talk.Append("INBOX", "", asks(subject))
		}
		talk.Append("Junk", "", asks("From a stranger"))
		v, its := s.signIn(anna), srv.Talk(t, ben)
		press := func(subject, answer string) {
			v.get("/mail/1/INBOX").open(subject).want(200).says("[data-receipt]", "asks for a receipt")
			v.form("form[data-receipt]").press("receipt", answer).want(200)
			if v.has("[data-receipt]") {
				t.Errorf("%s: it asks again", subject)
			}
		}
		press("Not sent", "none")
		press("Sent one", "send")
		eventually(t, "the receipt arrives", func() bool { return its.Count("INBOX") == 1 })
		its.Do("SELECT INBOX")
		got := strings.Join(its.Do("FETCH 1 (BODY.PEEK[])"), "\r\n")
		for _, words := range []string{"Subject: Read: Sent one", "multipart/report", "report-type=disposition-notification", "\r\nFinal-Recipient: rfc822; " + anna.Address + "\r\n",
			"\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n", "\r\nOriginal-Message-ID: <"} {
			if !strings.Contains(got, words) {
				t.Errorf("the receipt lacks %q:\n%s", words, got)
			}
		}
		eventually(t, "both are marked, and no other", func() bool {
			talk.Do("SELECT INBOX")
			return strings.Count(strings.Join(talk.Do("FETCH 1:3 (FLAGS)"), "\n"), "$MDNSent") == 2
		})
		if n := talk.Count("Sent"); n != 0 {
			t.Errorf("Sent holds %d mails", n)
		}
		if v.get("/mail/1/Junk").open("From a stranger"); v.has("[data-receipt]") {
			t.Error("who sends junk is offered a receipt")
		}
		v.get("/settings/general").formAround("select[name=receipts]").set("receipts", "never").press("", "").want(200)
		if v.get("/mail/1/INBOX").open("Never asked"); v.has("[data-receipt]") {
			t.Error("it asks who does not want to be asked")
		}
		other := s.signIn(ben)
		other.get("/mail/2/INBOX").open("Read: Sent one").want(200)
		other.says("[class=card tear]", "opened")
		if n := its.Count("INBOX"); n != 1 {
			t.Errorf("%d receipts came", n)
		}
	})
}
