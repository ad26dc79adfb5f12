package limits_test

import (
	"errors"
	"strings"
	"testing"

	"restante/internal/limits"
)

func TestThePersonComesBeforeTheDomainBeforeTheSiteBeforeTheDefault(t *testing.T) {
	b := limits.NewBook(limits.Set{limits.UploadMB: 7})
	is := func(address string, n limits.Name, want int64) {
		t.Helper()
		if got := b.Of(address, n); got != want {
			t.Errorf("%s of %s: %d, not %d", n, address, got, want)
		}
	}
	is("anna@a.example", limits.Contacts, 20_000)
	all := []limits.Entry{
		{Scope: limits.Site, Name: limits.Contacts, Value: 10}, {Scope: limits.Domain, Of: "a.example", Name: limits.Contacts, Value: 20}, {Scope: limits.Person, Of: "anna@a.example", Name: limits.Contacts, Value: 5},
		{Scope: limits.Domain, Of: "xn--mnchen-3ya.example", Name: limits.Contacts, Value: 30},
		{Scope: limits.Site, Name: limits.UploadMB, Value: 9}, {Scope: limits.Domain, Of: "a.example", Name: limits.UploadMB, Value: 11},
		{Scope: limits.Person, Of: "anna@a.example", Name: limits.Sources, Value: -1}, {Scope: limits.Person, Of: "anna@a.example", Name: limits.HostConnections, Value: 9}, {Scope: "planet", Name: limits.Sources, Value: 1},
	}
	b.Write(all)
	is("Anna@A.example", limits.Contacts, 5)
	is("ben@a.example", limits.Contacts, 20)
	is("ben@b.example", limits.Contacts, 10)
	is("änne@münchen.example", limits.Contacts, 30)
	is("ben@b.example", limits.UploadMB, 7) // the configuration's
	is("ben@a.example", limits.UploadMB, 11)
	is("anna@a.example", limits.Sources, 10) // what cannot be is left out
	if n := b.Whole(limits.HostConnections); n != 200 {
		t.Errorf("%d connections to a host", n)
	}
	if n := b.Most(limits.Contacts); n != 30 {
		t.Errorf("the most is %d", n)
	}
	if !b.Varies(limits.Contacts) || b.Varies(limits.Requests) {
		t.Error("what varies is not known")
	}
	b.Write(nil)
	is("anna@a.example", limits.Contacts, 20_000)
	if n := (*limits.Book)(nil).Of("x@y.test", limits.Requests); n != 24 {
		t.Errorf("without a book: %d", n)
	}
}

func TestEveryLimitCanBeItsDefaultAndNoMoreThanItsMost(t *testing.T) {
	for _, l := range limits.All {
		for value, ok := range map[int64]bool{l.Default: true, l.Least: true, l.Most: true, l.Least - 1: false, l.Most + 1: false} {
			if err := (limits.Entry{Scope: limits.Site, Name: l.Name, Value: value}).Check(); (err == nil) != ok || err != nil && !errors.Is(err, limits.ErrRange) {
				t.Errorf("%s = %d: %v", l.Name, value, err)
			}
		}
	}
	if err := (limits.Entry{Scope: limits.Site, Name: "sails", Value: 3}).Check(); !errors.Is(err, limits.ErrNoLimit) {
		t.Error(err)
	}
}

// TestALimitIsThePersonsHoweverTheirAddressIsWritten, by the admin and at sign-in.
func TestALimitIsThePersonsHoweverTheirAddressIsWritten(t *testing.T) {
	forms := []string{"anna@münchen.example", "Anna@MÜNCHEN.example", "anna@xn--mnchen-3ya.example", "ANNA@XN--MNCHEN-3YA.example"}
	for _, set := range forms {
		of, ok := limits.Whose(limits.Person, set)
		if !ok {
			t.Fatal(set)
		}
		for _, kept := range []string{of, strings.ToLower(set)} { // the second as older versions kept it
			b := limits.NewBook(nil)
			b.Write([]limits.Entry{{Scope: limits.Person, Of: kept, Name: limits.Contacts, Value: 5}})
			for _, signed := range forms {
				if got := b.Of(signed, limits.Contacts); got != 5 {
					t.Errorf("set for %s, kept as %s, for %s it is %d", set, kept, signed, got)
				}
				if got, ok := b.Set(limits.Person, signed, limits.Contacts); got != 5 || !ok {
					t.Errorf("set for %s, kept as %s, the page of %s shows %d", set, kept, signed, got)
				}
			}
		}
	}
}

func TestWhoseALimitIs(t *testing.T) {
	for written, want := range map[string]string{" Example.ORG. ": "example.org", "münchen.example": "xn--mnchen-3ya.example", "localhost": "", "a b.example": "", "": "", "anna@a.example": ""} {
		if got, ok := limits.Whose(limits.Domain, written); got != want || ok != (want != "") {
			t.Errorf("domain %q: %q, %v", written, got, ok)
		}
	}
	for written, want := range map[string]string{" Anna@A.example ": "anna@a.example", "@a.example": "", "anna@": "", "anna": "", "a\nb@a.example": "", "anna@a": "", "Änne@MÜNCHEN.example": "änne@xn--mnchen-3ya.example", "anna@XN--mnchen-3ya.example": "anna@xn--mnchen-3ya.example"} {
		if got, ok := limits.Whose(limits.Person, written); got != want || ok != (want != "") {
			t.Errorf("person %q: %q, %v", written, got, ok)
		}
	}
}
