package message

import "testing"

func TestBaseSubject(t *testing.T) {
	for _, tt := range []struct {
		subject, base string
		reply         bool
	}{
		{"Figures", "Figures", false}, {"Re: Figures", "Figures", true}, {"AW: WG: Figures", "Figures", true}, {"Fwd: Figures", "Figures", false},
		{"RE[2]: Figures", "Figures", true}, {"Re(3): Figures", "Figures", true}, {"Re : Figures", "Figures", true}, {"回复：数字", "数字", true},
		{"[list] Re: [list] Figures", "Figures", true}, {"Re:Re: re: Figures", "Figures", true}, {"[list]", "[list]", false}, {"Re: [list]", "[list]", true},
		{"Note: Figures", "Note: Figures", false}, {"Re", "Re", false}, {"Re:", "", true}, {"", "", false}, {": x", ": x", false}, {"ΑΠ: Αριθμοί", "Αριθμοί", true},
		{"  Re:  two  words ", "two  words", true}, {"12: Figures", "12: Figures", false},
	} {
		if base, reply := BaseSubject(tt.subject); base != tt.base || reply != tt.reply {
			t.Errorf("%q: %q, %v", tt.subject, base, reply)
		}
	}
}

func FuzzBaseSubject(f *testing.F) {
	f.Add("Re: [x] AW(2)： y")
	f.Fuzz(func(t *testing.T, s string) {
		base, _ := BaseSubject(s)
		if again, reply := BaseSubject(base); again != base || reply {
			t.Errorf("%q: %q, then %q, %v", s, base, again, reply)
		}
	})
}
