package imapx

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

var errUTF7 = errors.New("not modified UTF-7")

// EncodeName writes a mailbox name in modified UTF-7 (RFC 3501 5.1.3). Input is UTF-8.
func EncodeName(s string) string {
	var b strings.Builder
	var run []uint16
	flush := func() {
		if len(run) == 0 {
			return
		}
		raw := make([]byte, 0, 2*len(run))
		for _, u := range run {
			raw = append(raw, byte(u>>8), byte(u))
		}
		b.WriteByte('&')
		b.WriteString(utf7.EncodeToString(raw))
		b.WriteByte('-')
		run = run[:0]
	}
	for _, r := range s {
		if r >= ' ' && r <= '~' {
			flush()
			b.WriteRune(r)
			if r == '&' {
				b.WriteByte('-')
			}
			continue
		}
		run = utf16.AppendRune(run, r)
	}
	flush()
	return b.String()
}

// DecodeName reads a mailbox name from the wire strictly; what is not modified
// UTF-7 is an error, and its bytes are then the only name the mailbox has (M9).
func DecodeName(raw string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(raw); {
		c := raw[i]
		if c < ' ' || c > '~' {
			return "", errUTF7
		}
		if c != '&' {
			b.WriteByte(c)
			i++
			continue
		}
		end := strings.IndexByte(raw[i:], '-')
		if end < 0 {
			return "", errUTF7
		}
		if end == 1 {
			b.WriteByte('&')
			i += 2
			continue
		}
		bytes, err := utf7.DecodeString(raw[i+1 : i+end])
		if err != nil || len(bytes)%2 != 0 {
			return "", errUTF7
		}
		units := make([]uint16, len(bytes)/2)
		for j := range units {
			units[j] = uint16(bytes[2*j])<<8 | uint16(bytes[2*j+1])
		}
		text := string(utf16.Decode(units))
		if strings.ContainsRune(text, utf8.RuneError) {
			return "", errUTF7
		}
		b.WriteString(text)
		i += end + 1
	}
	return b.String(), nil
}
