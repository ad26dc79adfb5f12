package compose

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Valid says whether addr can be written to: local@domain by a strict grammar, at most 254 octets, no quoting,
// no address literal (SECURITY 5.2).
func Valid(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || at > 64 || len(addr) > 254 || !utf8.ValidString(addr) {
		return false
	}
	local, domain := addr[:at], addr[at+1:]
	if strings.ContainsAny(local, " \t\r\n\x00\"(),:;<>@[\\]，；、") || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		if r < 0x21 || r == 0x7f {
			return false
		}
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	return err == nil && ascii != "" && !strings.Contains("."+domain+".", "..")
}

// Envelope gives the address as SMTP sends it: the domain in ASCII (RFC 5891). utf8 says that SMTPUTF8 is needed all the same.
func Envelope(addr string) (out string, needsUTF8 bool) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return addr, false
	}
	domain, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil {
		domain = addr[at+1:]
	}
	for _, r := range addr[:at] {
		needsUTF8 = needsUTF8 || r >= utf8.RuneSelf
	}
	return addr[:at] + "@" + domain, needsUTF8
}

// key is the same for two spellings of one address.
func key(addr string) string {
	addr, _ = Envelope(addr)
	at := strings.LastIndexByte(addr, '@')
	return addr[:at] + strings.ToLower(addr[at:])
}

// Format writes a list as a form field holds it.
func Format(list []Address) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}

// String is the address as a person types it: Name <a@b>, the name quoted where it must be.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr
	}
	if strings.ContainsAny(a.Name, `,;<>()@:"\[]，；、`) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name) + `" <` + a.Addr + ">"
	}
	return a.Name + " <" + a.Addr + ">"
}
