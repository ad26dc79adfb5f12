package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"restante/internal/config"
	"restante/internal/testdb"
	"restante/internal/testmail"
)

// contactsSite is a site on one database with anna and ben, anna signed in and without scripts.
func contactsSite(t *testing.T, db testdb.DB) (s *site, v *visitor, anna, ben testmail.User) {
	t.Helper()
	srv := testmail.Demo(t)
	s = newSite(t, srv, db, func(c *config.Config) { c.UndoSeconds = 0 })
	anna, ben = srv.NewUser(t), srv.NewUser(t)
	srv.Deliver(t, anna, testmail.Mail("Clara Nwosu <clara@post.example>", "Supper", "Bring walnuts."))
	return s, s.signIn(anna), anna, ben
}

// names are those of the list of contacts, in its order.
func (v *visitor) names() (out []string) {
	for _, n := range v.all("form[action=/contacts/actions]") {
		for _, b := range allIn(v.t, n, "bdi[class=person-name]") {
			out = append(out, text(b))
		}
	}
	return out
}

// undone presses the Undo of the page.
func (v *visitor) undone() *visitor {
	v.t.Helper()
	return v.formAround("button[data-undo]").press("", "")
}

func TestAContactIsKeptFoundChangedAndWrittenTo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		_, v, _, _ := contactsSite(t, db)
		v.get("/contacts").want(200).says("p", "Nobody is kept here yet")

		v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "").press("action", "save").want(422).says("[role=alert]", "needs a name")
		v.form("form[method=post][action=/contacts]").set("name", "Zoë Müller").set("address", "zoe at x").press("action", "save").want(422).says("[role=alert]", "zoe at x")
		if got := attr(v.one("input[name=name]"), "value"); got != "Zoë Müller" {
			t.Errorf("what was typed is gone: %q", got)
		}
		v.form("form[method=post][action=/contacts]").set("address", "zoe@keller.example").press("action", "more").want(200)
		if n := len(v.all("input[name=address]")); n != 4 {
			t.Errorf("%d fields for addresses", n)
		}
		v.form("form[method=post][action=/contacts]").set("address", "zoe@keller.example", "zoe@home.example").set("addresslabel", "work", "home").set("phone", "+43 1 234").set("phonelabel", "mobile").
			set("newgroup", "Choir").set("note", "Sings\nalto.").press("action", "save").want(200)
		v.says("h1", "Zoë Müller")
		v.says("dl", "Workzoe@keller.exampleHomezoe@home.example")
		v.says("dl", "Mobile+43 1 234")
		v.says("a[class=chip]", "Choir")
		zoe := v.url.Path
		v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Zoe M.").set("address", "ZOE@home.example").press("action", "save").want(422).says("[role=alert]", "Kept already with one of these addresses: Zoë Müller")
		v.form("form[method=post][action=/contacts]").press("action", "save").want(200).says("h1", "Zoe M.")
		v.form("form[action="+v.url.Path+"]").press("action", "delete").want(200)
		v.get(zoe).want(200)

		for _, q := range []string{"muller", "ZOE", "zoe@h", "choi"} {
			v.get("/contacts?q=" + url.QueryEscape(q)).want(200)
			if found := slices.Equal(v.names(), []string{"Zoë Müller"}); found != (q != "choi") {
				t.Errorf("%q finds %q", q, v.names())
			}
		}
		v.get(zoe+"/edit").form("form[action="+zoe+"]").set("name", "Zoë Meier").press("action", "save").want(200).says("h1", "Zoë Meier")
		v.undone().get(zoe).want(200).says("h1", "Zoë Müller")
		for _, a := range v.all("a") {
			if text(a) == "All mail" && attr(a, "href") != "" && !strings.Contains(attr(a, "href"), url.QueryEscape("from:zoe@keller.example OR to:zoe@keller.example")) {
				t.Errorf("all mail is %s", attr(a, "href"))
			}
		}
		for _, a := range v.all("a[class=button filled][data-compose-link]") {
			v.get(attr(a, "href")).want(200)
		}
		if got := attr(v.one("input[name=to]"), "value"); !strings.HasSuffix(got, "<zoe@keller.example>") {
			t.Errorf("Write leads to a mail to %q", got)
		}
		v.get(zoe).form("form[action="+zoe+"]").press("action", "delete").want(200).says("[role=status]", "is deleted")
		undo := v.formAround("button[data-undo]")
		if v.get(zoe); v.status != 404 {
			t.Errorf("a deleted contact: %d", v.status)
		}
		undo.press("", "")
		v.get(zoe).want(200).says("a[class=chip]", "Choir")
	})
}

func TestTheSenderOfAMailIsKeptWithOnePress(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	v.open("Supper").want(200)
	mail := v.url.Path
	v.formAround("input[name=address][value=clara@post.example]").press("action", "save").want(200).says("[role=status]", "Clara Nwosu is among your contacts")
	if v.url.Path != mail {
		t.Errorf("the press leads to %s", v.url)
	}
	for _, a := range v.all("a") {
		if text(a) == "Show contact" {
			v.get(attr(a, "href")).want(200).says("h1", "Clara Nwosu")
			return
		}
	}
	t.Error("the sender is not known as a contact")
}

func TestPeopleWrittenToAreKeptApartAndRanked(t *testing.T) {
	t.Parallel()
	s, v, _, ben := contactsSite(t, testdb.SQLite(t))
	bea := s.mail.NewUser(t).Address
	for _, to := range []string{"Ben Often <" + ben.Address + ">", "Ben Often <" + ben.Address + ">", "Bea Once <" + bea + ">"} {
		v.get("/compose").form("form[data-compose]").set("to", to).set("subject", "Hi").set("body", "x").press("action", "send").want(200)
	}
	eventually(t, "all are sent", func() bool {
		said := strings.Join(v.get("/contacts/written").texts("li"), " ")
		return strings.Contains(said, "written to 2 times") && strings.Contains(said, "Bea Once")
	})
	v.get("/contacts").want(200)
	if len(v.names()) > 0 {
		t.Errorf("people written to are contacts: %q", v.names())
	}
	v.get("/contacts/written").want(200)
	v.formAround("input[name=address][value="+ben.Address+"]").press("action", "save").want(200)
	if v.has("input[name=address][value=" + ben.Address + "]") {
		t.Error("who is kept is still among the others")
	}
	v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Berta Never").set("address", "berta@x.test").set("newgroup", "Best friends").press("action", "save").want(200)
	v.get("/compose/people?q=be").want(200)
	var got []string
	for _, li := range v.all("li") {
		got = append(got, attr(li, "data-address"))
	}
	want := []string{"Ben Often <" + ben.Address + ">", "Bea Once <" + bea + ">", "Berta Never <berta@x.test>", "Berta Never <berta@x.test>"} // the last is the group
	if !slices.Equal(got, want) {
		t.Errorf("offered are %q", got)
	}
	v.get("/contacts/written").want(200)
	for _, f := range v.all("form[action=/contacts/written]") {
		v.filled(f).press("", "").want(200)
		break
	}
	if v.get("/compose/people?q=bea").want(200); v.has("li[data-address]") {
		t.Error("who is forgotten is offered")
	}
}

func TestContactsAreReadFromFilesAfterALook(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		_, v, _, _ := contactsSite(t, db)
		v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Ada Lovelace").set("address", "ada@x.example").set("note", "First.").press("action", "save").want(200)
		send := func(name, body string) *visitor {
			return v.get("/contacts/import").want(200).form("form[action=/contacts/import]").attach("file", file{name, []byte(body)}).press("", "")
		}
		send("x.txt", "").want(422).says("[role=alert]", "neither a vCard nor a table")
		card := func(name, more string) string {
			return "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:" + name + "\r\n" + more + "END:VCARD\r\n"
		}
		send("people.vcf", card("Lovelace, Ada", "EMAIL:ADA@x.example\r\nTEL:12\r\nCATEGORIES:Science\r\n")+card("Bob", "this is broken\r\nEMAIL:bob@x.example\r\n")+card("Eve", "EMAIL:eve@x.example\r\n")).want(200)
		v.says("p", "people.vcf has 3 contacts")
		v.says("li", "Line 11: “this is broken”")
		v.says("h2", "One of them you have already")
		if v.get("/contacts"); len(v.names()) != 1 {
			t.Errorf("a look alone has kept %q", v.names())
		}
		send("people.vcf", card("Lovelace, Ada", "EMAIL:ADA@x.example\r\nTEL:12\r\nCATEGORIES:Science\r\n")+card("Bob", "EMAIL:bob@x.example\r\n")).want(200)
		v.formAround("button[value=take]").set("newgroup", "From the file").press("action", "take").want(200).says("p", "One contact is new, 1 merged")
		undo := v.formAround("button[data-undo]")
		if v.get("/contacts").want(200); !slices.Equal(v.names(), []string{"Ada Lovelace", "Bob"}) {
			t.Errorf("kept are %q", v.names())
		}
		v.says("a[class=chip]", "Science")
		for _, a := range v.all("a[class=chip]") {
			if text(a) == "From the file" {
				if v.get(attr(a, "href")).want(200); len(v.names()) != 2 {
					t.Errorf("in the group are %q", v.names())
				}
				break
			}
		}
		undo.press("", "")
		if v.get("/contacts").want(200); !slices.Equal(v.names(), []string{"Ada Lovelace"}) {
			t.Errorf("taken back, there are %q", v.names())
		}

		send("people.csv", "First Name;Last Name;E-mail;Odd\r\nÄnne;Ärmel;aenne@x.example;12\r\nAda;Lovelace;ada@new.example;\r\n;;;\r\nBad;;bad at x;\r\n").want(200)
		v.says("li", "Line 5: “bad at x” is no mail address")
		v.formAround("button[value=take]").set("column", "given", "family", "address", "phone").press("action", "columns").want(200).says("li", "aenne@x.example, 12")
		f := v.formAround("button[value=take]")
		for name := range f.values {
			if strings.HasPrefix(name, "double-") {
				f.set(name, "both")
			}
		}
		f.press("action", "take").want(200)
		if v.get("/contacts").want(200); !slices.Equal(v.names(), []string{"Ada Lovelace", "Ada Lovelace", "Änne Ärmel", "Bad"}) {
			t.Errorf("kept are %q", v.names())
		}

		v.get("/contacts/doubles").want(200).form("form[class=card double]").press("action", "one").want(200).says("[role=status]", "2 contacts merged")
		undo = v.formAround("button[data-undo]")
		if v.get("/contacts").want(200); !slices.Equal(v.names(), []string{"Ada Lovelace", "Änne Ärmel", "Bad"}) {
			t.Errorf("merged, there are %q", v.names())
		}
		v.get("/contacts/export.vcf").want(200)
		for _, want := range []string{"EMAIL:ada@x.example\r\n", "EMAIL:ada@new.example\r\n", "NOTE:First.\r\n", "FN:Änne Ärmel\r\n", "VERSION:4.0\r\n"} {
			if !strings.Contains(string(v.body), want) {
				t.Errorf("%q is not in\n%s", want, v.body)
			}
		}
		undo.press("", "")
		if v.get("/contacts").want(200); len(v.names()) != 4 {
			t.Errorf("taken back, there are %q", v.names())
		}
	})
}

// TestWhoStandsTwiceInAFileIsToldBeforehand and becomes one, is left out, or stays two, as is wished.
func TestWhoStandsTwiceInAFileIsToldBeforehand(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	const table = "Name;E-mail;Phone\r\nAda Lovelace;ada@x.example;1\r\nBob;bob@x.example;\r\n\"Lovelace, Ada\";ada@new.example;2\r\nA. L.;ADA@new.example;3\r\n"
	took := func(what string, want ...string) {
		t.Helper()
		v.get("/contacts/import").want(200).form("form[action=/contacts/import]").attach("file", file{"people.csv", []byte(table)}).press("", "").want(200)
		v.says("h2", "2 of them are people whom the file has already")
		v.says("label", "is Ada Lovelace of line 2")
		f := v.formAround("button[value=take]")
		for _, name := range []string{"double-2", "double-3"} {
			if f.set(name, what); f.values.Get(name) != what {
				t.Fatalf("no %s", name)
			}
		}
		f.press("action", "take").want(200)
		undo := v.formAround("button[data-undo]")
		if v.get("/contacts").want(200); !slices.Equal(v.names(), want) {
			t.Errorf("%s: kept are %q", what, v.names())
		}
		if v.get("/contacts/export.vcf").want(200); what == "merge" && strings.Count(string(v.body), "\nEMAIL:") != 3 {
			t.Errorf("merged, they are\n%s", v.body)
		}
		undo.press("", "").want(200)
		if v.get("/contacts").want(200); len(v.names()) != 0 {
			t.Errorf("taken back, there are %q", v.names())
		}
	}
	took("merge", "Ada Lovelace", "Bob")
	took("skip", "Ada Lovelace", "Bob")
	took("both", "A. L.", "Ada Lovelace", "Bob", "Lovelace, Ada")
}

// TestAGroupIsSuggestedWithAllOfItsPeople, after those who are called so themselves.
func TestAGroupIsSuggestedWithAllOfItsPeople(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	add := func(name, address, group string) {
		t.Helper()
		v.get("/contacts/new").want(200).form("form[method=post][action=/contacts]").set("name", name).set("address", address).set("newgroup", group).press("action", "save").want(200)
	}
	add("Ada Lovelace", "ada@x.example", "Choir, old")
	add("Keller, Bob", "bob@x.example", "Choir, old")
	add("Nobody yet", "", "Choir, old")
	add("Carla Choirmaster", "carla@x.example", "")
	add("Dan", "dan@choir.example", "")
	v.get("/compose/people?q=choir").want(200)
	var got []string
	for _, li := range v.all("li[data-address]") {
		got = append(got, attr(li, "data-address"))
	}
	want := []string{"Carla Choirmaster <carla@x.example>", `Ada Lovelace <ada@x.example>, "Keller, Bob" <bob@x.example>`, "Dan <dan@choir.example>"}
	if !slices.Equal(got, want) {
		t.Errorf("suggested are %q", got)
	}
	v.says("li", "Choir, old")
}

func TestGroupsOfContacts(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	for _, name := range []string{"Ada", "Bob", "Eve"} {
		v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", name).set("address", strings.ToLower(name)+"@x.example").press("action", "save").want(200)
	}
	tick := func(names ...string) *form {
		f := v.get("/contacts").want(200).form("form[action=/contacts/actions]")
		var ids []string
		for _, n := range v.all("input[name=id]") {
			if slices.Contains(names, attr(n, "aria-label")) {
				ids = append(ids, attr(n, "value"))
			}
		}
		return f.set("id", ids...)
	}
	tick().press("action", "delete").want(200).says("[role=alert]", "Tick the contacts first")
	tick("Ada", "Eve").set("newgroup", "Choir").press("action", "group").want(200).says("[role=status]", "2 contacts put into Choir")
	var choir string
	for _, a := range v.get("/contacts").all("a[class=chip]") {
		if text(a) == "Choir" {
			choir = attr(a, "href")
		}
	}
	if v.get(choir).want(200); !slices.Equal(v.names(), []string{"Ada", "Eve"}) {
		t.Errorf("the choir is %q", v.names())
	}
	v.form("form[action=/contacts/groups]").set("name", "Quartet").press("action", "rename").want(200).says("h1", "Quartet")
	tick("Ada", "Bob").press("action", "write").want(200)
	if got := attr(v.one("input[name=to]"), "value"); got != "Ada <ada@x.example>, Bob <bob@x.example>" {
		t.Errorf("a mail to the ticked goes to %q", got)
	}
	v.get(choir)
	var undo *form
	for _, f := range v.all("form[action=/contacts/groups]") {
		if strings.Contains(text(f), "Delete this group") {
			v.filled(f).press("action", "delete").want(200).says("[role=status]", "Its contacts stay")
			undo = v.formAround("button[data-undo]")
		}
	}
	if v.get(choir); v.status != 404 {
		t.Errorf("a deleted group: %d", v.status)
	}
	undo.press("", "")
	for _, a := range v.get("/contacts").all("a[class=chip]") {
		if text(a) == "Quartet" {
			if v.get(attr(a, "href")).want(200); !slices.Equal(v.names(), []string{"Ada", "Eve"}) {
				t.Errorf("taken back, the group is %q", v.names())
			}
			return
		}
	}
	t.Error("the group did not come back")
}

func TestContactsThatAreTickedTwiceOrGone(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Ada").press("action", "save").want(200)
	tick := func(ids ...string) *form {
		f := v.get("/contacts").form("form[action=/contacts/actions]")
		f.values["id"] = ids
		return f
	}
	tick("1", "1").press("action", "merge").want(200).says("[role=alert]", "Tick two contacts or more")
	tick("1").press("action", "delete").want(200).says("[role=status]", "Ada is deleted")
	v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Ben").press("action", "save").want(200)
	tick("1").press("action", "delete").want(200).says("[role=alert]", "deleted already")
	if v.has("button[data-undo]") {
		t.Error("what did not happen can be undone")
	}
}

// TestAContactThatIsDeletedWhileItIsChanged leaves what was typed.
func TestAContactThatIsDeletedWhileItIsChanged(t *testing.T) {
	_, v, _, _ := contactsSite(t, testdb.SQLite(t))
	v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Ada").press("action", "save").want(200)
	ada := v.url.Path
	edit := v.get(ada+"/edit").form("form[method=post][action="+ada+"]").set("note", "A long note").set("address", "ada@x.test")
	v.get(ada).form("form[action="+ada+"]").press("action", "delete").want(200)
	edit.press("action", "save").want(422).says("[role=alert]", "deleted meanwhile")
	v.formAround("input[id=c-name]").press("action", "save").want(200).says("h1", "Ada")
	v.says("article[aria-labelledby]", "A long note")
	v.says("article[aria-labelledby]", "ada@x.test")
}

func TestContactsOfOthersAreNobodysBusiness(t *testing.T) {
	s, v, _, ben := contactsSite(t, testdb.SQLite(t))
	v.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Ada").set("newgroup", "Choir").press("action", "save").want(200)
	ada := v.url.Path
	w := s.signIn(ben)
	for _, path := range []string{ada, ada + "/edit", "/contacts?group=1", "/contacts/import/0123456789abcdef0123456789abcdef", "/contacts/0", "/contacts/x"} {
		if w.get(path); w.status != 404 {
			t.Errorf("%s of another: %d", path, w.status)
		}
	}
	w.get("/contacts/new").form("form[method=post][action=/contacts]").set("name", "Mine").set("group", "1").press("action", "save").want(200)
	if w.get("/contacts?group=1"); w.status != 404 {
		t.Errorf("another's group: %d", w.status)
	}
	if v.get("/contacts?group=1").want(200); !slices.Equal(v.names(), []string{"Ada"}) {
		t.Errorf("the group is %q", v.names())
	}
}
