package jobs_test

import (
	"strings"
	"testing"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// habits are what mail servers do with a mail that was submitted to them.
var habits = []struct {
	name   string
	files  bool          // it files it in Sent by itself,
	late   time.Duration // so long after it took it
	preset bool          // and that is known beforehand
}{
	{name: "Gmail", files: true, preset: true},
	{name: "Gmail under a domain of one's own", files: true},
	{name: "Microsoft 365", files: true, late: 150 * time.Millisecond},
	{name: "Exchange, Fastmail, Dovecot, Cyrus"}, // and Microsoft 365 where the mailbox is set so
}

// TestT17_NeverTwoCopies: whatever a server does by itself, what was sent stands in Sent once, whole, with its Bcc where we
// put it there; and not at all where none is wanted. Three mails of each, for what is learned from the first ones.
func TestT17_NeverTwoCopies(t *testing.T) {
	for _, c := range habits {
		for _, mode := range []string{"auto", "append", "server", "none"} {
			if mode == "append" && c.late > 0 {
				continue // who says that the server does not, of one that does, has two
			}
			t.Run(c.name+", "+mode, func(t *testing.T) {
				t.Parallel()
				script := testmail.NewScript(t)
				h := build(t, testdb.SQLite(t), testmail.Demo(t), func(s *discover.Servers) {
					s.SMTP.Host, s.SMTP.Port, s.Files = script.Host, script.Port, c.preset
				})
				talk := h.srv.Talk(t, h.anna)
				q, _ := h.node(t, h.store, func(o *jobs.Options) {
					o.Probes = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}
				})
				ok(t, h.store.SetSentMode(ctx, h.user.ID, h.account.ID, mode, 0))
				file := func(text string) { talk.Append("Sent", `\Seen`, text) }
				if c.files && c.late == 0 {
					script.Taken(file)
				} else if c.files {
					script.Taken(func(text string) { time.AfterFunc(c.late, func() { file(text) }) })
				}
				start(t, q)
				for i := range 4 {
					item := h.post(t, "x", h.anna.Password, nil)
					q.Wake(item.ID, item.DueAt)
					h.becomes(t, item.ID, store.Sent)
					want := i + 1
					if !c.files && (mode == "server" || mode == "none") {
						want = 0
					}
					if got := h.has(t, h.anna, "Sent", want); strings.Count(got, "Bcc: secret@") > 0 != (!c.files && want > 0) {
						t.Errorf("Sent holds %s", got)
					}
				}
			})
		}
	}
}
