package message

import (
	"bytes"
	"strings"
	"testing"
)

// ber writes an element, of indefinite length when its tag is constructed and long is set.
func ber(tag byte, indefinite bool, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	if indefinite {
		return append(append([]byte{tag, 0x80}, body...), 0, 0)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestSMIME_TheSignedMailIsShown(t *testing.T) {
	inner := []byte(strings.ReplaceAll(parts("mixed", plainPart, pdfPart), "\n", "\r\n"))
	for _, indefinite := range []bool{false, true} {
		octets := ber(0x04, false, inner)
		if indefinite {
			octets = ber(0x24, true, ber(0x04, false, inner[:50]), ber(0x04, false, inner[50:]))
		}
		cms := ber(0x30, indefinite, ber(0x06, false, oidSigned), ber(0xa0, indefinite, ber(0x30, indefinite, ber(0x02, false, []byte{1}), ber(0x31, false),
			ber(0x30, indefinite, ber(0x06, false, oidData), ber(0xa0, indefinite, octets)), ber(0x31, false))))
		raw := mailWith("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", cms)
		m := Read(raw)
		if got, want := seen(m), "t:plain text | c:signed | smime.p7m(technical) | a.pdf"; got != want {
			t.Errorf("%s, not %s", got, want)
		}
		if other, ok := byStructure(raw); !ok || difference(other, m) != "" {
			t.Error("by structure:", difference(other, m))
		}
	}
}

func FuzzSMIME(f *testing.F) {
	f.Add(ber(0x30, true, ber(0x06, false, oidSigned), ber(0xa0, true, ber(0x30, true))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, ok := signedContent(b); ok && len(out) > len(b) {
			t.Fatal("more out than in")
		}
	})
}
