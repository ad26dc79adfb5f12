package handlers

import (
	"testing"

	"restante/internal/store"
	"restante/mailclient/message"
)

func TestAnAnswerIsFromWhomTheMailWasWrittenTo(t *testing.T) {
	ids := []sending{
		{store.Identity{ID: 1, Address: "anna@demo.test"}, true},
		{store.Identity{ID: 2, Address: "office@firm.test", IdentitySettings: store.IdentitySettings{AnyAddress: true}}, true},
		{store.Identity{ID: 3, Address: "anna@strict.test"}, false},
	}
	for _, c := range []struct {
		name, head string
		id         int64
		as         string
	}{
		{"the address itself", "To: Anna@demo.test", 1, ""},
		{"an address with a tag", "To: shop <anna+shop@demo.test>", 1, "anna+shop@demo.test"},
		{"a tag where none may be made", "To: anna+shop@strict.test", 0, ""},
		{"an empty tag", "To: anna+@demo.test", 0, ""},
		{"any address of a domain", "To: sales@firm.test", 2, "sales@firm.test"},
		{"a list of the domain", "To: list@firm.test\r\nList-Id: <list.firm.test>", 0, ""},
		{"somebody beside one's own", "To: sales@firm.test\r\nCc: anna@demo.test", 1, ""},
		{"nobody here, but delivered to a tag", "To: undisclosed:;\r\nDelivered-To: anna+news@demo.test", 1, "anna+news@demo.test"},
		{"a list, and it went to any address", "To: list@x.test\r\nList-Id: <x>\r\nX-Original-To: lists@firm.test", 2, "lists@firm.test"},
		{"nobody here at all", "To: ben@demo.test", 0, ""},
	} {
		m := message.Read([]byte(c.head + "\r\n\r\ntext\r\n"))
		who, ok := writtenTo(ids, m.Header)
		if who.identity != c.id || who.as != c.as || ok != (c.id != 0) {
			t.Errorf("%s: %+v", c.name, who)
		}
	}
}

func TestADraftIsFromWhatItsIdentityMayWriteAs(t *testing.T) {
	ids := []sending{{store.Identity{ID: 1, Address: "anna@demo.test"}, true}}
	for as, want := range map[string]bool{"": true, "anna+x@demo.test": true, "ben@demo.test": false, "anna+x@other.test": false, "annab+x@demo.test": false, "anna+\"x@demo.test": false} {
		if _, ok := senderOf(ids, store.DraftFields{IdentityID: 1, As: as}); ok != want {
			t.Errorf("as %q: %v", as, ok)
		}
	}
}

func TestWhatTheAdminFillsIn(t *testing.T) {
	p := store.Policy{Name: "{name} (Firm)", Organization: "Firm", Signature: "{name}\n{address}", SignHTML: "<b>{name}</b>"}
	bare := store.Identity{Address: "anna@firm.test"}
	own := store.Identity{Address: "anna@firm.test", Name: "Me", Signature: "mine", IdentitySettings: store.IdentitySettings{Saved: true, AnyAddress: true}}
	for _, c := range []struct {
		name             string
		id               store.Identity
		lock             string
		wantName, org    string
		sign, signMarked string
	}{
		{"of who has set nothing", bare, "", "A & B (Firm)", "Firm", "A & B\nanna@firm.test", "<b>A &amp; B</b>"},
		{"of who has their own", own, "", "Me", "", "mine", ""},
		{"of whose addresses are locked", own, store.LockAddresses, "Me", "Firm", "mine", ""},
		{"where all is locked", own, store.LockAll, "A & B (Firm)", "Firm", "A & B\nanna@firm.test", "<b>A &amp; B</b>"},
	} {
		v := filledIn(c.id, "A & B", p, c.lock)
		if v.Name != c.wantName || v.Organization != c.org || v.Signature != c.sign || v.SignatureHTML != c.signMarked || v.AnyAddress != (c.id.AnyAddress && c.lock == "") {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
	if v := filledIn(bare, "", p, ""); v.Name != "anna (Firm)" {
		t.Errorf("without a name: %q", v.Name)
	}
}

func TestASignatureStandsWhereItIsWanted(t *testing.T) {
	id := store.Identity{Signature: "-- \nAnna"}
	sign := func(change func(*store.Identity), answer bool) signed {
		v := id
		change(&v)
		return signatureOf(v, answer)
	}
	nothing := func(*store.Identity) {}
	below := func(v *store.Identity) { v.SignBelow = true }
	for _, c := range []struct{ name, got, want string }{
		{"a new mail", sign(nothing, false).text("", ""), "\n\n-- \nAnna\n"},
		{"an answer", sign(nothing, true).text("", "He wrote:\n> x\n"), "\n\n-- \nAnna\n\nHe wrote:\n> x\n"},
		{"below a quote", sign(below, true).text("", "He wrote:\n> x\n"), "\n\nHe wrote:\n> x\n\n-- \nAnna\n"},
		{"below, with formatting", sign(below, true).html("", "<blockquote>x</blockquote>"), emptyLine + emptyLine + "<blockquote>x</blockquote>" + emptyLine + "<div>-- </div><div>Anna</div>"},
		{"none on answers", sign(func(v *store.Identity) { v.SignOn = "new" }, true).text("", "q"), "\n\n\nq"},
		{"none on new mail", sign(func(v *store.Identity) { v.SignOn = "answers" }, false).text("x", ""), "x"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, not %q", c.name, c.got, c.want)
		}
	}
}
