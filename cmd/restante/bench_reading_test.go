package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"restante/internal/testmail"
)

// What a list and a mail are asked for by raw commands: PROTOCOLS of a client that keeps nothing.
const (
	rawRow  = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (References In-Reply-To List-Id Content-Type)])"
	rawFill = "(UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Date From Sender Reply-To To Cc Subject Message-ID In-Reply-To References Thread-Index Content-Type List-Id)])"
	rawOpen = "(FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[1])"
	rawTree = "LIST \"\" \"*\" RETURN (SUBSCRIBED CHILDREN SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))"
)

const turns = 11

// reading is one mailbox with somebody who reads it, and a raw connection beside.
type reading struct {
	*bench
	where string
	n     int
	user  testmail.User
	v     *browser
	w     *wire
}

// mailbox measures everything that is done with a mailbox of n mails.
func (b *bench) mailbox(n int) {
	name := fmt.Sprintf("bench%d", n)
	r := &reading{bench: b, where: fmt.Sprint(n), n: n, user: fill(b.t, b.mail, name, n)}
	r.w = dialWire(b.t, b.mail, r.user)
	defer r.w.close()
	r.w.say("SELECT INBOX") // Dovecot makes its index
	r.v = newBrowser(b.t, b.s.base)
	defer r.v.close()
	r.cold()
	r.signIns()
	r.v.signIn(r.user)
	defer r.v.watch()()
	time.Sleep(time.Second) // a watch begins
	r.lists()
	r.opens()
	r.orders()
	r.searches()
	if n == sizes(b.t)[0] {
		r.download()
	}
	r.v.post("/logout", nil)
}

// cold is from the first sign-in until the index of the inbox is filled, beside the same headers asked for raw. Page 1
// shows meanwhile.
func (r *reading) cold() {
	all := fmt.Sprintf("FETCH 1:* %s", rawFill)
	r.w.say(all, fmt.Sprintf("FETCH 1:* %s", rawRow)) // Dovecot learns what is asked for
	var first time.Duration
	var pages []time.Duration
	r.compare(r.where, "index filled", 1.2, 1, nil, func(int) {
		first = took(func() { r.v.signIn(r.user) })
		for on := true; on; time.Sleep(20 * time.Millisecond) {
			pages = append(pages, took(func() { on = r.v.fills() }))
		}
	}, func(int) { r.w.say(all) })
	r.note("sign-in with inbox, nothing known", 2, first, took(func() { r.rawSignIn() }))
	r.note("list page 1, while the rest comes", 2, median(pages), took(func() { r.w.say("NOOP", r.rawPage(1)) }))
	r.v.post("/logout", nil)
}

func (r *reading) rawPage(page int) string {
	return fmt.Sprintf("FETCH %d:%d %s", max(1, r.n-50*page+1), r.n-50*(page-1), rawRow)
}

func (r *reading) signIns() {
	v := newBrowser(r.t, r.s.base)
	v.signIn(r.user) // Dovecot learns what is asked for
	ours := func(int) {
		v = newBrowser(r.t, r.s.base)
		v.signIn(r.user)
	}
	before := func(int) {
		v.post("/logout", nil)
		v.close()
	}
	r.compare(r.where, "sign-in with inbox", 0.3, turns, before, ours, func(int) { r.rawSignIn() })
	before(0)
}

func (r *reading) rawSignIn() {
	w := dialWire(r.t, r.mail, r.user)
	w.say(rawTree, "SELECT INBOX", r.rawPage(1))
	w.close()
}

func (r *reading) lists() {
	const previews = " BODY.PEEK[1]<0.2048>" // what they are made of, of mails that were never listed
	list := func(what, more string, page func(i int) int) {
		ask := func(i int) { r.w.say("NOOP", strings.TrimSuffix(r.rawPage(page(i)), ")")+more+")") }
		for i := range turns { // Dovecot learns
			ask(i)
		}
		r.compare(r.where, what, 1, turns, nil, func(i int) { r.v.get(fmt.Sprintf("%s?page=%d", r.v.inbox, page(i))) }, ask)
	}
	list("list page 1, again", "", func(int) int { return 1 })
	list("list page 2, again", "", func(int) int { return 2 })
	from := 3
	list("list page 3 on, never seen", previews, func(i int) int { return from + i%(r.n/50-3) })
	if r.n >= 60_000 {
		list("list page 1000 on, never seen", previews, func(i int) int { return 1000 + i })
	}
	r.v.get(r.v.inbox) // page 1 is known again, as it is to who comes from it
}

// opens visits mails of the first page that were read before, ones that were not, and large letters.
func (r *reading) opens() {
	newest := fmt.Sprintf("%d:%d", r.n-49, r.n)
	seen := r.w.uids(newest + ` SEEN HEADER Content-Type text/plain`)
	unseen := r.w.uids(newest + ` UNSEEN HEADER Content-Type text/plain`)
	letters := r.w.uids(newest + ` SUBJECT "Catalogue"`)
	open := func(uid int, more string) func(int) {
		return func(int) { r.w.say("NOOP", fmt.Sprintf("UID FETCH %d %s", uid, rawOpen+more)) }
	}
	for _, u := range append(append([]int{}, seen...), append(unseen, letters...)...) {
		open(u, "")(0)
	}
	r.compare(r.where, "open text", 1, turns, nil,
		func(i int) { r.v.get(fmt.Sprintf("%s/%d", r.v.inbox, seen[i%len(seen)])) },
		func(i int) { open(seen[i%len(seen)], "")(i) })
	r.compare(r.where, "open text, raw with its list", 1, turns, nil,
		func(i int) { r.v.get(fmt.Sprintf("%s/%d", r.v.inbox, seen[i%len(seen)])) },
		func(i int) {
			r.w.say("NOOP", fmt.Sprintf("UID FETCH %d %s", seen[i%len(seen)], rawOpen), r.rawPage(1))
		})
	r.compare(r.where, "open text beside its list", 1, turns, nil,
		func(i int) { r.v.beside(fmt.Sprintf("%s/%d", r.v.inbox, seen[i%len(seen)])) },
		func(i int) { open(seen[i%len(seen)], "")(i) })
	// What one connection changes has Dovecot scan the mailbox anew for all others: raw has a mailbox of its own for that.
	twin := dialWire(r.t, r.mail, fill(r.t, r.mail, fmt.Sprintf("bench%dtwin", r.n), r.n))
	defer twin.close()
	twin.say("SELECT INBOX")
	for _, u := range unseen {
		twin.say(fmt.Sprintf("UID FETCH %d %s", u, rawOpen))
	}
	r.compare(r.where, "open text, unread", 0.1, len(unseen), nil,
		func(i int) { r.v.get(fmt.Sprintf("%s/%d", r.v.inbox, unseen[i])) },
		func(i int) {
			twin.say("NOOP", fmt.Sprintf("UID FETCH %d %s", unseen[i], rawOpen))
			twin.say(fmt.Sprintf("UID STORE %d +FLAGS (\\Seen)", unseen[i]))
		})
	html := func(i int) {
		uid := letters[i%len(letters)]
		r.w.say("NOOP", fmt.Sprintf("UID FETCH %d %s", uid, rawOpen), fmt.Sprintf("UID FETCH %d (BODY.PEEK[2])", uid))
	}
	for _, what := range []string{"open HTML of 100 kB: page and letter", "open HTML of 100 kB, again"} {
		r.compare(r.where, what, 4, turns, nil,
			func(i int) {
				path := fmt.Sprintf("%s/%d", r.v.inbox, letters[i%len(letters)])
				r.v.get(path)
				r.v.get(path + "/body")
			}, html)
	}
}

func (r *reading) searches() {
	n := turns
	if r.n > 20_000 {
		n = 3
	}
	search := func(what, query, raw string) {
		r.w.uids(raw) // Dovecot learns
		r.compare(r.where, what, 0.03, n, nil,
			func(int) { r.v.get(r.v.inbox + "?" + url.Values{"q": {query}}.Encode()) },
			func(int) { r.w.uids(raw); r.w.say(r.rawPage(1)) })
	}
	search("search from:", "from:elena.4", `FROM "elena.4"`)
	search("search subject:", "subject:museum", `SUBJECT "museum"`)
	r.compare(r.where, "offered while typing", 0.03, turns, nil,
		func(i int) { r.v.get("/search/suggest?q=" + []string{"elen", "museu", "zeppel"}[i%3]) },
		func(i int) {
			word := []string{"elen", "museu", "zeppel"}[i%3]
			r.w.uids(fmt.Sprintf("OR FROM %q SUBJECT %q", word, word))
		})
	search("search for a word", "zeppelin", `TEXT "zeppelin"`)
}

// orders are lists that the server has to work out.
func (r *reading) orders() {
	n := turns
	if r.n > 20_000 {
		n = 5
	}
	list := func(what, query, raw string, target float64) {
		r.w.say(raw)
		r.v.get(r.v.inbox + query)
		r.compare(r.where, what, target, n, nil, func(int) { r.v.get(r.v.inbox + query) }, func(int) { r.w.say(raw, r.rawPage(1)) })
	}
	list("sorted by subject", "?sort=subject&order=asc", "UID SORT (SUBJECT) UTF-8 ALL", 0.1)
	list("conversations", "?threads=1", "UID THREAD REFERENCES UTF-8 ALL", 0.04)
}

func (r *reading) download() {
	uid := r.w.uids(`SUBJECT "Film"`)[0]
	path := fmt.Sprintf("%s/%d/parts/2?download=1", r.v.inbox, uid)
	r.compare(r.where, "download of 20 MB", 1.5, 5, nil,
		func(int) {
			if n := r.v.get(path); n != fileSize {
				r.t.Fatalf("the file has %d bytes", n)
			}
		},
		func(int) { r.w.say(fmt.Sprintf("UID FETCH %d (BODY.PEEK[2])", uid)) })
}
