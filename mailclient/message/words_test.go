package message

import "testing"

func TestWordsAreDecodedAsTheyAreFound(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "hello", "hello"},
		{"Q word", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
		{"lower-case letters", "=?UTF-8?q?a=c3=bc?= =?utf-8?b?4pyT?=", "aü✓"},
		{"white space between words goes", "=?utf-8?Q?a?=  =?utf-8?Q?b?=", "ab"},
		{"white space beside text stays", "x =?utf-8?Q?a?= y", "x a y"},
		{"no white space around a word", "x=?utf-8?Q?a?=y", "xay"},
		{"a character split over two words", "=?utf-8?B?4pw=?= =?utf-8?B?kw==?=", "✓"},
		{"base64 cut at odd places", "=?utf-8?B?SGVsb?= =?utf-8?B?G8=?=", "Hello"},
		{"missing padding", "=?utf-8?B?SGVsbG8gd29ybGQ?= =?utf-8?B?IQ=?=", "Hello world!"},
		{"underscore is a space in Q only", "=?utf-8?Q?a_b?= x_y", "a b x_y"},
		{"spaces inside a Q word", "=?utf-8?Q?a b c?=", "a b c"},
		{"a raw question mark before an encoded byte", "=?utf-8?Q?who?=C3=BC?=", "who?ü"},
		{"a language", "=?utf-8*de?Q?Gr=C3=BC?=", "Grü"},
		{"an empty word vanishes", "a =?utf-8?Q??= b", "a  b"},
		{"unknown charset with ASCII inside", "=?x-nothing?Q?hello?=", "hello"},
		{"what is no word stays", "=?utf-8?X?a?=", "=?utf-8?X?a?="},
		{"what cannot be decoded stays", "=?utf-8?B?****?=", "=?utf-8?B?****?="},
		{"raw UTF-8", "naïve ✓", "naïve ✓"},
		{"raw Latin-1", "caf\xe9", "café"},
		{"raw ISO-2022-JP", "\x1b$BF|K\\\x1b(B ok", "日本 ok"},
		{"controls become spaces or go", "a\tb\x00c\x07", "a bc"},
	} {
		if got := DecodeText(c.in); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestCharsetsAreFoundInTheirOrder(t *testing.T) {
	for _, c := range []struct{ name, body, label, want string }{
		{"BOM before the label", "\xef\xbb\xbf\xc3\xbc", "iso-8859-1", "ü"},
		{"UTF-8 against an 8-bit label", "na\xc3\xafve \xe2\x9c\x93", "iso-8859-1", "naïve ✓"},
		{"windows-1252 as latin1", "\x93q\x94 \x80", "latin1", "“q” €"},
		{"us-ascii with 8-bit", "caf\xe9", "us-ascii", "café"},
		{"CP949 as ks_c_5601-1987", "\x8cc\xb9\xe6", "ks_c_5601-1987", "똠방"},
		{"GB18030 as gb2312", "\xe9F", "gb2312", "镕"},
		{"CP932 as shift_jis", "\x87\x40", "x-sjis", "①"},
		{"big5", "\xa4\xa4", "big5", "中"},
		{"cp850", "\x81", "cp-850", "ü"},
		{"macintosh", "\x9f", "macintosh", "ü"},
		{"koi8-r", "\xf0\xd2", "koi8-r", "Пр"},
		{"tis-620", "\xa1", "tis-620", "ก"},
		{"viscii", "\xd5", "viscii", "ạ"},
		{"utf-7", "Gr+APw-n", "utf-7", "Grün"},
		{"iso-2022-kr", "\x1b$)C\x0e>H3g\x0f ok", "iso-2022-kr", "안녕 ok"},
		{"hz", "~{VPND~} ok", "hz-gb-2312", "中文 ok"},
		{"quotes around a label", "\xc3\xbc", `"utf-8`, "ü"},
		{"a label with a semicolon", "\xc3\xbc", "utf-8;", "ü"},
		{"UTF-16 without BOM", "a\x00b\x00", "utf-16", "ab"},
		{"few broken sequences", "gr\xc3\xbc\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3 x", "utf-8", "grüßöäüüüü� x"},
		{"CRLF and lone CR", "a\r\nb\rc", "", "a\nb\nc"},
		{"C1 as windows-1252", "\xc2\x93a", "utf-8", "“a"},
		{"half-width katakana in ISO-2022-JP", "\x1b(I1\x1b(B a", "iso-2022-jp", "ｱ a"},
		{"NEC row 13 in ISO-2022-JP", "\x1b$B-!\x1b(B", "iso-2022-jp", "①"},
		{"an unlabelled Russian text", "\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xca\xe0\xea \xe4\xe5\xeb\xe0? \xcf\xee\xf1\xec\xee\xf2\xf0\xe8 \xef\xe8\xf1\xfc\xec\xee.", "", "Привет, мир! Как дела? Посмотри письмо."},
		{"HKSCS", "\x87\x45", "big5-hkscs", "𧉧"},
		{"escape sequences under a plain label", "\x1b$BF|\x1b(B", "us-ascii", "日"},
	} {
		if got := DecodePart([]byte(c.body), "8bit", c.label); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestTransferEncodings(t *testing.T) {
	for _, c := range []struct{ name, encoding, in, want string }{
		{"base64 with junk", "base64", "aGVs\n bG8*=", "hello"},
		{"concatenated runs", "base64", "aGk=aGk=", "hihi"},
		{"URL alphabet", "base64", "_-8=", "\xff\xef"},
		{"cut end", "base64", "aGVsbG", "hell"},
		{"a list's footer", "base64", "aGk=\n\n_______________\nlist@example.org mailing list\n", "hi"},
		{"words after the padding", "base64", "aGk= ignored\n", "hi"},
		{"misspelt", " Base64 ", "aGk=", "hi"},
		{"lower-case hex", "quoted-printable", "=c3=bc", "ü"},
		{"soft break", "quoted/printable", "a=\r\nb", "ab"},
		{"= at the end", "quoted-printable", "a=", "a"},
		{"bad pairs are text", "quoted-printable", "a=ZZ b=4", "a=ZZ b=4"},
		{"spaces at line ends", "quoted-printable", "a  \r\nb", "a\r\nb"},
		{"unknown is as it is", "8bits", "a=3D", "a=3D"},
		{"uuencode", "x-uuencode", "begin 644 x\n#86)C\n`\nend\n", "abc"},
	} {
		if got := string(decodeTransfer([]byte(c.in), c.encoding)); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestFilesInsideTexts(t *testing.T) {
	for _, c := range []struct{ name, in, rest, file, body string }{
		{"uuencode", "before\nbegin 644 a b.txt\n#86)C\n`\nend\nafter\n", "before\nafter\n", "a b.txt", "abc"},
		{"spaces at line ends lost", "begin 644 x\n#86)C\n\nend\n", "", "x", "abc"},
		{"yEnc", "t\n=ybegin line=128 size=3 name=a b.bin\n\x8b\x8c\x8d\r\n=yend size=3\n", "t\n", "a b.bin", "abc"},
		{"BinHex", "x\n(This file must be converted with BinHex 4.0)\n\n:abc\n:\ny\n", "x\ny\n", "binhex.hqx", "(This file must be converted with BinHex 4.0)\n\n:abc\n:\n"},
		{"a letter that only begins so", "begin 644 days ago\nhe said\n", "begin 644 days ago\nhe said\n", "", ""},
	} {
		rest, files := cutUU([]byte(c.in))
		name, body := "", ""
		if len(files) > 0 {
			name, body = files[0].name, string(files[0].body)
		}
		if string(rest) != c.rest || name != c.file || body != c.body {
			t.Errorf("%s: %q, %q, %q", c.name, rest, name, body)
		}
	}
}
