package message

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAddressesAreReadAsTheyAreFound(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"bare", "a@b", "<a@b>"},
		{"name", "Ada Lovelace <a@b>", "Ada Lovelace <a@b>"},
		{"quoted name", `"Lovelace, Ada" <a@b>`, "Lovelace, Ada <a@b>"},
		{"unquoted comma", "Miller, Jane <j@x>, k@x", "Miller, Jane <j@x>|<k@x>"},
		{"comment as name", "a@b (Ada)", "Ada <a@b>"},
		{"comments everywhere", `Pete(A wonderful \) chap) <pete(his account)@silly.test(his host)>`, "Pete <pete@silly.test>"},
		{"angle never closed", "Ada <a@b", "Ada <a@b>"},
		{"doubled angles", "<<a@b>>", "<a@b>"},
		{"mailto", "<mailto:a@b>", "<a@b>"},
		{"semicolons", "a@b; c@d", "<a@b>|<c@d>"},
		{"source route", "<@x,@y:a@b>", "<a@b>"},
		{"quoted local part", `"a b"@c`, `<"a b"@c>`},
		{"group", "Friends: a@b, c@d;", "Friends:<a@b>|Friends:<c@d>"},
		{"empty group", "undisclosed-recipients:;", "undisclosed-recipients:<>"},
		{"name like the address", "a@b <a@b>", "<a@b>"},
		{"comma in an encoded-word", "=?utf-8?Q?Lovelace,_Ada?= <a@b>", "Lovelace, Ada <a@b>"},
		{"encoded-word in quotes", `"=?utf-8?Q?Ad=C3=A9?= T" <a@b>`, "Adé T <a@b>"},
		{"no host", "root", "<root>"},
		{"specials in a name", "Real Name [x] <a@b>", "Real Name [x] <a@b>"},
		{"EAI", "отправитель@пример.рф", "<отправитель@пример.рф>"},
		{"nothing", " , ;", ""},
	} {
		var got []string
		for _, a := range Addresses(c.in) {
			s := strings.TrimSpace(a.Name + " <" + a.Addr + ">")
			if a.Group != "" {
				s = a.Group + ":" + s
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%s: %q, not %q", c.name, s, c.want)
		}
	}
}

func TestDatesAreReadAsTheyAreFound(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02T22:04:05Z"},
		{"2 Jan 2006 15:04 +0100 (CET)", "2006-01-02T14:04:00Z"},
		{"Mon, 2 Jan 06 15:04:05 EST", "2006-01-02T20:04:05Z"},
		{"Mon, 2 Jan 99 15:04:05 UT", "1999-01-02T15:04:05Z"},
		{"Mon Jan  2 15:04:05 2006", "2006-01-02T15:04:05Z"},
		{"2006-01-02T15:04:05+02:00", "2006-01-02T13:04:05Z"},
		{"Mo, 2 Mai 2006 15:04:05 +0200", "2006-05-02T13:04:05Z"},
		{"mar, 3 fév 2006 10:00:00 +01:00", "2006-02-03T09:00:00Z"},
		{"2-Jan-2006 15:04:05 Z", "2006-01-02T15:04:05Z"},
		{"Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)", "1969-02-14T03:02:00Z"},
		{"Mon, 2 Jan 2006 03:04:05 PM +0000", "2006-01-02T15:04:05Z"},
		{"Mon, 32 Jan 2006 15:04:05 +0000", ""},
		{"31 Feb 2006 10:00:00 +0000", ""},
		{"2 Jan 0000 10:00:00 +0000", ""},
		{"yesterday", ""},
	} {
		got := ""
		if d, ok := parseDate(c.in); ok {
			got = d.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q: %q, not %q", c.in, got, c.want)
		}
	}
}

func TestParametersAreReadAsTheyAreFound(t *testing.T) {
	for _, c := range []struct{ name, in, value, key, want string }{
		{"as it should be", `text/plain; charset="utf-8"`, "text/plain", "charset", "utf-8"},
		{"a missing semicolon", "text/plain charset=utf-8", "text/plain", "charset", "utf-8"},
		{"doubled and trailing semicolons", "a/b;; name=x;", "a/b", "name", "x"},
		{"unquoted spaces", "a/b; name=my file.pdf; x=y", "a/b", "name", "my file.pdf"},
		{"= in a value", "a/b; boundary==_x=", "a/b", "boundary", "=_x="},
		{"a quote that never closes", `a/b; name="my file.pdf; size=3`, "a/b", "name", "my file.pdf"},
		{"a quote within", `a/b; name=5" disk.img`, "a/b", "name", `5" disk.img`},
		{"backslash pairs", `a/b; name="a\"b"`, "a/b", "name", `a"b`},
		{"a Windows path", `a/b; name="C:\docs\new.txt"`, "a/b", "name", `C:\docs\new.txt`},
		{"RFC 2231", "a/b; name*=utf-8'de'Gr%C3%BC%C3%9Fe", "a/b", "name", "Grüße"},
		{"RFC 2231 out of order", "a/b; name*1*=%9Fe; name*0*=utf-8''Gr%C3%BC%C3", "a/b", "name", "Grüße"},
		{"RFC 2231 with the star forgotten", "a/b; name*0*=utf-8''Gr%C3%BC; name*1=%C3%9Fe", "a/b", "name", "Grüße"},
		{"charset'lang' without a star", "a/b; name=utf-8''Gr%C3%BC", "a/b", "name", "Grü"},
		{"both: the starred one counts", "a/b; name=x; name*=utf-8''y", "a/b", "name", "y"},
		{"encoded-word inside", "a/b; name=\"=?utf-8?Q?Gr=C3=BC?=\"", "a/b", "name", "Grü"},
		{"raw UTF-8", "a/b; name=\"ü.pdf\"", "a/b", "name", "ü.pdf"},
		{"single quotes", "a/b; name='x y'", "a/b", "name", "x y"},
	} {
		value, params := parseParams(c.in, hint{budget: newBudget()})
		if value != c.value || params[c.key] != c.want {
			t.Errorf("%s: %q %q", c.name, value, params)
		}
	}
}

func TestHeadersAreReadAsTheyAreFound(t *testing.T) {
	for _, c := range []struct{ name, in, subject string }{
		{"CRLF", "Subject: a\r\n b\r\n\r\nx", "a b"},
		{"bare CR", "From: x\rSubject: a\r\rbody", "a"},
		{"mbox line", "From joe Mon Jan 1 00:00:00 2001\nSubject: a\n\n", "a"},
		{"blank lines on top", "\n\n\nSubject: a\n\n", "a"},
		{"white space only amid fields", "From: x\n \nSubject: a\n\n", "a"},
		{"lost indent", "Subject: a\nb without colon\nTo: x\n\n", "a b without colon"},
		{"junk amid fields", "From: x\ngarbage\nSubject: a\n\n", "a"},
		{"spaces before the colon", "Subject : a\n\n", "a"},
		{"letter case", "SUBJECT:a\n\n", "a"},
		{"doubled: the first that is not empty", "Subject:\nSubject: a\nSubject: b\n\n", "a"},
		{"fold inside a word", "Subject: =?utf-8?Q?a?=\n =?utf-8?Q?b?=\n\n", "ab"},
		{"no end", "Subject: a", "a"},
	} {
		if got := ReadHeader([]byte(c.in)).Subject(); got != c.subject {
			t.Errorf("%s: %q, not %q", c.name, got, c.subject)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	h := ReadHeader([]byte("References: <a@b> <c @\n d> e@f <g@h\nIn-Reply-To: message of today <i@j> (x)\nMessage-ID: <k@l>\n\n"))
	if got := fmt.Sprintln(h.References(), h.InReplyTo(), h.MessageID()); got != "[a@b c@d e@f g@h] [i@j] k@l\n" {
		t.Error(got)
	}
}

func TestAllAuthorsAreShown(t *testing.T) {
	m := Read([]byte("From: Ada <a@x>\nFrom: Bo <b@x>\nFrom: Ada <a@x>\n\nx"))
	if got := m.Header.From(); len(got) != 2 || got[1].Addr != "b@x" {
		t.Error(got)
	}
	if len(m.Faults) == 0 || m.Faults[0] != (Fault{"doubled", "From"}) {
		t.Error(m.Faults)
	}
}

func TestInternationalDomainsAreShownInUnicode(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"ada@example.org", "ada@example.org"},
		{"ada@xn--mnchen-3ya.example", "ada@münchen.example"},
		{"ada@xn--e1afmkfd.xn--p1ai", "ada@пример.рф"},
		{"ada@XN--FIQS8S", "ada@中国"},
		{"ada@xn--.example", "ada@xn--.example"},
		{"ada@xn--99999999", "ada@xn--99999999"},
		{"ada", "ada"},
	} {
		if got := (Address{Addr: c.in}).Shown(); got != c.want {
			t.Errorf("%s: %q, not %q", c.in, got, c.want)
		}
	}
}
