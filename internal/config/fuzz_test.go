package config_test

import (
	"testing"

	"restante/internal/config"
)

// FuzzParseServer: what is taken has a host, a port and one of three kinds of security.
func FuzzParseServer(f *testing.F) {
	for _, s := range []string{
		"", "imaps://mail.example.org", "imaps://mail.example.org:993", "imap://mail.example.org", "imap+plain://127.0.0.1:143", "smtps://x", "imaps://", "imaps://:993", "imaps://x:0", "imaps://x:99999",
		"imaps://x:abc", "imaps://[::1]:993", "imaps://user:password@x", "imaps://x/path?q#f", "IMAPS://x", "imaps:x", "//x", "imaps://x y", "imaps://x\r\ny", "imaps://\xff", "imaps://%00", "imaps://a%0d%0ab",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := config.ParseServer(raw, "imap")
		if err != nil {
			return
		}
		if s.Host == "" || s.Port < 1 || s.Port > 65535 {
			t.Errorf("%q gave %+v", raw, s)
		}
		for _, c := range []byte(s.Host) {
			if c <= ' ' || c == 0x7f || c == '/' || c == '@' {
				t.Errorf("%q gave the host %q", raw, s.Host)
			}
		}
		switch s.Security {
		case "tls", "starttls", "plain":
		default:
			t.Errorf("%q gave the security %q", raw, s.Security)
		}
	})
}
