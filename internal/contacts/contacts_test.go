package contacts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"restante/mailclient/message"
)

func read(t *testing.T, s string) Read {
	t.Helper()
	r, err := ReadVCards(strings.NewReader(strings.ReplaceAll(s, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVCardsOfManyProgramsAreRead(t *testing.T) {
	raw, err := os.ReadFile("testdata/people.vcf")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadVCards(bytes.NewReader(raw))
	if err != nil || len(r.Faults) > 0 {
		t.Fatal(err, r.Faults)
	}
	want := []Contact{
		{UID: "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1", Name: "Anna Keller", Nickname: "Änni", Company: "Keller & Söhne, Versand", Position: "Head, of things",
			Birthday: "--0412", Note: "Two lines,\nand a semicolon; here",
			Addresses: []Value{{"work", "anna@keller.example"}, {"home", "anna@home.example"}}, Phones: []Value{{"mobile", "+43 660 1"}, {"Cottage", "+43 1 2"}},
			Places: []Value{{"home", "Gasse 3/4\n8010 Graz\nAustria"}}, Sites: []Value{{"", "https://keller.example"}}, Groups: []string{"Choir", "Friends"},
			Rest: []Line{{Name: "IMPP", Params: map[string][]string{"PREF": {"1"}}, Value: "xmpp:anna@keller.example"}, {Name: "N", Value: "Keller;Anna;;;"}}},
		{Name: "Dr. Omar J. Haddad", Phones: []Value{{"mobile", "+1 555 010"}}, Addresses: []Value{{"", "omar@haddad.example"}},
			Rest: []Line{{Name: "N", Value: "Haddad;Omar;J.;Dr.;"}}},
		{Name: "日本 太郎", Addresses: []Value{{"", "taro@nihon.example"}}, Rest: []Line{{Name: "N", Value: "日本;太郎;;;"}}},
	}
	if len(r.Contacts) != len(want) {
		t.Fatalf("%d contacts", len(r.Contacts))
	}
	for i, w := range want {
		if !reflect.DeepEqual(r.Contacts[i], w) {
			t.Errorf("got  %+v\nwant %+v", r.Contacts[i], w)
		}
	}
	if !slices.Equal(r.Lines, []int{1, 27, 36}) {
		t.Errorf("they begin in the lines %v", r.Lines)
	}
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	raw, err := os.ReadFile("testdata/people.vcf")
	if err != nil {
		t.Fatal(err)
	}
	first, err := ReadVCards(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"3.0", "4.0"} {
		var b bytes.Buffer
		if err := WriteVCards(&b, version, first.Contacts); err != nil {
			t.Fatal(err)
		}
		again, err := ReadVCards(bytes.NewReader(b.Bytes()))
		if err != nil || len(again.Faults) > 0 || len(again.Contacts) != len(first.Contacts) {
			t.Fatalf("%v, %v in\n%s", err, again.Faults, b.String())
		}
		for i, c := range again.Contacts {
			c.Places = first.Contacts[i].Places // in one line of its own by now
			if !reflect.DeepEqual(c, first.Contacts[i]) {
				t.Errorf("version %s\ngot  %+v\nwant %+v\n%s", version, c, first.Contacts[i], b.String())
			}
		}
	}
}

func TestEachFaultyLineIsToldAndTheRestIsKept(t *testing.T) {
	r := read(t, `hello
BEGIN:VCARD
VERSION:3.0
FN:Ada
this is no line
EMAIL:ada@x.example
EMAIL:not an address
END:VCARD
BEGIN:VCARD
VERSION:2.1
FN:Old
END:VCARD

BEGIN:VCARD
VERSION:4.0
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:No end
BEGIN:VCARD
VERSION:4.0
FN:Bob
END:VCARD
BEGIN:VCARD
FN:Cut`)
	var names []string
	for _, c := range r.Contacts {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"Ada", "Bob"}) || first(r.Contacts[0].Addresses) != "ada@x.example" {
		t.Errorf("read %v", names)
	}
	want := []Fault{{1, "line", "hello"}, {5, "line", "this is no line"}, {7, "address", "not an address"}, {9, "version", "2.1"}, {14, "empty", ""}, {17, "end", ""}, {24, "end", ""}}
	if !slices.Equal(r.Faults, want) {
		t.Errorf("faults %v", r.Faults)
	}
}

func TestALargePictureStaysBehind(t *testing.T) {
	r := read(t, "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nPHOTO;ENCODING=b:"+strings.Repeat("A", 100_000)+"\nEND:VCARD\nBEGIN:VCARD\nVERSION:3.0\nFN:Bob\nPHOTO;ENCODING=b:QUJD\nEND:VCARD\n"+
		"BEGIN:VCARD\nVERSION:3.0\nFN:Huge\nPHOTO:"+strings.Repeat("A\n ", 2<<20)+"\nEND:VCARD\n")
	if len(r.Contacts) != 2 || r.Pictures != 1 || len(r.Contacts[0].Rest) != 0 || len(r.Contacts[1].Rest) != 1 {
		t.Errorf("%d contacts, %d without their pictures", len(r.Contacts), r.Pictures)
	}
	if len(r.Faults) != 1 || r.Faults[0].Kind != "large" {
		t.Errorf("faults %v", r.Faults)
	}
}

func TestTablesOfManyProgramsAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			table, err := ReadTable(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			r := table.Contacts(table.Guess())
			if len(r.Contacts) != 2 || len(r.Faults) > 0 {
				t.Fatalf("%+v, faults %v", r.Contacts, r.Faults)
			}
			anna, bob := r.Contacts[0], r.Contacts[1]
			if anna.Name != "Änna Keller" || first(anna.Addresses) != "anna@keller.example" || len(anna.Phones) != 1 || anna.Phones[0].Label != "mobile" || anna.Company != "Keller, Söhne" {
				t.Errorf("anna is %+v", anna)
			}
			if bob.Shown() != "Bob" || first(bob.Addresses) != "bob@x.example" {
				t.Errorf("bob is %+v", bob)
			}
		})
	}
}

func TestAPictureIsNoTable(t *testing.T) {
	if _, err := ReadTable(strings.NewReader("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR,a,b\n1,2,3\n")); !errors.Is(err, ErrNoContacts) {
		t.Errorf("%v", err)
	}
}

func TestRowsThatAreNobodyAreTold(t *testing.T) {
	table, err := ReadTable(strings.NewReader("Name,E-mail\nAnna,anna@x.example\n,\nBob,bob at x\n\"two\nlines\",b@x.example\n,,\n \"open\nEve,eve@x.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := table.Contacts(table.Guess())
	if len(r.Contacts) < 3 || r.Contacts[0].Name != "Anna" || r.Contacts[1].Name != "Bob" || r.Contacts[2].Name != "two lines" || r.Lines[2] != 5 {
		t.Errorf("%+v in lines %v", r.Contacts, r.Lines)
	}
	if len(r.Faults) != 1 || r.Faults[0] != (Fault{4, "address", "bob at x"}) {
		t.Errorf("faults %v", r.Faults)
	}
	if _, err := ReadTable(strings.NewReader("\n\n")); err != ErrNoContacts {
		t.Errorf("an empty file: %v", err)
	}
}

// TestBrokenRowsAreToldByTheirLines: a quotation mark that is open at the end, and a comma too many.
func TestBrokenRowsAreToldByTheirLines(t *testing.T) {
	for _, end := range []string{"", "\n", "\r\n"} {
		table, err := ReadTable(strings.NewReader("Name,E-mail,Phone\nAnna,anna@x.example,1\nKeller, Bob,bob@x.example,2\nEve,eve@x.example\n\"open,o@x.example" + end))
		if err != nil {
			t.Fatal(err)
		}
		r := table.Contacts(table.Guess())
		if len(r.Contacts) != 3 || r.Contacts[2].Name != "Eve" {
			t.Errorf("%+v", r.Contacts)
		}
		if want := []Fault{{3, "wide", ""}, {3, "address", "Bob"}, {5, "csv", ""}}; !slices.Equal(r.Faults, want) {
			t.Errorf("faults %v, not %v", r.Faults, want)
		}
	}
}

func TestMergingLosesNothing(t *testing.T) {
	a := Contact{Name: "Anna Keller", Addresses: []Value{{"", "a@x.example"}}, Note: "one", Rest: []Line{{Name: "N", Value: "Keller;Anna"}}}
	b := Contact{UID: "2", Name: "A. Keller", Company: "K", Addresses: []Value{{"work", "A@x.example"}, {"home", "h@x.example"}}, Phones: []Value{{"", "1"}}, Note: "two", Groups: []string{"Choir"},
		Rest: []Line{{Name: "N", Value: "Keller;A."}, {Name: "IMPP", Value: "xmpp:a"}}}
	got := Merge(a, b)
	want := Contact{UID: "2", Name: "Anna Keller", Company: "K", Addresses: []Value{{"", "a@x.example"}, {"home", "h@x.example"}}, Phones: []Value{{"", "1"}}, Note: "one\nA. Keller\ntwo",
		Groups: []string{"Choir"}, Rest: []Line{{Name: "N", Value: "Keller;Anna"}, {Name: "IMPP", Value: "xmpp:a"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWhatHasNoRoomWhenMergedStandsInTheNote(t *testing.T) {
	many := func(from string) (out []Value) {
		for i := range 40 {
			out = append(out, Value{Text: fmt.Sprintf("%s%d@x.example", from, i)})
		}
		return out
	}
	got := Merge(Contact{Name: "A", Addresses: many("a")}, Contact{Name: "A", Addresses: many("b")})
	all := got.Note
	for _, v := range got.Addresses {
		all += "\n" + v.Text
	}
	if len(got.Addresses) != maxValues || len(strings.Fields(all)) != 80 {
		t.Errorf("%d addresses, and the note %q", len(got.Addresses), got.Note)
	}
}

func TestSomebodyIsFoundByTheBeginningOfAWord(t *testing.T) {
	for _, c := range []struct {
		name, address, typed string
		want                 bool
	}{
		{"Zoë Ångström", "zoe@x.test", "zo", true}, {"Zoë Ångström", "zoe@x.test", "ZOË", true}, {"Zoë Ångström", "zoe@x.test", "angs", true}, {"Zoë Ångström", "zoe@x.test", "ÅNG", true},
		{"Zoë Ångström", "zoe@x.test", "ngström", false}, {"Émile O'Neil", "ok@x.test", "emile", true}, {"Émile O'Neil", "ok@x.test", "o'n", true}, {`100% "Sure"`, "o_k@x.test", "o_", true},
		{`100% "Sure"`, "o_k@x.test", "100%", true}, {"Émile O'Neil", "ok@x.test", "o_", false}, {"Émile O'Neil", "ok@x.test", "%", false},
	} {
		if Begins(c.name, c.address, message.Fold(c.typed)) != c.want {
			t.Errorf("%q of %q <%s>: %t", c.typed, c.name, c.address, !c.want)
		}
	}
}

func TestDoubles(t *testing.T) {
	list := []Contact{
		{Name: "Anna Keller"}, {Name: "Bob", Addresses: []Value{{"", "b@x.example"}}}, {Name: "Keller, Ánna", Addresses: []Value{{"", "a@x.example"}}},
		{Name: "Robert", Addresses: []Value{{"", "B@x.example"}}}, {Name: "Bob"}, {Name: "Somebody", Addresses: []Value{{"", "a@x.example"}}},
	}
	if got := Doubles(list); !reflect.DeepEqual(got, [][]int{{0, 2, 5}, {1, 3}}) {
		t.Errorf("doubles %v", got)
	}
}

func TestContactsAreFoundWithoutTheirMarks(t *testing.T) {
	c := Contact{Name: "Zoë Müller-Øst", Addresses: []Value{{"", "Zoe@X.example"}}, Phones: []Value{{"", "+43 (1) 23-45"}}}
	if got := c.Words(); got != " zoe muller øst zoe@x.example x.example +4312345 4312345" {
		t.Errorf("words %q", got)
	}
	for name, want := range map[string]string{"ärmel": "A", "Ødegård": "Ø", "3M": "#", "": "#", "李": "李"} {
		if got := (Contact{Name: name}).Initial(); got != want {
			t.Errorf("%q stands under %q", name, got)
		}
	}
}

func FuzzVCards(f *testing.F) {
	for _, name := range []string{"testdata/people.vcf"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Add("BEGIN:VCARD\nVERSION:4.0\nFN;X=\"\nADR:;;;\nADR:a\nORG:;\nEND:VCARD")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ReadVCards(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := WriteVCards(&b, "4.0", r.Contacts); err != nil {
			t.Fatal(err)
		}
		again, err := ReadVCards(&b)
		if err != nil || len(again.Contacts) != len(r.Contacts) {
			t.Fatalf("%d contacts, written and read %d: %v %v", len(r.Contacts), len(again.Contacts), err, again.Faults)
		}
		Doubles(r.Contacts)
	})
}

func FuzzTable(f *testing.F) {
	f.Add("Name;E-mail\nA;a@x.example\n\"b\n\";;;")
	f.Fuzz(func(t *testing.T, s string) {
		table, err := ReadTable(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, c := range table.Contacts(table.Guess()).Contacts {
			if c.Empty() || strings.ContainsAny(c.Name, "\r\n") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func TestAQuoteWithoutItsSecondSwallowsNoRows(t *testing.T) {
	table, err := ReadTable(strings.NewReader("Name,Mail,Phone\nAnna,a@x.test,1\n\"Broken,b@x.test,2\nCarl,c@x.test,3\nDora,d@x.test,4\n"))
	if err != nil {
		t.Fatal(err)
	}
	found := table.Contacts(table.Guess())
	var got []string
	for i, c := range found.Contacts {
		got = append(got, fmt.Sprint(found.Lines[i], " ", c.Name, " ", c.Addresses[0].Text))
	}
	if want := []string{"2 Anna a@x.test", "4 Carl c@x.test", "5 Dora d@x.test"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(found.Faults) != 1 || found.Faults[0].Line != 3 || found.Faults[0].Kind != "csv" {
		t.Errorf("faults %v", found.Faults)
	}
	table, err = ReadTable(strings.NewReader("Name,Note\nAnna,\"one, two\nthree, four\"\n"))
	if err != nil || len(table.Rows) != 1 || len(table.Faults) > 0 {
		t.Errorf("a note of two lines: %q, %v, %v", table.Rows, table.Faults, err)
	}
}

// TestAGroupMayHaveACommaInItsName: it goes out and comes back as one, and those that a file parts are many.
func TestAGroupMayHaveACommaInItsName(t *testing.T) {
	names := []string{"Family, close", "a;b", `back\slash`, `c\,d`, "Choir"}
	for _, version := range []string{"3.0", "4.0"} {
		var b bytes.Buffer
		if err := WriteVCards(&b, version, []Contact{{Name: "Anna", Groups: names}}); err != nil {
			t.Fatal(err)
		}
		r, err := ReadVCards(&b)
		if err != nil || len(r.Contacts) != 1 || !slices.Equal(r.Contacts[0].Groups, names) {
			t.Errorf("%v %q", err, r.Contacts)
		}
	}
	r, err := ReadVCards(strings.NewReader("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nitem1.categories;X=1:Choir,Family\\, close,* \r\n Chess\\\\,Last\r\nEND:VCARD\r\n"))
	if want := []string{"Choir", "Family, close", `Chess\`, "Last"}; err != nil || len(r.Contacts) != 1 || !slices.Equal(r.Contacts[0].Groups, want) {
		t.Errorf("%v %q", err, r.Contacts)
	}
	for cell, want := range map[string][]string{
		"Family, close ::: * myContacts": {"Family, close"}, "Family, close;Choir": {"Family, close", "Choir"}, "Choir,Family": {"Choir", "Family"},
	} {
		if got := groups(listed(cell)...); !slices.Equal(got, want) {
			t.Errorf("%q: %q", cell, got)
		}
	}
}
