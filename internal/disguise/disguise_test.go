package disguise

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	circle := Circle{Own: []string{"anna@lighthouse.example"}, Domains: []string{"keller.example", "bank.com", "gmail.com"}}
	known := circle
	known.Known = true
	namesake := circle
	namesake.Namesakes = []string{"maria@keller.example"}
	for name, c := range map[string]struct {
		sender Sender
		circle Circle
		kind   Kind
		other  string
	}{
		"nothing odd":                       {Sender{Name: "Maria Keller", Addr: "maria@keller.example", Authors: 1}, circle, "", ""},
		"no sender":                         {Sender{Name: "x@y.example"}, circle, "", ""},
		"a name with another address":       {Sender{Name: "boss@lighthouse.example", Addr: "x@elsewhere.example"}, circle, Name, "boss@lighthouse.example"},
		"a name with its own address":       {Sender{Name: "Maria (maria@keller.example)", Addr: "Maria@keller.example"}, circle, "", ""},
		"two authors":                       {Sender{Addr: "maria@keller.example", Authors: 2}, circle, Authors, ""},
		"a namesake":                        {Sender{Name: "Maria Keller", Addr: "maria@free.example"}, namesake, Person, "maria@keller.example"},
		"a namesake by a first name":        {Sender{Name: "Maria", Addr: "maria@free.example"}, namesake, "", ""},
		"one letter more":                   {Sender{Addr: "a@kelller.example"}, circle, LookAlike, "keller.example"},
		"one letter less":                   {Sender{Addr: "a@keler.example"}, circle, LookAlike, "keller.example"},
		"one letter other":                  {Sender{Addr: "a@lighth0use.example"}, circle, LookAlike, "lighthouse.example"},
		"two letters swapped":               {Sender{Addr: "a@kellre.example"}, circle, LookAlike, "keller.example"},
		"rn for m":                          {Sender{Addr: "a@grnail.com"}, circle, LookAlike, "gmail.com"},
		"com without its m":                 {Sender{Addr: "a@bank.co"}, circle, LookAlike, "bank.com"},
		"a mark on a letter":                {Sender{Addr: "a@kéller.example"}, circle, LookAlike, "keller.example"},
		"Cyrillic letters of a known name":  {Sender{Addr: "a@xn--eller-txe.example"}, circle, LookAlike, "keller.example"},
		"below a known domain":              {Sender{Addr: "a@mail.keller.example"}, circle, "", ""},
		"a short name is no slip":           {Sender{Addr: "a@bonk.com"}, circle, "", ""},
		"another ending is another company": {Sender{Addr: "a@keller.org"}, circle, "", ""},
		"a real provider":                   {Sender{Addr: "a@ymail.com"}, circle, "", ""},
		"a look-alike that one writes to":   {Sender{Addr: "a@kelller.example"}, known, "", ""},
		"Latin and Cyrillic in one word":    {Sender{Addr: "a@pаypal.example"}, circle, Script, "xn--pypal-4ve.example"},
		"only look-alike Cyrillic":          {Sender{Addr: "a@аррӏе.example"}, circle, Script, "xn--80ak6aa92e.example"},
		"an honest Cyrillic name":           {Sender{Addr: "a@почта.example"}, circle, "", ""},
		"an honest Japanese name":           {Sender{Addr: "a@日本メールmail.example"}, circle, "", ""},
		"an honest German name":             {Sender{Addr: "a@müller-übersee.example"}, circle, "", ""},
		"an answer elsewhere":               {Sender{Addr: "a@shop.example", ReplyTo: "b@other.example"}, circle, ReplyTo, "b@other.example"},
		"an answer to the same site":        {Sender{Addr: "a@news.shop.example", ReplyTo: "help@shop.example"}, circle, "", ""},
		"an answer to a list":               {Sender{Addr: "a@shop.example", ReplyTo: "list@lists.example", List: true}, circle, "", ""},
		"an answer to oneself":              {Sender{Addr: "a@shop.example", ReplyTo: "Anna@lighthouse.example"}, circle, "", ""},
		"checks that failed":                {Sender{Addr: "a@shop.example", DMARC: "FAIL"}, circle, Failed, "shop.example"},
		"checks that passed":                {Sender{Addr: "a@shop.example", DMARC: "pass"}, circle, "", ""},
		"the gravest of several":            {Sender{Name: "x@bank.com", Addr: "a@kelller.example", ReplyTo: "b@c.example", DMARC: "fail"}, circle, Name, "x@bank.com"},
	} {
		got, ok := Find(c.sender, c.circle)
		if ok != (c.kind != "") || got != (Finding{c.kind, c.other}) {
			t.Errorf("%s: %v %q, not %v %q", name, got.Kind, got.Other, c.kind, c.other)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"a@b.example", "@", "a@xn--", "a@..", "a@ⅷ.example", "x\x00@\xff", strings.Repeat("a.", 300)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, addr, known string) {
		Find(Sender{Name: known, Addr: addr, ReplyTo: known}, Circle{Own: []string{known}, Domains: []string{known}})
	})
}
