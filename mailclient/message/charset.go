package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Charsets that htmlindex does not know, or takes too narrowly.
var charsets = map[string]encoding.Encoding{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
	"cp858": charmap.CodePage858, "cp860": charmap.CodePage860, "cp862": charmap.CodePage862, "cp863": charmap.CodePage863,
	"cp865": charmap.CodePage865, "cp866": charmap.CodePage866, "cp1047": charmap.CodePage1047, "cp037": charmap.CodePage037,
	"gb2312": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GB18030, "gb18030": simplifiedchinese.GB18030,
	"hzgb2312": simplifiedchinese.HZGB2312, "hz": simplifiedchinese.HZGB2312,
	"iso2022jp": japanese.ISO2022JP, "big5": traditionalchinese.Big5, "euckr": korean.EUCKR, "shiftjis": japanese.ShiftJIS,
	"utf16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf16": unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"utf32le": utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "utf32be": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"macintosh": charmap.Macintosh, "koi8u": charmap.KOI8U, "koi8r": charmap.KOI8R, "windows874": charmap.Windows874,
	"windows1252": charmap.Windows1252,
}

// Other names of charsets, without their dashes, dots and the like.
var charsetAliases = map[string]string{
	"latin1": "windows1252", "iso88591": "windows1252", "usascii": "windows1252", "ascii": "windows1252", "iso88591windows": "windows1252",
	"ansix3.41968": "windows1252", "ansix341968": "windows1252", "iso646us": "windows1252", "iso88591latin1": "windows1252", "l1": "windows1252",
	"ansi": "windows1252", "en": "windows1252", "cp819": "windows1252", "westerneuropean": "windows1252",
	"ksc56011987": "euckr", "ksc5601": "euckr", "ksc56011992": "euckr", "cp949": "euckr", "uhc": "euckr", "ms949": "euckr", "windows949": "euckr", "korean": "euckr",
	"gb231280": "gb2312", "euccn": "gb2312", "cp936": "gb2312", "ms936": "gb2312", "gb": "gb2312", "xgbk": "gb2312", "windows936": "gb2312", "chinese": "gb2312",
	"sjis": "shiftjis", "xsjis": "shiftjis", "mskanji": "shiftjis", "cp932": "shiftjis", "windows31j": "shiftjis", "ms932": "shiftjis", "cp943": "shiftjis", "cp943c": "shiftjis",
	"iso2022jp1": "iso2022jp", "iso2022jp2": "iso2022jp", "iso2022jp3": "iso2022jp", "iso2022jpms": "iso2022jp", "cp50220": "iso2022jp", "cp50221": "iso2022jp", "jis": "iso2022jp",
	"ujis": "eucjp", "xeucjp": "eucjp", "cp51932": "eucjp", "eucjpms": "eucjp",
	"big5hkscs": "big5", "cnbig5": "big5", "cp950": "big5", "xbig5": "big5", "big5eten": "big5", "big5tw": "big5",
	"tis620": "windows874", "iso885911": "windows874", "cp874": "windows874",
	"ibm437": "cp437", "ibm850": "cp850", "ibm852": "cp852", "ibm866": "cp866", "ibm855": "cp855", "dos850": "cp850",
	"mac": "macintosh", "macroman": "macintosh", "xmacroman": "macintosh", "applemacintosh": "macintosh",
	"unicode11utf7": "utf7", "xunicode20utf7": "utf7", "unicode11utf8": "utf8", "utf8mb4": "utf8", "utf": "utf8", "unicode": "utf8", "utf88bit": "utf8",
	"ucs2": "utf16", "iso10646ucs2": "utf16", "ucs4": "utf32", "iso88598i": "iso88598", "iso88596i": "iso88596",
}

// Labels that say nothing.
var noCharset = map[string]bool{"": true, "unknown8bit": true, "xunknown": true, "unknown": true, "default": true, "binary": true, "8bit": true,
	"none": true, "null": true, "xuserdefined": true, "userdefined": true, "undefined": true, "charset": true, "iso": true, "xgeneric": true}

// charsetKey is a charset's label without quotes, blanks, dashes and letter case.
func charsetKey(label string) string {
	if i := strings.IndexAny(strings.Trim(label, " \t\"';"), "\"'; ,"); i > 0 {
		label = strings.Trim(label, " \t\"';")[:i]
	}
	key := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, label)
	key = strings.TrimPrefix(key, "charset")
	if a, ok := charsetAliases[key]; ok {
		key = a
	}
	for _, prefix := range []string{"xcp", "cp", "xwindows", "win", "ms", "windowscp"} { // cp1251, x-cp1251, win1251
		if n, ok := strings.CutPrefix(key, prefix); ok && len(n) == 4 && strings.HasPrefix(n, "125") {
			key = "windows" + n
		}
	}
	return key
}

// encodingFor finds an encoding; nil when the label is unknown. UTF-8, UTF-7 and ISO-2022-KR are not among them.
func encodingFor(label string) encoding.Encoding {
	key := charsetKey(label)
	if e, ok := charsets[key]; ok {
		return e
	}
	for _, name := range spellings(key) {
		if e, err := htmlindex.Get(name); err == nil {
			return e
		}
	}
	return nil
}

// spellings gives back the dashes that charsetKey took.
func spellings(key string) []string {
	out := []string{key}
	if n, ok := strings.CutPrefix(key, "iso8859"); ok {
		out = append(out, "iso-8859-"+n)
	}
	if n, ok := strings.CutPrefix(key, "windows"); ok {
		out = append(out, "windows-"+n)
	}
	if n, ok := strings.CutPrefix(key, "euc"); ok {
		out = append(out, "euc-"+n)
	}
	return out
}

// decodeLabelled decodes b as its label says; false when it does not fit, or the label says nothing.
func decodeLabelled(b []byte, label string) (string, bool) {
	key := charsetKey(label)
	switch key {
	case "utf8":
		return string(b), utf8.Valid(b)
	case "utf7":
		return decodeUTF7(b)
	case "iso2022kr":
		return decode2022KR(b)
	case "viscii":
		return decodeVISCII(b), true
	}
	if noCharset[key] {
		return "", false
	}
	e := encodingFor(label)
	if e == nil {
		if isASCII(b) {
			return string(b), true
		}
		return "", false
	}
	if strings.HasPrefix(key, "utf16") || strings.HasPrefix(key, "utf32") {
		return decodeWide(b, key, e)
	}
	if isASCII(b) && !escapes(key) {
		return string(b), true
	}
	text, bad := decodeWith(b, e)
	return text, bad == 0
}

// escapes says whether ASCII bytes may mean something else in a charset.
func escapes(key string) bool {
	return strings.HasPrefix(key, "iso2022") || strings.HasPrefix(key, "hz") || key == "cp037" || key == "cp1047"
}

// decodeWide decodes UTF-16 and UTF-32, whose label often forgets the byte order, or is untrue.
func decodeWide(b []byte, key string, e encoding.Encoding) (string, bool) {
	zeros := bytes.Count(b, []byte{0})
	if isASCII(b) && zeros == 0 || zeros == 0 && utf8.Valid(b) {
		return string(b), true
	}
	if key == "utf16" && !bytes.HasPrefix(b, []byte{0xfe, 0xff}) && !bytes.HasPrefix(b, []byte{0xff, 0xfe}) && littleEndian(b) {
		e = charsets["utf16le"]
	}
	text, bad := decodeWith(b, e)
	return text, bad*10 <= len(text)
}

// littleEndian guesses the byte order of UTF-16 from where the zeros of ASCII stand.
func littleEndian(b []byte) bool {
	even, odd := 0, 0
	for i, c := range b[:min(len(b), 2000)] {
		if c == 0 && i%2 == 0 {
			even++
		} else if c == 0 {
			odd++
		}
	}
	return odd > even
}

// decodeWith decodes and counts what could not be.
func decodeWith(b []byte, e encoding.Encoding) (string, int) {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return string(out), len(b)
	}
	bad := bytes.Count(out, []byte("\uFFFD"))
	if e == charmap.Windows1252 || bad == 0 {
		return string(out), 0
	}
	return string(out), bad
}
