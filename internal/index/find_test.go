package index_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient"
)

// search is a search that is understood.
func search(t *testing.T, words string) *mailclient.SearchQuery {
	t.Helper()
	q, err := mailclient.ParseSearch(words, time.UTC)
	if err != nil {
		t.Fatal(words, err)
	}
	return &q
}

// TestFindsByWhatAListShows looks for mails by people, subjects, files, flags and dates, with nothing asked of the server.
func TestFindsByWhatAListShows(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		file := strings.Replace(testmail.Mail("zoe@x.test", "Rechnung für März", ""), "Content-Type: text/plain; charset=utf-8",
			"Content-Type: multipart/mixed; boundary=b", 1) + "--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pdf; name=\"Übersicht 3.PDF\"\r\n\r\nx\r\n--b--\r\n"
		g.put("INBOX", 0,
			letter("1@x", "Äpfel und Birnen", `"Müller, Jörg" <joerg@firma.test>`, "Cc: Carol <carol@x.test>"), // 1
			letter("2@x", "apples", "ben@x.test"), // 2
			file,                                  // 3
			letter("4@x", "東京の天気", "yuki@x.test"),          // 4
			letter("5@x", "Stromrechnung", "power@x.test"), // 5
			letter("6@x", "100% off_now", "shop@x.test"),   // 6
			letter("7@x", "a \"quoted\" word", "q@x.test"), // 7
		)
		g.put("INBOX", 24*40, letter("8@x", "late", "ben@x.test"))
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`STORE 2 +FLAGS (\Flagged \Seen work)`)
		g.talk.Do(`STORE 5 +FLAGS (\Answered)`)
		g.filled(t, "INBOX")
		g.tap.Forget()
		for words, want := range map[string]string{
			"from:muller": "1", "from:JÖRG": "1", `from:"müller, jorg"`: "1", "cc:carol": "1", "to:somebody": "8 7 6 5 4 3 2 1", "subject:apfel": "1", "subject:appl": "2",
			"subject:rechnung": "5 3", "subject:東京": "4", "subject:天": "4", "from:@x.test subject:a": "8 7 3 2", "subject:off_now": "6", "subject:100%": "6",
			"filename:ubersicht": "3", "has:pdf": "3", "has:attachment": "3", "-has:attachment from:zoe": "", "is:flagged": "2", "is:read": "2", "is:unread subject:a": "8 7 3 1",
			"is:answered": "5", "tag:work": "2", "-tag:work from:ben": "8", "from:ben OR from:zoe": "8 3 2", "from:ben -is:flagged": "8", "after:2026-04-01": "8", "before:2026-04-01 from:ben": "2",
			"on:2026-03-01 from:zoe": "3", "larger:1m": "", "smaller:1m from:q@": "7", "newer_than:1d": "", "subject:nothing": "",
		} {
			l := g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, words)})
			var got []string
			for _, r := range l.Rows {
				got = append(got, fmt.Sprint(r.UID))
			}
			if strings.Join(got, " ") != want || l.Total != len(got) {
				t.Errorf("%s: %v, not %s", words, got, want)
			}
		}
		if asked := g.tap.Said(); strings.Contains(asked, "CHARSET") || strings.Contains(asked, "SUBJECT") || strings.Contains(asked, "HEADER Content-Type") {
			t.Errorf("the server was asked: %s", asked)
		}
		// What only the server knows comes along with what the index finds otherwise.
		l := g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, "apfel")})
		if len(l.Rows) != 1 || l.Rows[0].UID != 1 {
			t.Errorf("%+v", l.Rows)
		}
		if l = g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, `body:"text of 5"`)}); len(l.Rows) != 1 || l.Rows[0].UID != 5 {
			t.Errorf("%+v", l.Rows)
		}
		hits, err := g.Hits(t.Context(), *search(t, "from:ben"))
		if err != nil || len(hits) != 2 || hits[0].UID != 8 {
			t.Errorf("%+v, %v", hits, err)
		}
		// Other orders, and mails that come and go.
		by := func(q mailclient.ListQuery) (out []uint32) {
			for _, r := range g.list(t, "INBOX", q).Rows {
				out = append(out, r.UID)
			}
			return out
		}
		if got := by(mailclient.ListQuery{Search: search(t, "from:x.test"), Sort: mailclient.SortFrom, Ascending: true}); !slices.Equal(got, []uint32{8, 2, 5, 7, 6, 4, 3}) {
			t.Errorf("by sender: %v", got)
		}
		if _, err := g.Run(t.Context(), mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActExpunge}, Ref: mailclient.Ref{Mailbox: "INBOX", UIDValidity: l.Mailbox.UIDValidity, UIDs: []uint32{2}}}); err != nil {
			t.Fatal(err)
		}
		if got := by(mailclient.ListQuery{Search: search(t, "from:ben")}); !slices.Equal(got, []uint32{8}) {
			t.Errorf("after one went: %v", got)
		}
		g.put("INBOX", 24*50, letter("9@x", "new", "ben@x.test"))
		for range 100 {
			if got := by(mailclient.ListQuery{Search: search(t, "from:ben")}); slices.Equal(got, []uint32{9, 8}) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("after one came: %v", by(mailclient.ListQuery{Search: search(t, "from:ben")}))
	})
}

// TestFindsAsTheServerDoes compares searches put together at random with what the server finds.
func TestFindsAsTheServerDoes(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	r := rand.New(rand.NewPCG(3, 4))
	g.deliver("INBOX", 60)
	g.talk.Do("SELECT INBOX")
	for range 40 {
		g.talk.Do("STORE %d +FLAGS (%s)", 1+r.IntN(60), []string{`\Seen`, `\Flagged`, `\Answered`, "work"}[r.IntN(4)])
	}
	g.filled(t, "INBOX")
	// No accents, for which servers do not agree, and no files, of which they know little.
	words := []string{"from:ben", "from:example", "subject:bread", "subject:1", "to:somebody", "is:unread", "is:read", "is:flagged", "is:answered", "tag:work", "larger:400", "smaller:420", "after:2026-01-02", "before:2026-01-02", "on:2026-01-02"}
	for range 150 {
		var q []string
		for range 1 + r.IntN(3) {
			w := words[r.IntN(len(words))]
			switch r.IntN(4) {
			case 0:
				w = "-" + w
			case 1:
				w += " OR " + words[r.IntN(len(words))]
			}
			q = append(q, w)
		}
		query := mailclient.ListQuery{Search: search(t, strings.Join(q, " ")), PerPage: 100}
		want, err1 := g.session.UIDs(t.Context(), "INBOX", query)
		got, err2 := g.UIDs(t.Context(), "INBOX", query)
		if err := errors.Join(err1, err2); err != nil || !slices.Equal(got.UIDs, want.UIDs) {
			t.Errorf("%q: %v, the server finds %v, %v", q, got.UIDs, want.UIDs, err)
		}
	}
}

// TestASearchShowsWhatIsAtHand while the server is yet to tell of the texts, and suggests mails as they are typed.
func TestASearchShowsWhatIsAtHand(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.talk.Try("CREATE Sent (USE (\\Sent))")
	g.talk.Try("CREATE Trash (USE (\\Trash))")
	g.put("INBOX", 0, letter("1@x", "apples", "ben@x.test"), letter("2@x", "bread", "Zoë Ärmel <zoe@x.test>"), letter("3@x", "Re: apples", "omar@x.test"))
	g.put("Sent", 5, letter("4@x", "apples, too", "anna@x.test"))
	g.put("Trash", 6, letter("5@x", "apples of old", "anna@x.test"))
	for _, box := range []string{"INBOX", "Sent", "Trash"} {
		g.filled(t, box)
	}
	list := func(l mailclient.List) (out []string) {
		for _, r := range l.Rows {
			out = append(out, r.MessageID)
		}
		return out
	}
	q := *search(t, "apples")
	g.tap.MuteAt("TEXT")
	l, err := g.Seek(t.Context(), q, 1, 50, 300*time.Millisecond)
	if err != nil || l.Left == 0 || !slices.Equal(list(l), []string{"4@x", "3@x", "1@x"}) {
		t.Errorf("%v, %d left, %v", list(l), l.Left, err)
	}
	for words, want := range map[string][]string{"app": {"4@x", "3@x", "1@x"}, "armel": {"2@x"}, "apples omar": {"3@x"}, "nothing": nil} {
		rows, err := g.Suggest(t.Context(), strings.Fields(words), 3)
		if got := list(mailclient.List{Rows: rows}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", words, got, err)
		}
	}
	g.tap.Unmute()
	if l, err = g.Seek(t.Context(), *search(t, `"text of 2"`), 1, 50, 10*time.Second); err != nil || l.Left != 0 || !slices.Equal(list(l), []string{"2@x"}) {
		t.Errorf("%v, %d left, %v", list(l), l.Left, err)
	}
	if l, err = g.Search(t.Context(), *search(t, `-apples`), 1, 50); err != nil || !slices.Equal(list(l), []string{"2@x"}) {
		t.Errorf("%v, %v", list(l), err)
	}
}
