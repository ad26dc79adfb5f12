package index_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/index"
	"restante/internal/testmail"
	"restante/mailclient"
)

var allTexts = index.Policy{Most: 200 << 20, Each: 64 << 10}

// read waits until the texts of n mails are kept, and nothing more is got.
func (g *ground) read(t *testing.T, n int) {
	t.Helper()
	held := 0
	for range 1000 {
		g.list(t, "INBOX", mailclient.ListQuery{})
		if held, _, _ = g.TextsKept(); held == n && !g.Reading() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%d texts are kept, not %d", held, n)
}

// uids are what a search in the inbox finds, the newest first.
func (g *ground) uids(t *testing.T, words string) string {
	t.Helper()
	l := g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, words), PerPage: 200})
	if l.Incomplete {
		t.Errorf("%s: not all were looked at: %s", words, l.Note)
	}
	var out []string
	for _, r := range l.Rows {
		out = append(out, fmt.Sprint(r.UID))
	}
	return strings.Join(out, " ")
}

// asked says whether the server was asked to search.
func (g *ground) asked() bool {
	said := g.tap.Said()
	return strings.Contains(said, "TEXT") || strings.Contains(said, " BODY ") || strings.Contains(said, "CHARSET")
}

// of is a mail of a type, with what stands below it.
func of(subject, header, text string) string {
	raw := testmail.Mail("ben@x.test", subject, text)
	return strings.Replace(raw, "Content-Type: text/plain; charset=utf-8", strings.ReplaceAll(header, "\n", "\r\n"), 1)
}

var textual = []string{
	of("plain", "Content-Type: text/plain; charset=utf-8", "The quick brown fox\njumps over   the lazy dog. Grüße aus Łódź"),                                    // 1
	of("html", "Content-Type: text/html; charset=utf-8", "<style>p{color:teal}</style><p class=\"marmalade\">Sugar &amp; sp<b>ice</b>, f&uuml;r dich</p>"),      // 2
	of("quoted", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable", "Im M=E4rzen der Bauer, ein sehr lan=\nges Wort"), // 3
	of("base", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", "5p2x5Lqs44Gu5aSp5rCX44Gv5pm044KM44Gn44GZ44CC"),                    // 4: 東京の天気は晴れです。
	of("both", "Content-Type: multipart/alternative; boundary=b", "--b\nContent-Type: text/plain\n\nplain walrus\n--b\nContent-Type: text/html\n\n<i>hyper</i> <b>walrus</b>\n--b--"),
	of("attached", "Content-Type: multipart/mixed; boundary=b", "--b\nContent-Type: text/plain\n\nsee the list\n--b\nContent-Type: text/csv; name=list.csv\nContent-Disposition: attachment\n\nalpha;beta;gamma\n--b\nContent-Type: application/octet-stream\n\nnotatext\n--b--"),
	of("forwarded", "Content-Type: multipart/mixed; boundary=b", "--b\nContent-Type: text/plain\n\nlook at this\n--b\nContent-Type: message/rfc822\n\nFrom: Zelda <zelda@y.test>\nSubject: Innermost\nContent-Type: text/plain\n\nthe inner text\n--b--"),
	of("empty", "Content-Type: text/plain", ""),
}

// TestFindsInTextsWithoutTheServer: words, phrases, what is not to be there, either of two, in all kinds of mails.
func TestFindsInTextsWithoutTheServer(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.KeepTexts(allTexts)
		g.put("INBOX", 0, textual...)
		g.filled(t, "INBOX")
		g.read(t, 8)
		g.tap.Forget()
		for words, want := range map[string]string{
			"body:fox": "1", "QUICK": "1", "uick brow": "1", `"quick brown fox jumps"`: "1", `"the lazy dog"`: "1", `"the dog"`: "", "gruße": "1", "łódź": "1", "lodz": "", "ox": "1", "z": "7 3 1",
			"body:spice": "2", "sugar & spice": "2", "body:für": "2", "fur dich": "2", "body:marmalade": "", "body:teal": "",
			"märzen": "3", "langes": "3", "body:quoted": "", "quoted": "3", "東京": "4", "京の天": "4", "晴": "4", "東天": "", "です。": "4",
			"walrus": "5", "body:hyper": "5", `body:"hyper walrus"`: "5", "gamma": "6", "body:notatext": "", "notatext": "", "list.csv": "6", "innermost": "7", "zelda": "7", `"the inner"`: "7",
			"-walrus -body:the": "8 4 3 2", "walrus OR fox": "5 1", "fox OR from:ben": "8 7 6 5 4 3 2 1", "from:ben -body:fox subject:plain": "", "body:the -fox": "7 6",
		} {
			if got := g.uids(t, words); got != want {
				t.Errorf("%s: %q, not %q", words, got, want)
			}
		}
		if hits, err := g.Hits(t.Context(), *search(t, "body:the -fox")); err != nil || len(hits) != 2 {
			t.Errorf("%v, %v", hits, err)
		}
		if g.asked() {
			t.Errorf("the server was asked: %s", g.tap.Said())
		}
		// A mail that comes is found at once, and soon without the server; one that goes is not.
		g.put("INBOX", 24, of("new", "Content-Type: text/plain", "Another fox"))
		g.until(t, "the new one is found", func() bool { return g.uids(t, "body:fox") == "9 1" })
		g.read(t, 9)
		g.talk.Do("SELECT INBOX")
		g.talk.Do(`UID STORE 1 +FLAGS (\Deleted)`)
		g.talk.Do("EXPUNGE")
		g.read(t, 8)
		g.tap.Forget()
		if got := g.uids(t, "body:fox"); got != "9" || g.asked() {
			t.Errorf("%q, said %s", got, g.tap.Said())
		}
		// What lies on the disk serves the next program, and nothing of it is asked for again.
		g.open(t)
		g.KeepTexts(allTexts)
		g.tap.Forget()
		g.read(t, 8)
		if got := g.uids(t, "body:fox"); got != "9" || g.asked() || strings.Contains(g.tap.Said(), "BODYSTRUCTURE") {
			t.Errorf("after a restart: %q, said %s", got, g.tap.Said())
		}
		// Without the policy they are gone when the files are next opened.
		texts := strings.TrimSuffix(g.Path(), ".db") + ".texts"
		if info, err := os.Stat(texts); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
		g.open(t)
		if got := g.uids(t, "body:fox"); got != "9" || !g.asked() {
			t.Errorf("without texts: %q, asked %v", got, g.asked())
		}
		gone := func() {
			t.Helper()
			if left, _ := filepath.Glob(texts + "*"); len(left) > 0 {
				t.Errorf("%v are left", left)
			}
		}
		gone()
		// It may change its mind at any time.
		g.KeepTexts(allTexts)
		g.read(t, 8)
		g.KeepTexts(index.Policy{})
		if g.list(t, "INBOX", mailclient.ListQuery{}); g.uids(t, "body:fox") != "9" {
			t.Error("it is found no more")
		}
		gone()
		g.KeepTexts(allTexts)
		g.read(t, 8)
		if err := g.ix.DropTexts(); err != nil {
			t.Error(err)
		}
		gone()
	})
}

// TestFindsInTextsAsTheServerDoes compares searches put together at random with what Dovecot finds, while some texts are
// kept, all, and none.
func TestFindsInTextsAsTheServerDoes(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	r := rand.New(rand.NewPCG(7, 8))
	vocabulary := strings.Fields("apple apricot bread brought cider dinner evening fig grape harbour island journey kettle lemon 東京 天気 京都 wörter größe Straße end")
	text := func() string { // accents are in the same words everywhere, for which alone servers differ
		var words []string
		for range 3 + r.IntN(12) {
			words = append(words, vocabulary[r.IntN(len(vocabulary))])
		}
		return strings.Join(words, []string{" ", ", ", ". "}[r.IntN(3)])
	}
	for i := range 80 {
		raw := of(vocabulary[r.IntN(12)], "Content-Type: text/plain; charset=utf-8", text())
		switch i % 4 {
		case 1:
			raw = of("html", "Content-Type: text/html; charset=utf-8", "<p>"+text()+"</p>\n<p>"+text()+"</p>")
		case 2:
			raw = of("mixed", "Content-Type: multipart/mixed; boundary=b", "--b\nContent-Type: text/plain; charset=utf-8\n\n"+text()+"\n--b\nContent-Type: text/plain; charset=utf-8; name=a.txt\n\n"+text()+"\n--b--")
		}
		g.put("INBOX", i, raw)
	}
	g.filled(t, "INBOX")
	words := slices.Concat(vocabulary[:20], []string{"app", "ri", "bre", "ttl", "arb", "東", "京", "body:cider", "body:fig", "body:ör", `"fig grape"`, `body:"lemon, end"`, "subject:fig", "is:unread", "larger:700"})
	compared := func(what string) {
		for range 120 {
			var q []string
			for range 1 + r.IntN(3) {
				w := words[r.IntN(len(words))]
				switch r.IntN(5) {
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
				t.Errorf("%s, %q: %v, the server finds %v, %v", what, q, got.UIDs, want.UIDs, err)
			}
		}
	}
	compared("none")
	g.KeepTexts(index.Policy{Most: 20 << 10, Each: 64 << 10})
	for range 200 {
		g.list(t, "INBOX", mailclient.ListQuery{})
		if held, _, _ := g.TextsKept(); held > 0 && !g.Reading() {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if held, _, _ := g.TextsKept(); held < 20 || held > 70 {
		t.Errorf("%d texts are kept", held)
	}
	compared("some")
	g.open(t)
	g.KeepTexts(allTexts)
	g.read(t, 80)
	g.tap.Forget()
	compared("all")
}

// TestTheTextsOfTheNewestMailsAreKept as far as they may be, in every mailbox but Junk and Trash: the server is asked
// about the others alone.
func TestTheTextsOfTheNewestMailsAreKept(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.talk.Try("CREATE Trash (USE (\\Trash))")
	g.talk.Do("CREATE Work")
	r := rand.New(rand.NewPCG(1, 2))
	long := func(n int) string {
		var words []string
		for range n {
			words = append(words, fmt.Sprintf("%x", r.Uint32()))
		}
		return "marker " + strings.Join(words, "\n")
	}
	for i := range 100 {
		g.put([]string{"INBOX", "Work"}[i%2], i, of("x", "Content-Type: text/plain", long(1000)))
	}
	g.put("Trash", 500, of("x", "Content-Type: text/plain", "marker"))
	const most = 1 << 20
	g.KeepTexts(index.Policy{Most: most, Each: 64 << 10})
	for _, box := range []string{"INBOX", "Work", "Trash"} {
		g.filled(t, box)
	}
	kept := func() (held int, size int64) {
		g.until(t, "texts are kept", func() bool {
			g.list(t, "INBOX", mailclient.ListQuery{})
			held, _, size = g.TextsKept()
			return held > 0 && !g.Reading()
		})
		return held, size
	}
	held, size := kept()
	if held < 20 || held > 90 || size > most || size < most*8/10 {
		t.Errorf("%d texts of %d bytes", held, size)
	}
	g.tap.Forget()
	if got := strings.Fields(g.uids(t, "body:marker")); len(got) != 50 || !strings.Contains(g.tap.Said(), "UID SEARCH RETURN (ALL) UID 1:") {
		t.Errorf("%d found, said %s", len(got), g.tap.Said())
	}
	// Newer ones take the place of older ones, and of a mail too long to be kept whole the server is asked.
	g.put("INBOX", 600, of("new", "Content-Type: text/plain", "the newest marker"), of("long", "Content-Type: text/plain", long(20_000)+" far end"))
	g.until(t, "the new ones are kept", func() bool {
		g.list(t, "INBOX", mailclient.ListQuery{})
		g.tap.Forget()
		return g.uids(t, "body:newest") == "51" && !strings.Contains(g.tap.Said(), "51:")
	})
	if held, size := kept(); held > 90 || size > most {
		t.Errorf("%d texts of %d bytes", held, size)
	}
	g.tap.Forget()
	if got := g.uids(t, `body:"far end"`); got != "52" || !strings.Contains(g.tap.Said(), ",52 BODY") {
		t.Errorf("%s, said %s", got, g.tap.Said())
	}
	if info, err := os.Stat(strings.TrimSuffix(g.Path(), ".db") + ".texts"); err != nil || info.Size() > most*3/2 {
		t.Errorf("%v, %v", info, err)
	}
	// While the server is away, what is kept shows, and that it is not all.
	g.away(t, true)
	for _, words := range []string{"body:newest", "body:marker"} {
		l := g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, words), PerPage: 200})
		if n := len(l.Rows); n == 0 || n > 45 || l.Incomplete != true {
			t.Errorf("%s: %d found, incomplete: %v", words, n, l.Incomplete)
		}
	}
	if l := g.list(t, "INBOX", mailclient.ListQuery{Search: search(t, "body:newest after:2026-03-20 smaller:9k")}); len(l.Rows) != 1 || l.Incomplete {
		t.Errorf("%d found, incomplete: %v", len(l.Rows), l.Incomplete)
	}
	g.away(t, false)
	// A smaller bound holds when the file is next opened.
	g.open(t)
	g.KeepTexts(index.Policy{Most: most / 4, Each: 64 << 10})
	g.until(t, "the smaller bound holds", func() bool {
		held, size := kept()
		return held > 5 && size <= most/4
	})
}

// TestTextsMayBeDeletedAtAnyMoment, or be spoilt: they are got again, and meanwhile the server is asked.
func TestTextsMayBeDeletedAtAnyMoment(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.KeepTexts(allTexts)
	g.put("INBOX", 0, textual...)
	g.filled(t, "INBOX")
	g.read(t, 8)
	texts := strings.TrimSuffix(g.Path(), ".db") + ".texts"
	g.ix.Close()
	if err := os.WriteFile(texts, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.open(t)
	g.KeepTexts(allTexts)
	if got := g.uids(t, "body:fox"); got != "1" {
		t.Error(got)
	}
	g.read(t, 8)
	for _, path := range []string{g.dir, texts} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if got := g.uids(t, "body:fox"); got != "1" {
			t.Error(got)
		}
		g.filled(t, "INBOX")
		g.read(t, 8)
	}
	g.ix.Close()
	g.open(t)
	g.KeepTexts(allTexts)
	g.read(t, 8)
	for _, alone := range []bool{false, true} {
		if alone { // the index beside them is gone already
			if err := os.WriteFile(texts, []byte("secret"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.ix.Keep([]int64{8}); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(g.dir); len(left) > 0 {
			t.Errorf("%v is left of an account that was removed", left)
		}
	}
}

// TestTextsAreThoseOfTheMailboxAsItIs: one that is made anew under its name has other mails, one that goes takes its
// texts with it.
func TestTextsAreThoseOfTheMailboxAsItIs(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.KeepTexts(allTexts)
	g.put("INBOX", 0, textual[0])
	g.talk.Do("CREATE Work")
	g.put("Work", 0, textual[:4]...)
	g.filled(t, "INBOX")
	g.filled(t, "Work")
	g.read(t, 5)
	g.talk.Do("DELETE Work")
	time.Sleep(1100 * time.Millisecond) // UIDVALIDITY is a second
	g.talk.Do("CREATE Work")
	g.put("Work", 0, textual[4:6]...)
	g.until(t, "it is seen to be another", func() bool {
		_, err := g.List(t.Context(), "Work", mailclient.ListQuery{})
		held, _, _ := g.TextsKept()
		return err == nil && held == 3
	})
	for words, want := range map[string]int{"body:fox": 1, "body:walrus": 1} {
		if hits, err := g.Hits(t.Context(), *search(t, words)); err != nil || len(hits) != want {
			t.Errorf("%s: %v, %v", words, hits, err)
		}
	}
}

// TestAMailThatEndsTheConnectionKeepsNoOtherFromBeingRead (F11): of that one alone the server is asked.
func TestAMailThatEndsTheConnectionKeepsNoOtherFromBeingRead(t *testing.T) {
	g := on(t, testmail.Dovecot(t, testmail.DovecotOptions{}))
	g.put("INBOX", 0, textual[:5]...)
	g.put("INBOX", 9, of("three", "Content-Type: multipart/mixed; boundary=b", "--b\n\na walrus\n--b\n\nand a\n--b\n\nthird\n--b--"))
	g.filled(t, "INBOX")
	g.tap.Spoil("BODY.PEEK[3]", testmail.Drop)
	g.KeepTexts(allTexts)
	g.until(t, "all but one are read", func() bool {
		_, err := g.List(t.Context(), "INBOX", mailclient.ListQuery{})
		held, whole, _ := g.TextsKept()
		return err == nil && held == 6 && whole == 5
	})
	g.tap.Spoil("", "")
	g.tap.Forget()
	if got := g.uids(t, "body:walrus"); got != "6 5" || !strings.Contains(g.tap.Said(), "UID 6 BODY") {
		t.Errorf("%q, said %s", got, g.tap.Said())
	}
}
