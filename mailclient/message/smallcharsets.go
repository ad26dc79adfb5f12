package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/korean"
)

// decodeUTF7 decodes RFC 2152; false when a shifted run is no UTF-16.
func decodeUTF7(b []byte) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] >= 0x80 {
			return "", false
		}
		if b[i] != '+' {
			out.WriteByte(b[i])
			continue
		}
		j := i + 1
		for j < len(b) && b[j] != '-' && b[j] != '_' && base64Value[b[j]] < 64 {
			j++
		}
		closed := j < len(b) && b[j] == '-'
		if j == i+1 {
			out.WriteByte('+')
			if closed {
				i++
			}
			continue
		}
		text, ok := utf7Run(string(b[i+1 : j]))
		if !ok {
			return "", false
		}
		out.WriteString(text)
		if i = j - 1; closed {
			i = j
		}
	}
	return out.String(), true
}

func utf7Run(run string) (string, bool) {
	raw, err := base64.RawStdEncoding.DecodeString(run)
	if err != nil || len(raw) < 2 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

// decode2022KR decodes RFC 1557: SO begins two-byte KS C 5601, SI ends it.
func decode2022KR(b []byte) (string, bool) {
	var euc []byte
	shifted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x1b && i+3 < len(b) && b[i+1] == '$' && b[i+2] == ')':
			i += 3
		case c == 0x0e:
			shifted = true
		case c == 0x0f || c == '\n':
			shifted = false
			if c == '\n' {
				euc = append(euc, c)
			}
		case shifted && c > 0x20 && c < 0x7f:
			euc = append(euc, c|0x80)
		default:
			euc = append(euc, c)
		}
	}
	text, bad := decodeWith(euc, korean.EUCKR)
	return text, bad == 0
}

// The upper half of VISCII (RFC 1456), and its six letters among the controls.
const visciiUpper = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"

var viscii = func() (t [256]rune) {
	for i := range t {
		t[i] = rune(i)
	}
	for i, r := range []rune(visciiUpper) {
		t[0x80+i] = r
	}
	t[0x02], t[0x05], t[0x06], t[0x14], t[0x19], t[0x1e] = 'Ẳ', 'Ẵ', 'Ẫ', 'Ỷ', 'Ỹ', 'Ỵ'
	return t
}()

func decodeVISCII(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteRune(viscii[c])
	}
	return out.String()
}
