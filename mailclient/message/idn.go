package message

import (
	"math"
	"strings"
	"unicode"
)

// Shown is the address as a person reads it: IDN labels in Unicode (RFC 5890), where they decode to letters. Addr is
// the form to write to.
func (a Address) Shown() string {
	at := strings.LastIndexByte(a.Addr, '@')
	if !containsFold(a.Addr[at+1:], "xn--") {
		return a.Addr
	}
	labels := strings.Split(a.Addr[at+1:], ".")
	for i, l := range labels {
		if len(l) > 4 && strings.EqualFold(l[:4], "xn--") {
			if u, ok := decodePunycode(strings.ToLower(l[4:])); ok {
				labels[i] = u
			}
		}
	}
	return a.Addr[:at+1] + strings.Join(labels, ".")
}

// The parameters of Punycode (RFC 3492 5).
const (
	punyBase, punyTMin, punyTMax = 36, 1, 26
	punySkew, punyDamp           = 38, 700
	punyBias, punyN              = 72, 128
)

// decodePunycode undoes RFC 3492 6.2; false for what is none, or decodes to anything but letters, marks, digits and "-".
func decodePunycode(s string) (string, bool) {
	if len(s) > 63 {
		return "", false
	}
	var out []rune
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		out, s = []rune(s[:i]), s[i+1:]
	}
	n, i, bias := punyN, 0, punyBias
	for s != "" {
		old, w := i, 1
		for k := punyBase; ; k += punyBase {
			if s == "" {
				return "", false
			}
			d := punyDigit(s[0])
			s = s[1:]
			if d < 0 || i > math.MaxInt32-d*w {
				return "", false
			}
			i += d * w
			t := min(max(k-bias, punyTMin), punyTMax)
			if d < t {
				break
			}
			if w *= punyBase - t; w > math.MaxInt32 {
				return "", false
			}
		}
		bias = punyAdapt(i-old, len(out)+1, old == 0)
		n += i / (len(out) + 1)
		i %= len(out) + 1
		if n > unicode.MaxRune || !(unicode.IsLetter(rune(n)) || unicode.IsMark(rune(n)) || unicode.IsDigit(rune(n)) || n == 0xb7) {
			return "", false
		}
		out = append(out[:i], append([]rune{rune(n)}, out[i:]...)...)
		i++
	}
	return string(out), len(out) > 0
}

func punyDigit(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= '0' && c <= '9':
		return int(c-'0') + 26
	}
	return -1
}

func punyAdapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for delta > (punyBase-punyTMin)*punyTMax/2 {
		delta /= punyBase - punyTMin
		k += punyBase
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}
