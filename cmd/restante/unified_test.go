package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

const allInboxes = "/mail/all/INBOX"

// subjects are those of the list on the page, in its order.
func (v *visitor) subjects() (out []string) {
	for _, n := range v.all("span[class=row-subject]") {
		out = append(out, text(n))
	}
	return out
}

func at(minute int) time.Time { return time.Date(2026, 1, 2, 10, minute, 0, 0, time.UTC) }

// TestL15_AllInboxesAreOneList: by date over all accounts, each row with its account, page by page, filtered, and each mail
// opens where it lies.
func TestL15_AllInboxesAreOneList(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		e := newElsewhere(t, db)
		own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
		for i := range 40 {
			own.AppendAt("INBOX", at(2*i), testmail.Mail("a@x.test", fmt.Sprintf("Mail %02d", 2*i), "x"))
			ben.AppendAt("INBOX", at(2*i+1), testmail.Mail("b@x.test", fmt.Sprintf("Mail %02d", 2*i+1), "x"))
		}
		ben.AppendAt("INBOX", at(90), testmail.Mail("b@x.test", "At once, Ben", "x"))
		own.AppendAt("INBOX", at(90), testmail.Mail("a@x.test", "At once, Anna", "x"))
		e.restart() // so that it is heard of at once
		v := e.v.get("/").want(200)
		if !v.has(`a[href="` + allInboxes + `"]`) {
			t.Error("no way leads there")
		}
		v.get(allInboxes).want(200).says("p[class=list-range]", "1–50 of 84")
		want := []string{"At once, Anna", "At once, Ben"} // the first account first
		for i := 79; i >= 0; i-- {
			want = append(want, fmt.Sprintf("Mail %02d", i))
		}
		if got := v.subjects(); !slices.Equal(got[2:], want[:48]) || !slices.Contains(got[:2], "To Anna") || !slices.Contains(got[:2], "To Ben") {
			t.Errorf("the first page is %q", got)
		}
		for _, row := range v.all("li[data-uid]") {
			address := map[bool]string{true: e.anna.Address, false: e.login.Address}[strings.Contains(text(row), "a@x.test") || strings.Contains(text(row), "To Anna")]
			if whole := allIn(t, row, "span[class=row-folder]"); len(whole) != 1 || attr(whole[0], "title") != address || !strings.HasPrefix(address, text(whole[0])) {
				t.Errorf("%q does not name its account", text(row))
			}
		}
		v.follow("a[rel=next]").want(200).says("p[class=list-range]", "51–84 of 84")
		if got := v.subjects(); !slices.Equal(got, want[48:]) {
			t.Errorf("the second page is %q", got)
		}
		v.get(allInboxes).open("Mail 79").want(200)
		if !strings.HasPrefix(v.url.Path, e.inbox+"/") || len(v.subjects()) != 50 {
			t.Errorf("it opens as %s beside %q", v.url, v.subjects())
		}
		v.follow("a[rel=next][class=icon-button]").want(200).says("h1", "Mail 78") // in the other account
		if strings.HasPrefix(v.url.Path, e.inbox) || v.marked("Mail 78", "data-unread") || !v.marked("Mail 77", "data-unread") {
			t.Errorf("the next one is %s", v.url)
		}
		v.form("form[class=message-bar]").press("action", "archive").want(200).says("h1", "Mail 77")
		v.formAround("button[data-undo]").press("", "").want(200)
		if v.follow("a[class=icon-button back]").want(200); v.url.Path != allInboxes {
			t.Errorf("the way back leads to %s", v.url)
		}
		v.get(allInboxes+"?filter=unread").want(200).says("p[class=list-range]", "of 81")
		v.get(allInboxes).does("flag", "Mail 78", "Mail 77")
		v.get(allInboxes + "?filter=flagged").want(200)
		if got := v.subjects(); !slices.Equal(got, []string{"Mail 78", "Mail 77"}) {
			t.Errorf("flagged are %q", got)
		}
		v.get(allInboxes+"?filter=attachments").want(200).says("p", "No mail of any inbox is such")
		v.get(allInboxes + "?filter=nonsense").want(400)
		v.get(allInboxes+"?page=99").want(200).says("p[class=list-range]", "51–84 of 84")
	})
}

// TestTheLastMailOfAPageOfAllInboxesLeadsOn to the first of the next page, whichever account that lies in.
func TestTheLastMailOfAPageOfAllInboxesLeadsOn(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	own := e.mail.Talk(t, e.anna)
	for i := range 52 {
		own.AppendAt("INBOX", time.Now().Add(time.Duration(i+1)*time.Minute), testmail.Mail("a@x.test", fmt.Sprintf("Mail %02d", i), "x"))
	}
	e.other.Talk(t, e.login).AppendAt("INBOX", at(0), testmail.Mail("b@x.test", "Long ago", "x"))
	e.restart() // so that it is heard of at once
	e.v.get(allInboxes).want(200)
	subjects := e.v.subjects()
	last := subjects[len(subjects)-1]
	next := e.v.get(allInboxes + "?page=2").want(200).subjects()[0]
	e.v.get(allInboxes).open(last).want(200).follow("a[rel=next][class=icon-button]").want(200).says("h1", next)
}

// TestActsOnAllInboxesGoToTheRightServers, with one Undo for all.
func TestActsOnAllInboxesGoToTheRightServers(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
	v := e.v
	both := []string{"To Anna", "To Ben"}
	for action, folder := range map[string]string{"archive": "Archive", "trash": "Trash", "junk": "Junk"} {
		v.get(allInboxes).want(200).does(action, both...).says("[role=status]", "2 moved to")
		if v.url.Path != allInboxes || len(v.subjects()) != 0 || own.Count(folder) != 1 || ben.Count(folder) != 1 {
			t.Errorf("%s leaves %q, and %d and %d there", action, v.subjects(), own.Count(folder), ben.Count(folder))
		}
		v.formAround("button[data-undo]").press("", "").want(200)
		if len(v.get(allInboxes).subjects()) != 2 || own.Count("INBOX") != 1 || ben.Count("INBOX") != 1 {
			t.Errorf("after Undo of %s there are %q", action, v.subjects())
		}
	}
	v.get(allInboxes).does("read", both...)
	v.get(allInboxes).does("flag", "To Ben")
	seen := func(k *testmail.Talk) string { return fmt.Sprint(k.Flags("INBOX")) }
	if !strings.Contains(seen(own), "Seen") || !strings.Contains(seen(ben), "Seen") || strings.Contains(seen(own), "Flagged") || !strings.Contains(seen(ben), "Flagged") {
		t.Errorf("%s and %s", seen(own), seen(ben))
	}
	f := v.get(allInboxes).form("form[data-list]")
	f.set("uid", v.row("To Ben")).set("action", "move").set("to", "Archive").press("", "").want(400).says("[role=alert]", "their own account")
	v.get(allInboxes).form("form[data-list]").set("uid", "999.INBOX.1.1").press("action", "trash").want(404)

	other := e.signIn(e.mail.NewUser(t))
	other.get(allInboxes).want(200)
	f = other.form("form[action=/logout]")
	f.action = allInboxes + "/actions"
	f.set("uid", v.get(allInboxes).row("To Ben")).set("action", "trash").press("", "").want(404)
	if ben.Count("INBOX") != 1 {
		t.Error("somebody else has moved a mail")
	}
}

// TestOneServerThatIsAwayHidesNothingOfTheOthers: its own mails stand as they were last known, the page says so, and what
// is done to both waits for the one alone.
func TestOneServerThatIsAwayHidesNothingOfTheOthers(t *testing.T) {
	e := newElsewhere(t, testdb.SQLite(t))
	own, ben := e.mail.Talk(t, e.anna), e.other.Talk(t, e.login)
	e.v.get(allInboxes).want(200)
	e.indexed(t, strings.Split(e.inbox, "/")[2], "the inbox", "SELECT complete FROM boxes WHERE name = 'INBOX'")
	e.away(true)
	soon(t, "the page", func() { e.v.get(allInboxes).want(200) })
	if len(e.v.subjects()) != 2 {
		t.Errorf("it lists %q", e.v.subjects())
	}
	e.v.says("p[role=status]", e.login.Address+": ")
	e.v.does("flag", "To Anna", "To Ben").says("[data-status]", "when it is back")
	if !strings.Contains(fmt.Sprint(own.Flags("INBOX")), "Flagged") {
		t.Error("what could be done was not")
	}
	e.away(false)
	e.v.get(e.inbox)
	eventually(t, "the other one is done, too", func() bool {
		e.v.get(allInboxes).want(200)
		return strings.Contains(fmt.Sprint(ben.Flags("INBOX")), "Flagged")
	})
	e.away(true)
	e.end()
	if err := eraseIndex(e.conf.Data); err != nil {
		t.Fatal(err)
	}
	e.start()
	e.v.get(allInboxes).want(200).says("p[role=status]", e.login.Address+": ")
	if got := e.v.subjects(); !slices.Equal(got, []string{"To Anna"}) {
		t.Errorf("with nothing known of it there are %q", got)
	}
}

func eraseIndex(data string) error { return os.RemoveAll(filepath.Join(data, "index")) }

// TestAllInboxesInChromium: news of each account appear by themselves, and acts work as in any list.
func TestAllInboxesInChromium(t *testing.T) {
	s, _, anna, ben := twoAccounts(t, testdb.SQLite(t))
	b := newTab(t, s, wide)
	b.signIn(anna)
	b.press("Your account, " + anna.Address)
	b.press("All inboxes")
	b.until("both are there", `document.querySelectorAll("[data-uid]").length === 2 && document.querySelector("#list-title").innerText === "All inboxes"`)
	s.mail.Deliver(t, ben, testmail.Mail("Priya <priya@raman.example>", "News for Ben", "Here I am."))
	b.until("new mail of the further account appears by itself", `document.querySelector("[data-uid]")?.innerText.includes("News for Ben")`)
	s.mail.Deliver(t, anna, testmail.Mail("Priya <priya@raman.example>", "News for Anna", "Here I am."))
	b.until("and of the first", `document.querySelector("[data-uid]")?.innerText.includes("News for Anna")`)
	b.click(`.row:has([aria-label*="News for Ben"]) .pick`)
	b.click(`.row:has([aria-label*="To Anna"]) .pick`)
	b.sees("2 selected")
	b.click(`.action-bar button[value=archive]`)
	b.missing("[data-uid]", "News for Ben")
	b.missing("[data-uid]", "To Anna")
	b.sees("2 moved to Archive.")
	if s.mail.Talk(t, ben).Count("Archive") != 1 || s.mail.Talk(t, anna).Count("Archive") != 1 {
		t.Error("they went elsewhere")
	}
	b.press("Undo")
	b.until("all are back", `document.querySelectorAll("[data-uid]").length === 4`)
	b.press("News for Ben")
	b.until("it opens in its account", `document.querySelector("#subject")?.innerText.includes("News for Ben") && document.querySelector(".tree-account").innerText === $`, ben.Address)
	s.mail.Deliver(t, anna, testmail.Mail("Priya <priya@raman.example>", "Another for Anna", "Here I am."))
	b.until("beside the inbox of all, which follows", `document.querySelectorAll("[data-uid]").length === 5 && document.querySelector(".tree-account").innerText === $`, ben.Address)
	b.until("the row is read", `!document.querySelector("[data-uid][data-current]").hasAttribute("data-unread")`)
	b.keys("e")
	b.missing("[data-uid]", "News for Ben")
	b.until("the next one opens", `document.querySelector("#subject") && !document.querySelector("#subject").innerText.includes("News for Ben")`)
	b.open("/mail/1/INBOX")
	s.mail.Deliver(t, ben, testmail.Mail("Priya <priya@raman.example>", "More for Ben", "Here I am."))
	b.until("the menu has a dot", `document.querySelector(".account .account-list .dot")`)
	b.until("the folders say how much is unread in both, the tab too", `((all, ben) => ben > 0 && all > ben && document.title.startsWith("(" + all + ")"))(
		Number(document.querySelector("[data-unread-all]").dataset.unreadAll), parseInt(document.querySelector(".tree-inboxes li:last-child .count")?.textContent))`)
}
