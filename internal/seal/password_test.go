package seal

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

func TestPasswords(t *testing.T) {
	hash := HashPassword("correct horse battery")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=2$") || HashPassword("correct horse battery") == hash {
		t.Errorf("hash %q", hash)
	}
	for _, c := range []struct {
		hash, password string
		want           bool
	}{
		{hash, "correct horse battery", true}, {hash, "correct horse batterY", false}, {hash, "", false}, {"", "x", false}, {"", "", false},
		{"$argon2id$v=19$m=4294967295,t=3,p=2$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "x", false}, {"nonsense", "x", false}, {"$argon2id$v=19$m=65536,t=3,p=0$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "x", false},
	} {
		if got := CheckPassword(c.hash, c.password); got != c.want {
			t.Errorf("%q with %q: %v", c.password, c.hash, got)
		}
	}
}

func TestAPasswordOfNamesAndRepetitionsIsWeak(t *testing.T) {
	for password, want := range map[string]string{
		"elevensigns": "short", "ünïcödé ist": "short", "aaaaaaaaaaaaaaa": "common", "password1234": "common", "anna-keller-1": "common",
		"annaannaannaanna": "common", "AnnaKellerAnna": "common", "anna keller 2026": "common", "restanterestante1": "common", "restante restante!": "common", "kellerkeller42": "common",
		"harbourharbour": "common", "rain rain rain rain": "common", "abcabcabcabcabc": "common", "1234567890123": "common", "qwertyuiop123": "common", "admin12345678": "common",
		"four words that stand": "", "ünïcödé ist lang": "", "four harbours in the rain": "", "kX9$vTq2!mWz": "", "anna likes tall harbours": "", "korrekt-pferd-batterie": "",
	} {
		if got := WeakPassword(password, "Anna Keller"); got != want {
			t.Errorf("%q is %q, not %q", password, got, want)
		}
	}
	for _, name := range []string{"", "x", "Ω", "a\x00b", "....", "   "} {
		if got := WeakPassword("four words that stand", name); got != "" {
			t.Errorf("beside the name %q a good password is %q", name, got)
		}
	}
}

func TestASecondFactorIsGoodOnceAndForAMinuteAndAHalf(t *testing.T) {
	secret, now := NewFactor(), time.Unix(1_800_000_000, 0)
	code, err := totp.GenerateCode(secret, now)
	if err != nil {
		t.Fatal(err)
	}
	step, ok := CheckFactor(secret, code[:3]+" "+code[3:], now.Add(20*time.Second), 0)
	if !ok {
		t.Fatal("the code of now is refused")
	}
	if _, ok := CheckFactor(secret, code, now, step); ok {
		t.Error("a code is good twice")
	}
	for ago, want := range map[time.Duration]bool{-30 * time.Second: true, 30 * time.Second: true, 90 * time.Second: false, -90 * time.Second: false} {
		if _, ok := CheckFactor(secret, code, now.Add(ago), 0); ok != want {
			t.Errorf("%v later: %v", ago, ok)
		}
	}
	for _, wrong := range []string{"", "12345", "abcdef", code + "1"} {
		if _, ok := CheckFactor(secret, wrong, now, 0); ok {
			t.Errorf("%q is good", wrong)
		}
	}
	codes := RecoveryCodes(10)
	if len(codes) != 10 || codes[0] == codes[1] || CodeDigest(codes[0]) != CodeDigest(strings.ToUpper(strings.ReplaceAll(codes[0], "-", " "))) || CodeDigest(codes[0]) == CodeDigest(codes[1]) {
		t.Errorf("recovery codes %q", codes)
	}
}
