package discover

import (
	"strings"
	"testing"
)

func TestC21_EveryRowOfTheTableNamesHosts(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range providers {
		for _, host := range []string{p.imap, p.smtp, p.pop3} {
			if got, ok := hostName(host); host != "" && (!ok || got != host) {
				t.Errorf("%q is no host", host)
			}
		}
		if p.imap == "" || p.smtp == "" || p.domains+p.mx == "" {
			t.Errorf("%+v lacks a server, or somebody who has it", p)
		}
		for _, name := range append(strings.Fields(p.domains), strings.Fields(p.mx)...) {
			if got, ok := hostName(name); !ok || got != name {
				t.Errorf("%q is no name", name)
			}
		}
		for _, d := range strings.Fields(p.domains) {
			if seen[d] {
				t.Errorf("%s stands twice", d)
			}
			seen[d] = true
		}
	}
}

func TestAnMXHostIsTheProvidersByWholeLabels(t *testing.T) {
	for host, imap := range map[string]string{
		"aspmx.l.google.com": "imap.gmail.com", "example-org.mail.protection.outlook.com": "outlook.office365.com", "in1-smtp.messagingengine.com": "imap.fastmail.com",
		"mx00.ionos.de": "imap.ionos.de", "smtpin.rzone.de": "imap.strato.de", "notgoogle.com": "", "google.com.example.test": "", "mx.example.test": "",
	} {
		if p, _ := byMX(host); p.imap != imap {
			t.Errorf("%s is of %q, want %q", host, p.imap, imap)
		}
	}
}

func TestLookupKnowsTheTableAndNoServerThatTakesNoPassword(t *testing.T) {
	d := NewDirectory()
	if s, ok := d.Lookup("Anna@GMX.de"); !ok || s.IMAP.Host != "imap.gmx.net" || s.POP3.Host != "pop.gmx.net" || s.Source != FromPreset {
		t.Errorf("%+v", s)
	}
	for _, a := range []string{"anna@outlook.com", "anna@example.test", "anna", ""} {
		if s, ok := d.Lookup(a); ok {
			t.Errorf("%q has %+v", a, s)
		}
	}
}
