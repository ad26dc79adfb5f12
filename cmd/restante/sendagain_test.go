package main

import (
	"slices"
	"strings"
	"testing"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAMailIsEditedAsNewAndSeveralAreForwarded with all that was in them, without scripts.
func TestAMailIsEditedAsNewAndSeveralAreForwarded(t *testing.T) {
	srv := testmail.Postfix(t, testmail.PostfixOptions{})
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna, ben := srv.NewUser(t), srv.NewUser(t)
	talk := srv.Talk(t, anna)
	talk.Append("INBOX", "", "From: Maria <maria@x.test>\r\nTo: "+anna.Address+", Ben <"+ben.Address+">\r\nSubject: Figures\r\nMessage-ID: <f@x>\r\nReferences: <e@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nThe figures.\r\n--b\r\nContent-Type: text/csv; name=f.csv\r\nContent-Disposition: attachment; filename=f.csv\r\n\r\n1,2\r\n--b--\r\n")
	talk.Append("INBOX", "", testmail.Mail("Omar <omar@x.test>", "Figures", "Second."))
	talk.Append("INBOX", "", testmail.Mail("Rosa <rosa@x.test>", "Ridge", "Third."))
	v := s.signIn(anna)

	v.get("/mail/1/INBOX").want(200).open("Ridge").want(200)
	first := strings.Replace(v.url.Path, "/3", "/1", 1)
	v.get(first).want(200)
	again := ""
	for _, a := range v.all("a[href]") {
		if strings.Contains(attr(a, "href"), "again=1") {
			again = attr(a, "href")
		}
	}
	f := v.get(again).want(200).form("form[data-compose]")
	if attr(v.one("input[id=subject]"), "value") != "Figures" || !strings.Contains(rawText(v.one("textarea[name=body]")), "The figures.") || !strings.Contains(attr(v.one("input[id=to]"), "value"), ben.Address) {
		t.Fatalf("%s", v.body)
	}
	f.set("to", ben.Address).set("subject", "Figures, mended").press("action", "send").want(200)
	other := s.signIn(ben)
	eventually(t, "it arrives", func() bool { return other.get("/mail/2/INBOX").want(200).row("Figures, mended") != "" })
	other.open("Figures, mended").want(200)
	if files := other.texts("a[data-attachment]"); len(files) != 1 || !strings.Contains(files[0], "f.csv") {
		t.Errorf("it came with %q", files)
	}
	if raw := string(other.get(other.url.Path + "/source").want(200).body); strings.Contains(raw, "References") || strings.Contains(raw, "In-Reply-To") {
		t.Error("it is an answer still")
	}
	if flags := talk.Flags("INBOX")[1]; strings.Contains(flags, "Answered") {
		t.Errorf("the original is marked: %q", flags)
	}

	list := v.get("/mail/1/INBOX").want(200).form("form[data-list]")
	list.set("uid", "1", "2", "3").press("action", "forward").want(200).form("form[data-compose]").set("to", ben.Address).set("subject", "All three").press("action", "send").want(200)
	eventually(t, "they arrive", func() bool { return other.get("/mail/2/INBOX").want(200).row("All three") != "" })
	other.open("All three").want(200)
	var names []string
	for _, n := range other.all("a[data-attachment]") {
		names = append(names, strings.Fields(text(n))[0])
	}
	slices.Sort(names)
	if len(names) != 3 || names[0] == names[1] {
		t.Errorf("they came as %q", names)
	}
	v.get("/compose?in=INBOX&forward=file&uid=1&uid=x").want(400)
	v.get("/compose?in=INBOX&forward=file&uid=1&uid=999").want(200).form("form[data-compose]").set("to", ben.Address).set("subject", "x").press("action", "send").want(404)
}
