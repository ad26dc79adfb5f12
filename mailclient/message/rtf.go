package message

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// rtfDictionary is what the window of compressed RTF holds at first (MS-OXRTFCP 2.1.2.1).
const rtfDictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

const maxRTF = 4 << 20

// decompressRTF undoes MS-OXRTFCP; false when b is none.
func decompressRTF(b []byte) (string, bool) {
	if len(b) < 16 {
		return "", false
	}
	size := min(binary.LittleEndian.Uint32(b[4:]), maxRTF)
	magic, b := string(b[8:12]), b[16:]
	switch magic {
	case "MELA":
		return string(b[:min(int(size), len(b))]), true
	case "LZFu":
		return inflateRTF(b, int(size)), true
	}
	return "", false
}

// inflateRTF reads runs of eight tokens: a byte of flags, then letters or references into a window of 4 KB.
func inflateRTF(b []byte, size int) string {
	var window [4096]byte
	at := copy(window[:], rtfDictionary)
	var out strings.Builder
	put := func(c byte) {
		out.WriteByte(c)
		window[at] = c
		at = (at + 1) % len(window)
	}
	for len(b) > 0 && out.Len() < size {
		flags := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(b) > 0 && out.Len() < size; bit++ {
			if flags&(1<<bit) == 0 {
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out.String()
			}
			ref := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from, n := ref>>4, ref&15+2
			if from == at { // the end
				return out.String()
			}
			for range n {
				put(window[from%len(window)])
				from++
			}
		}
	}
	return out.String()
}

// rtfReader takes the HTML (MS-OXRTFEX) or else the text out of RTF.
type rtfReader struct {
	s        string
	i        int
	stack    []rtfState
	st       rtfState
	fromHTML bool
	charset  string
	fonts    map[int]string // charset of a font
	raw      []byte         // bytes of the charset not yet decoded
	rawSet   string
	out      strings.Builder
	skip     int // letters after \u that stand in for it
}

type rtfState struct {
	hidden  bool // a destination that is not shown
	tag     bool // in \*\htmltag
	htmlrtf bool // shown only by readers that know no HTML
	star    bool
	fonts   bool // in the font table
	font    int
	uc      int
}

// readRTF gives the HTML that was wrapped in RTF, or the RTF's text.
func readRTF(s string) (html, text string) {
	r := rtfReader{s: s, charset: "windows-1252", fonts: map[int]string{}}
	r.st.uc = 1
	for r.i < len(r.s) && r.out.Len() < maxRTF {
		r.step()
	}
	r.decode()
	if r.fromHTML {
		return r.out.String(), ""
	}
	return "", r.out.String()
}

func (r *rtfReader) step() {
	switch c := r.s[r.i]; c {
	case '{':
		r.i++
		r.decode()
		if len(r.stack) < 1000 {
			r.stack = append(r.stack, r.st)
		}
		r.skip, r.st.star = 0, false
	case '}':
		r.i++
		r.decode()
		if n := len(r.stack); n > 0 {
			r.st, r.stack = r.stack[n-1], r.stack[:n-1]
		}
		r.skip = 0
	case '\\':
		r.control()
	case '\r', '\n':
		r.i++
	default:
		r.i++
		r.letter(c)
	}
}

// letter takes a byte of text.
func (r *rtfReader) letter(c byte) {
	if r.skip > 0 {
		r.skip--
		return
	}
	if r.silent() {
		return
	}
	set := r.charset
	if f := r.fonts[r.st.font]; f != "" {
		set = f
	}
	if set != r.rawSet {
		r.decode()
		r.rawSet = set
	}
	r.raw = append(r.raw, c)
}

func (r *rtfReader) silent() bool { return r.st.hidden || r.st.htmlrtf && r.fromHTML }

func (r *rtfReader) decode() {
	if len(r.raw) > 0 {
		r.out.WriteString(decodeCharset(r.raw, r.rawSet, false, nil, nil))
		r.raw = r.raw[:0]
	}
}

func (r *rtfReader) write(s string) {
	if !r.silent() {
		r.decode()
		r.out.WriteString(s)
	}
}

// control reads a control symbol or word.
func (r *rtfReader) control() {
	r.i++
	if r.i >= len(r.s) {
		return
	}
	c := r.s[r.i]
	if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
		r.i++
		r.symbol(c)
		return
	}
	start := r.i
	for r.i < len(r.s) && (r.s[r.i] >= 'a' && r.s[r.i] <= 'z' || r.s[r.i] >= 'A' && r.s[r.i] <= 'Z') && r.i-start < 32 {
		r.i++
	}
	word, from := r.s[start:r.i], r.i
	if r.i < len(r.s) && r.s[r.i] == '-' {
		r.i++
	}
	for r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' && r.i-from < 12 {
		r.i++
	}
	n, err := strconv.Atoi(r.s[from:r.i])
	if r.i < len(r.s) && r.s[r.i] == ' ' {
		r.i++
	}
	r.word(word, n, err == nil)
}

func (r *rtfReader) symbol(c byte) {
	switch c {
	case '\'':
		if r.i+2 <= len(r.s) && isHex(r.s[r.i]) && isHex(r.s[r.i+1]) {
			r.letter(unhex(r.s[r.i])<<4 | unhex(r.s[r.i+1]))
			r.i += 2
		}
	case '*':
		r.st.star = true
	case '~':
		r.write("\u00a0")
	case '_':
		r.write("-")
	case '\\', '{', '}':
		r.letter(c)
	case '\r', '\n':
		r.write("\n")
	}
}

// rtfSilent are destinations that hold nothing to read.
var rtfSilent = map[string]bool{"colortbl": true, "stylesheet": true, "info": true, "pict": true, "object": true, "header": true, "footer": true,
	"headerl": true, "headerr": true, "footerl": true, "footerr": true, "mhtmltag": true, "listtable": true, "fldinst": true, "themedata": true, "datastore": true}

func (r *rtfReader) word(w string, n int, has bool) {
	switch w {
	case "fromhtml":
		r.fromHTML = true
	case "htmltag":
		r.st.tag, r.st.hidden, r.st.star = true, false, false
		r.st.htmlrtf = false
	case "htmlrtf":
		r.decode()
		r.st.htmlrtf = !has || n != 0
	case "fonttbl":
		r.st.fonts, r.st.hidden = true, true
	case "f":
		r.st.font = n
	case "fcharset":
		if r.st.fonts && len(r.fonts) < 1000 {
			r.fonts[r.st.font] = fontCharset(n)
		}
	case "ansicpg":
		if n > 0 {
			r.charset = codepageName(uint32(n))
		}
	case "uc":
		r.st.uc = max(0, min(n, 10))
	case "u":
		r.unicode(n)
	case "par", "line", "row", "sect", "page":
		r.write("\n")
	case "tab", "cell":
		r.write("\t")
	case "emdash":
		r.write("—")
	case "endash":
		r.write("–")
	case "lquote":
		r.write("‘")
	case "rquote":
		r.write("’")
	case "ldblquote":
		r.write("“")
	case "rdblquote":
		r.write("”")
	case "bullet":
		r.write("•")
	case "bin":
		r.i = min(len(r.s), r.i+max(0, min(n, len(r.s))))
	default:
		if r.st.star || rtfSilent[w] {
			r.st.hidden = true
		}
	}
	r.st.star = false
}

// unicode takes \u: a UTF-16 unit as a signed number; the letters that stand in for it are skipped.
func (r *rtfReader) unicode(n int) {
	u := uint16(n)
	if !r.silent() {
		if u >= 0xd800 && u < 0xe000 {
			r.surrogate(u)
		} else {
			r.write(string(rune(u)))
		}
	}
	r.skip = r.st.uc
}

// surrogate keeps the first half of a pair as bytes of UTF-16 until the second follows.
func (r *rtfReader) surrogate(u uint16) {
	if r.rawSet != "utf-16be" {
		r.decode()
		r.rawSet = "utf-16be"
	}
	r.raw = append(r.raw, byte(u>>8), byte(u))
}

// fontCharset names the charset of a font's \fcharset.
func fontCharset(n int) string {
	return map[int]string{0: "", 128: "shift_jis", 129: "euc-kr", 134: "gb18030", 136: "big5", 161: "windows-1253", 162: "windows-1254", 163: "windows-1258",
		177: "windows-1255", 178: "windows-1256", 186: "windows-1257", 204: "windows-1251", 222: "windows-874", 238: "windows-1250"}[n]
}
