package handlers

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient/discover"
)

// TestAJobThatIsDueNamesNoTime: a mail whose next try was brought forward waits for none.
func TestAJobThatIsDueNamesNoTime(t *testing.T) {
	for lang, want := range map[string]string{"en": "Is tried now.", "de": "Wird jetzt versucht."} {
		if got := sendWords(i18n.For(lang, ""), store.Job{Kind: store.JobSend, State: string(store.Waiting)}); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	later := store.Job{Kind: store.JobSend, State: string(store.Waiting), NextAt: time.Unix(0, 0)}
	if got := sendWords(i18n.For("en", ""), later); got != "Could not be sent yet. Next try 1970-01-01 00:00 UTC." {
		t.Errorf("one that waits says %q", got)
	}
}

// TestWhereThingsLieIsWrittenOut: a path that hangs on where the program was started helps nobody who backs it up.
func TestWhereThingsLieIsWrittenOut(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{"./data": here + "/data", "data.key": here + "/data.key", "/var/lib/restante": "/var/lib/restante"} {
		if got := wholePath(given); got != want {
			t.Errorf("%s is %q", given, got)
		}
	}
}

// TestEachKeyThatIsTrustedIsTold by its service: of two on one host with two keys, one may be another than was compared.
func TestEachKeyThatIsTrustedIsTold(t *testing.T) {
	u := &settingUp{l: i18n.For("en", ""), state: setupState{Name: "owner"}}
	u.state.Domain.IMAP = discover.Place{Host: "mail.example.test", Pin: "a"}
	u.state.Domain.Submission = discover.Place{Host: "mail.example.test", Pin: "b"}
	lines := new(Server).summary(u)
	for _, want := range []string{"IMAP mail.example.test is trusted by its own key", "SMTP mail.example.test is trusted by its own key"} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("nothing of %q in %q", want, lines)
		}
	}
}

// TestAnAvatarHasTheLettersOfThePerson: the same in the list, where an address without a name stands as the name, and
// in the open mail.
func TestAnAvatarHasTheLettersOfThePerson(t *testing.T) {
	for _, c := range []struct{ name, addr, want string }{
		{"Ben Okafor", "ben@demo.test", "BO"}, {"ben.okafor@demo.test", "ben.okafor@demo.test", "BO"}, {"", "ben.okafor@demo.test", "BO"},
		{"alerts@tram.example", "alerts@tram.example", "A"}, {"", "alerts@tram.example", "A"}, {"山田 太郎", "", "山太"}, {"", "", ""}, {`"O'Hara, Pat"`, "", "OH"},
	} {
		if got := initials(c.name, c.addr); got != c.want {
			t.Errorf("initials(%q, %q) = %q, not %q", c.name, c.addr, got, c.want)
		}
	}
}
