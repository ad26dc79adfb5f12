package disguise_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"restante/internal/disguise"
)

func TestWhatWasMeantByADomain(t *testing.T) {
	for typed, want := range map[string]string{"gmial.com": "gmail.com", "GMAIL.CO": "gmail.com", "gmaill.com": "gmail.com", "outlok.com": "outlook.com", "gmail.com": "", "gmx.dee": "", "x.test": "", "": "", "hotmail.fr": ""} {
		if got := disguise.Meant(typed); got != want {
			t.Errorf("%q: %q, not %q", typed, got, want)
		}
	}
}

// TestThePageKnowsTheSameDomains that the server knows: each with a letter too many is found.
func TestThePageKnowsTheSameDomains(t *testing.T) {
	script, err := os.ReadFile("../../static/js/domains.js")
	if err != nil {
		t.Fatal(err)
	}
	list, _, _ := strings.Cut(string(script), "];")
	all := regexp.MustCompile(`"([a-z.-]+)"`).FindAllStringSubmatch(list, -1)
	if len(all) < 20 {
		t.Fatalf("the page knows %d", len(all))
	}
	for _, m := range all {
		if got := disguise.Meant(m[1] + "x"); len(m[1]) > 8 && got != m[1] {
			t.Errorf("the server does not know %s: %q", m[1], got)
		}
	}
}
