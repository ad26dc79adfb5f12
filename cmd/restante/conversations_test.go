package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// joined is a mail with fields that join it to others.
func joined(from, subject, text, id string, fields ...string) string {
	raw := testmail.Mail(from, subject, text)
	at := strings.Index(raw, "Message-ID:")
	end := at + strings.Index(raw[at:], "\r\n") + 2
	return raw[:at] + "Message-ID: <" + id + ">\r\n" + strings.Join(append(fields, ""), "\r\n") + raw[end:]
}

// TestConversations are listed in one row, opened with what was answered, and acted on as one or letter by letter.
func TestConversations(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		own := "Anna <" + u.Address + ">"
		talk.AppendAt("INBOX", time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), joined("Maria Keller <maria@keller.example>", "Figures", "first letter", "a@x"))
		talk.AppendAt("Sent", time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), joined(own, "Re: Figures", "my own answer", "b@x", "In-Reply-To: <a@x>", "References: <a@x>"))
		talk.AppendAt("INBOX", time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), joined("Maria Keller <maria@keller.example>", "Re: Figures", "third letter", "c@x", "References: <a@x> <b@x>"))
		talk.AppendAt("INBOX", time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), joined("Omar <omar@x.example>", "Bread", "alone", "d@x"))
		talk.Do("SELECT INBOX")
		talk.Do(`STORE 1 +FLAGS (\Seen)`)
		talk.Do("SELECT Sent") // what was sent is unread to this server
		v := s.signIn(u)

		v.get("/mail/1/INBOX").want(200)
		if n := len(v.all("[data-uid]")); n != 3 {
			t.Errorf("%d single mails", n)
		}
		v.formAround(`button[value=conversations]`).press("action", "conversations").want(200)
		for range 100 { // the index fills behind
			if v.get("/mail/1/INBOX").want(200); len(v.all("[data-uid]")) == 2 && strings.Contains(strings.Join(v.texts("[data-uid]"), ""), "me3") {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		rows := strings.Join(v.texts("[data-uid]"), "\n")
		if len(v.all("[data-uid]")) != 2 || !strings.Contains(rows, "Maria, me3") || !strings.Contains(rows, "third letter") {
			t.Fatalf("%q", rows)
		}
		if v.get("/mail/1/INBOX?threads=0").want(200); len(v.all("[data-uid]")) != 3 {
			t.Errorf("single mails: %q", v.texts("[data-uid]"))
		}
		v.get("/mail/1/INBOX?threads=2").want(400)

		v.get("/mail/1/INBOX").open("Re: Figures").want(200)
		v.says("p[class=thread-count]", "3 messages Open all")
		if lines := v.texts("a[class=letter-line]"); len(lines) != 2 || !strings.Contains(lines[0], "first letter") || !strings.Contains(lines[1], "memy own answer") || !strings.Contains(lines[1], "Sent") {
			t.Errorf("%q", lines)
		}
		v.says("[data-message-text]", "third letter")
		v.follow("a[class=letter-line]").want(200)
		if shown := v.texts("[data-message-text]"); fmt.Sprint(shown) != "[first letter third letter]" {
			t.Errorf("%q", shown)
		}
		v.follow("a[class=letter-line]").want(200) // the other one too
		if shown := v.texts("[data-message-text]"); fmt.Sprint(shown) != "[first letter my own answer third letter]" {
			t.Errorf("%q", shown)
		}
		v.get("/mail/1/INBOX").open("Re: Figures").want(200)
		v.follow("a[data-command=unfold]").want(200)
		if shown := v.texts("[data-message-text]"); fmt.Sprint(shown) != "[first letter my own answer third letter]" {
			t.Errorf("%q", shown)
		}
		if v.has("[data-unread]") && strings.Contains(strings.Join(v.texts("[data-unread]"), ""), "Figures") {
			t.Error("what was opened is unread still")
		}

		// One letter alone, then all that is left, and back again.
		v.form("form[class=letter-acts]").press("action", "trash").want(200)
		v.says("[data-status]", "Moved to Trash.")
		if talk.Count("INBOX") != 2 || talk.Count("Sent") != 1 {
			t.Errorf("%d, %d", talk.Count("INBOX"), talk.Count("Sent"))
		}
		v.formAround("button[data-undo]").press("", "").want(200)
		v.get("/mail/1/INBOX").open("Figures").want(200)
		v.form("form[class=message-bar]").press("action", "archive").want(200)
		v.says("[data-status]", "2 moved to Archive.")
		if talk.Count("INBOX") != 1 || talk.Count("Archive") != 2 || talk.Count("Sent") != 1 {
			t.Errorf("%d, %d, %d", talk.Count("INBOX"), talk.Count("Archive"), talk.Count("Sent"))
		}
		v.formAround("button[data-undo]").press("", "").want(200)
		v.get("/mail/1/INBOX").want(200)
		ref, _ := v.rowIn("Figures")
		v.form("form[data-list]").set("uid", ref).press("action", "unread").want(200)
		v.says("[data-status]", "2 marked unread.")
		v.formAround(`button[value=singles]`).press("action", "singles").want(200)
		if n := len(v.all("[data-uid]")); n != 3 {
			t.Errorf("%d single mails", n)
		}
	})
}

// TestConversationsAndSingleMails stand in lists of their own: what is picked in one of single mails is that mail alone.
func TestConversationsAndSingleMails(t *testing.T) {
	testmail.Each(t, func(t *testing.T, srv *testmail.Server) {
		s := newSite(t, srv, testdb.SQLite(t), nil)
		u := srv.NewUser(t)
		talk := srv.Talk(t, u)
		at := func(hour int) time.Time { return time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC) }
		talk.AppendAt("INBOX", at(8), joined("Dr. Maria Keller <maria@keller.example>", "Figures", "first letter", "a@x"))
		talk.AppendAt("INBOX", at(9), joined("Omar Sy <omar@x.example>", "Re: Figures", "second letter", "b@x", "References: <a@x>"))
		talk.AppendAt("INBOX", at(10), joined("Ben <ben@x.example>", "Bread", "alone", "c@x"))
		v := s.signIn(u)
		v.get("/mail/1/INBOX").want(200)
		v.formAround(`button[value=conversations]`).press("action", "conversations").want(200)
		for range 100 { // the index fills behind
			if v.get("/mail/1/INBOX").want(200); len(v.all("[data-uid]")) == 2 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		row := func() string { return strings.Join(strings.Fields(v.texts("[data-uid]")[1]), " ") }
		if got := row(); !strings.Contains(got, "Unread, 2 messages, Dr. Maria Keller, Omar2 Re: Figures") {
			t.Fatalf("%q", got)
		}

		// Opened, all of it is read; one letter that is put back stays unread, in the list.
		v.open("Re: Figures").want(200)
		if got := row(); strings.Contains(got, "Unread") {
			t.Errorf("opened: %q", got)
		}
		v.get("/mail/1/INBOX").open("Re: Figures").want(200)
		v.form("form[class=letter-acts]").press("action", "unread").want(200)
		v.says("[data-status]", "Marked unread.")
		if got := row(); v.has("[data-message]") || !strings.Contains(got, "Unread, 2 messages") {
			t.Errorf("put back: %q", got)
		}

		// A search and another order list single mails, and lead to the conversation of one.
		for _, list := range []string{"q=figures", "sort=subject"} {
			v.get("/mail/1/INBOX?" + list).want(200)
			if got := strings.Join(v.texts("[data-uid]"), "\n"); strings.Contains(got, "2 messages") || strings.Contains(got, "Omar2") {
				t.Errorf("%s: %q", list, got)
			}
			ref, _ := v.rowIn("Re: Figures")
			v.form("form[data-list]").set("uid", ref).press("action", "flag").want(200)
			v.says("[data-status]", "Flagged.")
			v.form("form[data-list]").set("uid", ref).press("action", "unflag").want(200)
			v.get("/mail/1/INBOX?" + list).open("Re: Figures").want(200)
			v.says("p[class=thread-count]", "2 messages Show the conversation")
			v.form("form[class=message-bar]").press("action", "flag").want(200)
			v.says("[data-status]", "Flagged.")
			v.form("form[class=message-bar]").press("action", "unflag").want(200)
		}
		v.get(attr(v.all("p[class=thread-count]")[0].LastChild, "href")).want(200)
		v.says("p[class=thread-count]", "2 messages Open all")
		v.get("/search?q=figures").open("Re: Figures").want(200)
		v.says("p[class=thread-count]", "2 messages Show the conversation")

		// Each draft of a conversation stands for itself.
		for i, id := range []string{"d@x", "e@x"} {
			talk.AppendAt("Drafts", at(11+i), joined("Anna <"+u.Address+">", "Re: Figures", "draft "+id, id, "References: <a@x>"))
		}
		for range 100 {
			if v.get("/mail/1/Drafts").want(200); len(v.all("[data-uid]")) == 2 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if got := strings.Join(v.texts("[data-uid]"), "\n"); len(v.all("[data-uid]")) != 2 || strings.Contains(got, "Omar") || v.has("button[value=singles]") {
			t.Errorf("drafts: %q", got)
		}
	})
}

// TestPicturesOfOneLetter are let in for the letter whose button asked for them, and for no other of its conversation.
func TestPicturesOfOneLetter(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	u := srv.NewUser(t)
	talk := srv.Talk(t, u)
	for i, id := range []string{"a@x", "b@x", "c@x"} {
		raw := joined("Maria Keller <maria"+id[:1]+"@keller.example>", "Figures", `<p>letter</p><img src="https://pictures.example/`+id[:1]+`.png" width="300" height="200">`, id, "References: <a@x>")
		talk.AppendAt("INBOX", time.Date(2026, 3, 1, 8+i, 0, 0, 0, time.UTC), strings.Replace(raw, "text/plain", "text/html", 1))
	}
	v := s.signIn(u)
	for range 100 { // the index fills behind
		if v.get("/mail/1/INBOX?threads=1").want(200); len(v.all("[data-uid]")) == 1 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	v.open("Figures").want(200)
	allowed := func() (out string) {
		for _, frame := range v.all("iframe[data-message-body]") {
			uid := strings.Split(attr(frame, "src"), "/")[4]
			out += " " + uid + map[bool]string{true: " shown"}[strings.Contains(attr(frame, "src"), "remote=1")]
		}
		return out
	}
	buttons := v.all("a[data-allow-remote]")
	if got := allowed(); got != " 1 2 3" || len(buttons) != 3 {
		t.Fatalf("%s, %d buttons", got, len(buttons))
	}
	v.get(attr(buttons[0], "href")).want(200)
	if got := allowed(); got != " 1 shown 3" {
		t.Errorf("for the first: %s", got)
	}
	v.get(attr(buttons[2], "href")).want(200)
	if got := allowed(); got != " 3 shown" {
		t.Errorf("for the one that was asked for: %s", got)
	}
}

// TestOpenConversationGrows: what comes to it while it is read stands in it, folded and unread, and whatever was opened
// stays open, also once the conversation was flagged.
func TestOpenConversationGrows(t *testing.T) {
	b, srv, anna := tabWith(t, 1)
	answer := func(id, text string) {
		srv.Deliver(t, anna, joined("Maria Keller <maria@keller.example>", "Re: Figures", text, id, "References: <a@x>"))
	}
	srv.Deliver(t, anna, joined("Maria Keller <maria@keller.example>", "Figures", "first letter", "a@x"))
	answer("b@x", "second letter")
	b.open("/mail/1/INBOX?threads=1")
	b.until("the conversation stands in one row", `document.querySelectorAll("[data-rows] > .row").length === 2 || (location.reload(), false)`)
	b.click(`.row:has(.pill) .row-subject`)
	b.until("it is open", `document.querySelector(".thread-count")?.innerText.startsWith("2 ") && document.querySelectorAll(".letter").length === 2 && !document.querySelector(".row:has(.pill)").hasAttribute("data-unread")`)
	answer("c@x", "third letter")
	b.until("the third stands below, folded and unread", `document.querySelector(".answer + .thread > .letter-line[data-unread]")?.innerText.includes("third letter") && document.querySelector(".thread-count").innerText.startsWith("3 ")`)
	b.until("its row is the current one, and unread", `document.querySelector(".row[data-current][data-unread] .pill")?.innerText === "3"`)
	b.until("the others are as they were", `document.querySelectorAll(".letter").length === 2`)
	b.click(`.answer + .thread > .letter-line`)
	b.until("it is open", `document.querySelectorAll(".letter").length === 3 && document.activeElement.matches(".letter-open")`)
	b.until("its row is read", `!document.querySelector(".row[data-current]").hasAttribute("data-unread")`)
	answer("d@x", "fourth letter")
	answer("e@x", "fifth letter")
	b.until("two more have come", `document.querySelectorAll(".letter-line[data-unread]").length === 2`)
	b.click(`.letter-line[data-unread]`)
	b.until("the one that was pressed is open", `document.querySelectorAll(".letter").length === 4`)
	b.open("/mail/1/INBOX?threads=1&filter=unread")
	b.until("the other is unread", `document.querySelector(".row:has(.pill)")?.hasAttribute("data-unread")`)
	b.open("/mail/1/INBOX?threads=0")
	b.until("and no other", `document.querySelectorAll(".row[data-unread]").length === 2`)
	b.open("/mail/1/INBOX?threads=1")
	b.click(`.row:has(.pill) .row-subject`)
	b.until("it is open again", `document.querySelector(".thread-count")`)
	b.click(`[data-command=unfold]`)
	b.until("all is open", `document.querySelectorAll(".letter").length === 5`)
	b.keys("s")
	b.until("all are flagged, and open still", `document.querySelector("[data-status]")?.innerText.includes("5 flagged") && document.querySelector(".subject .flag") && document.querySelectorAll(".letter").length === 5`)
}
