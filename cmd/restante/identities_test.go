package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
	"restante/mailclient/discover"
)

// texts is an internet in which names have TXT records.
type texts struct {
	*internet
	txt map[string]string
}

func (x texts) LookupTXT(_ context.Context, name string) ([]string, error) {
	if v := x.txt[name]; v != "" {
		return []string{v}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// identity opens the form of one of the person's addresses, "" for a new one.
func (v *visitor) identity(address string) *form {
	v.t.Helper()
	v.get("/settings/identities").want(200)
	for _, a := range v.all("a[class=admin-link]") {
		if text(a) == address {
			return v.get(attr(a, "href")).want(200).form("form[data-identity-form]")
		}
	}
	if address != "" {
		v.t.Fatalf("%s is none of %q", address, v.texts("a[class=admin-link]"))
	}
	return v.get("/settings/identities/new").want(200).form("form[data-identity-form]")
}

// raw is a mail as it lies in a mailbox.
func raw(k *testmail.Talk, mailbox string, n int) string {
	k.Do("EXAMINE %s", mailbox)
	return strings.ReplaceAll(strings.Join(k.Do("FETCH %d BODY.PEEK[]", n), "\n"), "\r", "")
}

// TestAnAddressSendsThroughAServerOfItsOwn has a person at one Postfix write by an address of another, which takes mail
// from its own people alone.
func TestAnAddressSendsThroughAServerOfItsOwn(t *testing.T) {
	own, other := testmail.Postfix(t, testmail.PostfixOptions{}), testmail.Postfix(t, testmail.PostfixOptions{OwnSender: true})
	s := newSite(t, own, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	s.end()
	s.look = func(known *discover.Directory) *discover.Finder {
		dns := texts{newInternet(other), map[string]string{"example.test": "v=spf1 mx -all", "_dmarc.example.test": "v=DMARC1; p=reject"}}
		return discover.NewFinder(discover.FinderOptions{Dial: dns, Resolver: dns, Directory: known})
	}
	s.start()
	tap := testmail.NewTap(t, other.Submission)
	anna, ben, carl := own.NewUser(t), other.NewUser(t), other.NewUser(t)
	v := s.signIn(anna)
	picture, err := os.ReadFile("../../static/icons/postmark-192.png")
	if err != nil {
		t.Fatal(err)
	}
	typed := func(f *form) *form {
		return f.set("name", "Ben B.").set("address", ben.Address).set("organization", "Chess “Club”").set("bcc", anna.Address).set("signature", "Ben\nClub").
			set("own", "1").set("username", ben.Address).set("smtp_host", tap.Address.Host).set("smtp_port", fmt.Sprint(tap.Address.Port)).set("smtp_security", "none")
	}
	typed(v.identity("")).set("password", "wrong").press("action", "save").want(422).says("[role=alert]", tap.Address.Host+" does not take this name and password")
	if strings.Contains(string(v.body), "wrong") || v.form("form[data-identity-form]").values.Get("signature") != "Ben\nClub" {
		t.Error("the password is shown, or what was typed is gone")
	}
	typed(v.identity("")).set("password", ben.Password).set("address", carl.Address).press("action", "test").want(422).says("[role=alert]", "does not let you send as "+carl.Address)
	typed(v.identity("")).set("password", ben.Password).set("smtp_host", "localhost.test").press("action", "test").want(422).says("[role=alert]", "localhost.test")
	typed(v.identity("")).set("password", ben.Password).attach("picture", file{"logo.png", picture}).press("action", "test").want(200).says("[role=status]", "takes the password, and mail from "+ben.Address)
	v.says("[role=status]", "may not send for it")
	v.says("[role=status]", "such mail is refused")
	if other.Talk(t, ben).Count("INBOX") != 0 {
		t.Error("a test has sent something")
	}
	v.form("form[data-identity-form]").press("action", "save").want(200).says("[role=status]", "Identity kept") // password and picture are still there

	write := func(subject string) {
		v.get("/compose").want(200)
		v.form("form[data-compose]").set("from", v.from(ben.Address)).set("to", carl.Address).set("subject", subject).set("body", "Hello.").press("action", "send").want(200)
	}
	tap.Forget()
	write("By itself")
	eventually(t, "the mail arrives", func() bool { return other.Talk(t, carl).Count("INBOX") == 1 })
	got := raw(other.Talk(t, carl), "INBOX", 1)
	for _, want := range []string{"Return-Path: <" + ben.Address + ">", "From: \"Ben B.\" <" + ben.Address + ">", "Organization: =?utf-8?"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if said := tap.Said(); !strings.Contains(said, "MAIL FROM:<"+ben.Address+">") {
		t.Errorf("the address's own server heard %q", said)
	}
	eventually(t, "the copy is in the account's own Sent, once", func() bool { return own.Talk(t, anna).Count("Sent") == 1 })

	v.identity(ben.Address).set("password", "changed since").press("action", "save").want(422).form("form[data-identity-form]").press("action", "anyway").want(200)
	write("Held up")
	eventually(t, "the outbox names the server", func() bool {
		return strings.Contains(string(v.get("/outbox").want(200).body), tap.Address.Host+" does not take the password that is kept for "+ben.Address)
	})
	v.follow("a[class=button filled]").want(200).form("form[data-identity-form]").set("password", ben.Password).press("action", "save").want(200)
	eventually(t, "it goes out by itself", func() bool { return other.Talk(t, carl).Count("INBOX") == 2 })

	v.identity(ben.Address).set("password", "changed since").press("action", "save").want(422).form("form[data-identity-form]").press("action", "anyway").want(200)
	write("Without a server")
	eventually(t, "it waits", func() bool { return strings.Contains(string(v.get("/outbox").body), "does not take the password") })
	off := v.identity(ben.Address)
	delete(off.values, "own")
	off.press("action", "save").want(200)
	v.get("/outbox").says("p", "has no sending server of its own any more")
	tap.Forget()
	v.form("form[class=outbox-acts]").press("action", "retry").want(200)
	eventually(t, "it goes out through the account", func() bool { return own.Talk(t, anna).Count("Sent") == 3 })
	if tap.Said() != "" {
		t.Error("the server that was removed was used")
	}
}

// TestWhatTheServerOfTheAddressCanDoCounts, and not what that of the account cannot.
func TestWhatTheServerOfTheAddressCanDoCounts(t *testing.T) {
	t.Parallel()
	mail, account, own := testmail.Demo(t), testmail.NewScript(t), testmail.NewScript(t)
	mail.Submission = account.Address
	own.Say("EHLO", "250-ready\r\n250-DSN\r\n250-SMTPUTF8\r\n250 AUTH PLAIN")
	s := newSite(t, mail, testdb.SQLite(t), func(c *config.Config) { c.AllowHosts = []string{"127.0.0.1"} })
	user := mail.NewUser(t)
	v := s.signIn(user)
	v.identity("").set("address", "me@own.test").set("own", "1").set("smtp_host", own.Host).set("smtp_port", fmt.Sprint(own.Port)).set("smtp_security", "none").
		set("password", "x").press("action", "save").want(200)
	v.get("/compose").want(200).form("form[data-compose]").set("from", v.from("me@own.test")).set("to", "grüße@other.test").set("delivery", "1").set("subject", "Hello").set("body", "x").press("action", "send").want(200)
	eventually(t, "it left", func() bool { return len(own.Texts()) == 1 })
	if said := strings.Join(own.Said(), "\n"); !strings.Contains(said, "SMTPUTF8") || !strings.Contains(said, "NOTIFY=") || len(account.Texts()) != 0 {
		t.Errorf("the server heard %s", said)
	}

	v.get("/compose").want(200).form("form[data-compose]").set("from", v.from("me@own.test")).set("subject", "Kept").set("body", "Before.").press("action", "save").want(200)
	f := v.form("form[data-compose]").set("body", "After.") // in a tab that stays open
	v.identity("me@own.test").press("action", "delete").want(200)
	f.press("action", "save")
	eventually(t, "a draft from an address that is gone is in the folder as it was last kept", func() bool {
		drafts := mail.Talk(t, user)
		return drafts.Count("Drafts") == 1 && strings.Contains(raw(drafts, "Drafts", 1), "After.")
	})
}

// senders fills in what the admin says of the sender addresses of the site's domain.
func (l *limited) senders(fields ...string) *visitor {
	l.t.Helper()
	f := l.admin.get("/admin/domains/" + l.mail.Domain + "/senders").want(200).form("form[class=settings-form identity]")
	for i := 0; i+1 < len(fields); i += 2 {
		f.set(fields[i], fields[i+1])
	}
	return f.press("action", "save")
}

// TestAnAdminSaysWhatHoldsForSenderAddresses of the domain: what may be changed, what is filled in, what stands below.
func TestAnAdminSaysWhatHoldsForSenderAddresses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		mail := testmail.Postfix(t, testmail.PostfixOptions{})
		l := newLimited(t, mail, db, nil)
		v, to := l.anna, mail.NewUser(t)
		l.senders("signature", strings.Repeat("x", 5000)).want(422).says("[role=alert]", "too long")
		l.senders("lock", "nonsense").want(400)
		l.senders("name", "{name} (Firm)", "organization", "Firm", "signature", "{name}\n{address}", "footer", "Firm Ltd, Graz", "sign_html", "", "footer_html", "<p onclick=x><b>Firm Ltd</b>, Graz</p>").want(200).says("[role=status]", "Kept for "+mail.Domain)
		l.admin.get("/admin/audit").want(200).says("td", mail.Domain+": name, organization, signature, footer")

		write := func(subject string) {
			t.Helper()
			f := v.get("/compose").want(200).form("form[data-compose]")
			f.set("to", to.Address).set("subject", subject).set("body", "Hello.\n"+f.values.Get("body")).press("action", "send").want(200)
		}
		got := func(n int) string {
			t.Helper()
			eventually(t, "the mail arrives", func() bool { return mail.Talk(t, to).Count("INBOX") == n })
			return raw(mail.Talk(t, to), "INBOX", n)
		}
		write("First")
		text := got(1)
		local, _, _ := strings.Cut(l.user.Address, "@")
		for _, want := range []string{`From: "` + local + ` (Firm)" <` + l.user.Address, "Organization: Firm", "\n--=20\n" + local + "\n" + l.user.Address, "\nFirm Ltd, Graz\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}

		// Answering what has the footer adds no second one, in a mail with formatting either.
		eventually(t, "the copy is filed", func() bool { return mail.Talk(t, l.user).Count("Sent") == 1 })
		v.get("/").want(200)
		for _, a := range v.all("a[data-mailbox=Sent]") {
			v.get(attr(a, "href"))
			break
		}
		v.open("First").want(200)
		for _, a := range v.all("a") {
			if strings.Contains(attr(a, "href"), "reply=1") {
				v.get(attr(a, "href")).want(200)
				break
			}
		}
		f := v.form("form[data-compose]")
		f.set("to", to.Address).set("html", "<div>Once more</div><blockquote>Hello.<br>Firm Ltd, Graz</blockquote>").press("action", "send").want(200)
		if text := got(2); strings.Count(strings.ReplaceAll(text, "=\n", ""), "Firm Ltd") != 2 { // in the text and in the HTML
			t.Errorf("the footer stands otherwise than once in\n%s", text)
		}
		v.get("/compose").want(200)
		f = v.form("form[data-compose]")
		f.set("to", to.Address).set("subject", "With formatting").set("html", "<div>Hello</div>"+rawText(v.one("textarea[name=html]"))).press("action", "send").want(200)
		if text := strings.ReplaceAll(got(3), "=\n", ""); !strings.Contains(text, "<b>Firm Ltd</b>, Graz") || strings.Contains(text, "onclick") || !strings.Contains(text, "<div>"+local+"</div><div>"+l.user.Address+"</div>") {
			t.Errorf("no clean footer in\n%s", text)
		}

		l.senders("lock", "addresses").want(200)
		second := v.identity(l.user.Address)
		if second.values.Has("address") || second.values.Has("own") || second.values.Has("reply_to") {
			t.Errorf("what is locked can be typed: %v", second.values)
		}
		second.set("name", "Anna").set("signature", "My own").press("action", "save").want(200)
		v.identity(l.user.Address).set("address", "ceo@"+mail.Domain).press("action", "save").want(403).says("[role=alert]", "does not let sender addresses be changed")
		v.get("/settings/identities/new").want(403)
		v.identity(l.user.Address).set("id", "0").set("address", "ceo@"+mail.Domain).press("action", "save").want(403)
		v.get("/compose").want(200)
		v.form("form[data-compose]").set("from", "ceo@"+mail.Domain).set("to", to.Address).set("subject", "Not me").press("action", "send").want(422)

		l.admin.get("/admin/people").want(200).follow("a[class=admin-link]").want(200)
		l.admin.form("form[class=inline-field]").set("address", "office@"+mail.Domain).press("action", "address-add").want(200).says("[role=status]", "office@"+mail.Domain+" is added")
		v.get("/compose").want(200)
		v.form("form[data-compose]").set("from", v.from("office@"+mail.Domain)).set("to", to.Address).set("subject", "By the office").press("action", "send").want(200)
		if !strings.Contains(got(4), "Return-Path: <office@"+mail.Domain+">") {
			t.Error("what the admin gave is not written from")
		}
		l.senders("lock", "all").want(200)
		v.get("/settings/identities").want(200).says("p", "Your admin sets name, address and signature")
		if v.has("a[class=admin-link]") {
			t.Error("a form is offered where nothing can be changed")
		}
		l.admin.get("/admin/people").want(200).follow("a[class=admin-link]").want(200)
		l.admin.formAround("button[value=address-remove]").press("action", "address-remove").want(200)
		if l.admin.has("button[value=address-remove]") {
			t.Error("the address stays")
		}
	})
}

// TestAnotherFromBringsItsSignatureAndItsHiddenCopy, and leaves what was written; the picture goes along inside of the mail,
// and the form of the address shows it still.
func TestAnotherFromBringsItsSignatureAndItsHiddenCopy(t *testing.T) {
	d := newDesk(t)
	v := d.s.signIn(d.anna)
	picture, err := os.ReadFile("../../static/icons/postmark-192.png")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(d.anna.Address, "@", "+club@", 1)
	v.identity("").set("address", second).set("bcc", d.anna.Address).attach("picture", file{"logo.txt", []byte("no picture")}).press("action", "save").want(400)
	v.identity("").set("address", second).set("bcc", d.anna.Address).set("signature", "Club").set("signature_html", `<div onclick="x()"><b>Club</b></div><img src="https://x.test/spy.gif">`).attach("picture", file{"logo.png", picture}).press("action", "save").want(200)
	v.identity(d.anna.Address).set("signature", "Anna at home").press("action", "save").want(200)

	d.open("/compose")
	d.until("the editor stands", `document.querySelector(".editor")`)
	const letter = `document.querySelector(".editor").innerText.replace(/\s+/g, " ").trim()`
	const from = `(() => { const f = document.querySelector("#from"); f.selectedIndex = [...f.options].findIndex((o) => o.text.trim() === $); f.dispatchEvent(new Event("change", { bubbles: true })); return true; })()`
	d.until("the signature is there", letter+` === "-- Anna at home"`)
	ask[bool](d.tab, `(document.querySelector(".editor").firstElementChild.textContent = "Mine", document.querySelector(".editor").dispatchEvent(new Event("input")), true)`)
	ask[bool](d.tab, from, second)
	d.until("the other signature stands in its place", letter+` === "Mine -- Club" && document.querySelector(".editor b") && document.querySelector('.editor img[src^="/compose/signatures/"]').naturalWidth > 0`)
	d.until("the hidden copy is shown", `document.querySelector("#bcc").value === $ && document.querySelector(".more-fields").open`, d.anna.Address)
	ask[bool](d.tab, from, d.anna.Address)
	d.until("the first is back", letter+` === "Mine -- Anna at home" && !document.querySelector(".editor img") && document.querySelector("#bcc").value === ""`)
	ask[bool](d.tab, from, second)
	d.until("and the other", letter+` === "Mine -- Club"`)
	ask[bool](d.tab, `(() => { const f = document.querySelector("form[data-compose]"); f.elements.to.value = $; f.elements.to.dispatchEvent(new Event("restante:read")); f.elements.subject.value = "With a logo"; return true; })()`, d.ben.Address)
	d.click("[data-command=send]")
	talk := d.s.mail.Talk(t, d.ben)
	eventually(t, "it arrives", func() bool { return talk.Count("INBOX") == 1 })
	got := raw(talk, "INBOX", talk.Count("INBOX"))
	for _, want := range []string{"From: <" + second + ">", "multipart/related", "Content-Type: image/png; name=signature.png", "@signature.restante.invalid>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%.3000s", want, got)
		}
	}
	if strings.Contains(got, "spy.gif") || strings.Contains(got, "onclick") || strings.Contains(got, "Bcc:") {
		t.Errorf("what should not go along does:\n%.3000s", got)
	}
	d.open("/settings/identities")
	d.click(`.identities > li:last-child .admin-link`)
	d.until("the picture is shown", `document.querySelector(".signature-text .editor img")?.naturalWidth > 0`)
	d.click(`[data-identity-form] .filled`)
	d.until("it is kept", `document.querySelector(".identities")`)
	v.get("/compose").want(200).form("form[data-compose]").set("from", v.from(second)).press("action", "save").want(200)
	for _, o := range v.all("option") {
		if strings.Contains(text(o), second) && !strings.Contains(attr(o, "data-signature-html"), "/compose/signatures/") {
			t.Errorf("the editor has lost the picture: %s", attr(o, "data-signature-html"))
		}
	}
}

// TestAnAnswerGoesFromTheAddressThatWasWrittenTo: with its tag, or any of the domain, where the admin lets it.
func TestAnAnswerGoesFromTheAddressThatWasWrittenTo(t *testing.T) {
	mail := testmail.Postfix(t, testmail.PostfixOptions{})
	l := newLimited(t, mail, testdb.SQLite(t), nil)
	v, to := l.anna, mail.NewUser(t)
	tag, sales := strings.Replace(l.user.Address, "@", "+shop@", 1), "sales@"+mail.Domain
	mail.Deliver(t, l.user, "From: "+to.Address+"\r\nTo: "+tag+", other@x.test\r\nSubject: To the tag\r\n\r\ntext\r\n", "From: "+to.Address+"\r\nTo: "+sales+"\r\nSubject: To sales\r\n\r\ntext\r\n")
	answer := func(subject, way string) *form {
		t.Helper()
		v.get("/").want(200).open(subject).want(200)
		for _, a := range v.all("a") {
			if strings.Contains(attr(a, "href"), way+"=1") {
				v.get(attr(a, "href")).want(200)
				break
			}
		}
		return v.form("form[data-compose]")
	}
	f := answer("To the tag", "replyall")
	if f.values.Get("from") != tag || !strings.Contains(strings.Join(v.texts("option"), " "), "as it was written to") || strings.Contains(f.values.Get("to")+f.values.Get("cc"), "+shop") {
		t.Errorf("it is from %q, to %q", f.values.Get("from"), f.values.Get("to"))
	}
	f.set("to", to.Address).set("cc", "").press("action", "save").want(200)
	v.form("form[data-compose]").press("action", "send").want(200) // the draft knows it
	eventually(t, "it arrives", func() bool { return mail.Talk(t, to).Count("INBOX") == 1 })
	if got := raw(mail.Talk(t, to), "INBOX", 1); !strings.Contains(got, "Return-Path: <"+tag+">") || !strings.Contains(got, "From: <"+tag+">") {
		t.Errorf("it is from somebody else:\n%.600s", got)
	}
	if from := answer("To sales", "reply").values.Get("from"); strings.Contains(from, "@") {
		t.Errorf("it is from %q unasked", from)
	}
	v.identity(l.user.Address).set("any_address", "1").press("action", "save").want(200)
	if from := answer("To sales", "reply").values.Get("from"); from != sales {
		t.Errorf("the catch-all answers from %q", from)
	}
	inner := testmail.NewTap(t, mail.Submission) // a server of this machine that nobody set up
	v.identity("").set("address", "x@own.test").set("own", "1").set("username", "x").set("password", "y").set("smtp_host", inner.Address.Host).set("smtp_port", fmt.Sprint(inner.Address.Port)).set("smtp_security", "none").
		press("action", "test").want(422).says("[role=alert]", "does not answer")
	if inner.Total() != 0 {
		t.Error("a person reaches what stands in the site's own network")
	}
	off := l.admin.get("/admin/domains/" + mail.Domain + "/senders").want(200).form("form[class=settings-form identity]")
	delete(off.values, "tags")
	delete(off.values, "any")
	off.press("action", "save").want(200)
	for subject, forged := range map[string]string{"To the tag": tag, "To sales": sales} {
		f := answer(subject, "reply")
		if strings.Contains(f.values.Get("from"), "@") {
			t.Errorf("%s is answered from %q though the admin forbids it", subject, f.values.Get("from"))
		}
		f.set("to", to.Address).set("from", forged).press("action", "send").want(422).says("[role=alert]", "Choose another From")
	}
}
