package message

import (
	"regexp"
	"strings"
)

// Seg is a run of lines of plain text of one kind.
type Seg struct {
	Text      string // without quote marks and without the last line's end
	Depth     int    // of quoting, 0 for the writer's own
	Signature bool   // from "-- " to the end of its block
	Tail      bool   // part of the quote that ends the mail, with the line that introduces it: may be folded
}

// Quoted cuts plain text into runs by quote depth (RFC 3676 4.5; also "> >" and "|"), signatures apart. Only a quote
// that nothing but a signature follows is Tail: answers between the lines stay open.
func Quoted(text string) []Seg {
	q := quoteScan{}
	for line := range strings.Lines(text) {
		q.line(strings.TrimSuffix(line, "\n"))
	}
	q.flush()
	q.original()
	q.markTail()
	return q.out
}

type quoteScan struct {
	out   []Seg
	lines []string
	cur   Seg
	begun bool
}

func (q *quoteScan) line(line string) {
	depth, rest := quoteDepth(line)
	sig := q.cur.Signature && depth == q.cur.Depth
	if strings.TrimRight(rest, " \r") == "--" && (strings.HasSuffix(rest, " ") || depth == 0) {
		sig = true
		if q.begun && !q.cur.Signature {
			q.flush()
		}
	}
	if q.begun && (depth != q.cur.Depth || sig != q.cur.Signature) {
		q.flush()
	}
	if !q.begun {
		q.cur, q.begun = Seg{Depth: depth, Signature: sig}, true
	}
	q.lines = append(q.lines, rest)
}

func (q *quoteScan) flush() {
	if !q.begun {
		return
	}
	q.cur.Text = strings.Join(q.lines, "\n")
	q.out = append(q.out, q.cur)
	q.cur, q.lines, q.begun = Seg{}, q.lines[:0], false
}

// quoteDepth counts the marks that a line begins with: ">", with single spaces between, or "| ". A mark at the depth
// of 20 and more counts no further.
func quoteDepth(line string) (depth int, rest string) {
	rest = line
	for depth < 20 {
		s := rest
		if depth > 0 {
			s = strings.TrimPrefix(s, " ")
		}
		switch {
		case strings.HasPrefix(s, ">From "):
			return depth, s
		case strings.HasPrefix(s, ">"):
			rest = s[1:]
		case strings.HasPrefix(s, "| ") || s == "|":
			rest = s[1:]
		default:
			if depth > 0 {
				rest = s
			}
			return depth, rest
		}
		depth++
	}
	return depth, rest
}

// attribution is the line before a quote: it ends in a colon and has an address, a date or a verb of writing.
var attribution = regexp.MustCompile(`(?i)(@|\d{1,4}[./-]\d{1,2}|\d{1,2}:\d{2}|\d{4}|\bwrote\b|\bschrieb|\bécrit|\bescribió|\bscrisse|\bha scritto|\bschreef|\bescreveu|\bskrev|\bnapisał|\bnapsal|\bpíše|написал|пишет|写道|書きました).{0,200}[:：]\s*$`)

// originalHead is the line that Outlook puts before the mail it answers, in the languages it ships. A mail that is passed
// on is no quote: it is there to be read.
var originalHead = regexp.MustCompile(`(?i)^\s*(-{2,}\s*(original message|original appointment|ursprüngliche nachricht|ursprünglicher termin|message d'origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|oryginalna wiadomość|wiadomość oryginalna|původní zpráva|eredeti üzenet|исходное сообщение|исходно съобщение|αρχικό μήνυμα|orijinal ileti|原始邮件|原邮件|原始郵件|元のメッセージ|원본 메시지|הודעה מקורית|الرسالة الأصلية)\s*-{2,}|_{20,})\s*$`)

// outlookHead follows a rule of underscores: a head of From, Sent, To, Subject.
var outlookHead = regexp.MustCompile(`(?i)^\s*(from|von|de|da|van|från|fra|lähettäjä|od|feladó|от|от кого|από|kimden|发件人|寄件者|差出人|보낸 사람)\s*[:：]`)

// original cuts the last own text before the head of an original message, which makes what follows a quote.
func (q *quoteScan) original() {
	for i, s := range q.out {
		if s.Depth > 0 {
			continue
		}
		at := originalAt(s.Text)
		if at < 0 {
			continue
		}
		head, tail := s, s
		head.Text, tail.Text = strings.TrimSuffix(s.Text[:at], "\n"), s.Text[at:]
		tail.Signature = false
		for strings.HasPrefix(tail.Text, "\n") {
			tail.Text = tail.Text[1:]
		}
		tail.Depth = 1
		rest := append([]Seg{tail}, q.out[i+1:]...)
		for k := range rest[1:] {
			rest[k+1].Depth++
		}
		q.out = append(q.out[:i:i], rest...)
		if head.Text != "" {
			q.out = append(append(q.out[:i:i], head), rest...)
		}
		return
	}
}

// originalAt finds the line from which on a text is an original message; -1 when there is none.
func originalAt(text string) int {
	at := 0
	for line := range strings.Lines(text) {
		next := at + len(line)
		if len(line) < 200 && (strings.Contains(line, "--") || strings.Contains(line, "____")) && originalHead.MatchString(strings.TrimRight(line, "\n")) {
			if !strings.Contains(line, "____") || outlookHead.MatchString(strings.TrimLeft(text[next:min(len(text), next+500)], "\n ")) {
				return at
			}
		}
		at = next
	}
	return -1
}

// markTail marks the quote at the end, and parts the introducing line from the text before it.
func (q *quoteScan) markTail() {
	i := len(q.out)
	for i > 0 && (q.out[i-1].Signature && q.out[i-1].Depth == 0 || q.out[i-1].Depth == 0 && strings.TrimSpace(q.out[i-1].Text) == "") {
		i--
	}
	end := i
	for i > 0 && (q.out[i-1].Depth > 0 || strings.TrimSpace(q.out[i-1].Text) == "" && i < end) {
		i--
	}
	if i == end || end-i == len(q.out) { // no quote, or nothing but a quote
		return
	}
	for k := i; k < end; k++ {
		q.out[k].Tail = true
	}
	if i > 0 && !q.out[i-1].Signature {
		q.splitAttribution(i - 1)
	}
}

// splitAttribution moves the line that introduces a quote (up to two lines, when it was wrapped) into the fold.
func (q *quoteScan) splitAttribution(i int) {
	text := strings.TrimRight(q.out[i].Text, "\n ")
	lines := strings.Split(text, "\n")
	for n := 1; n <= 2 && n <= len(lines); n++ {
		intro := strings.Join(lines[len(lines)-n:], " ")
		if len(intro) > 300 || !attribution.MatchString(intro) {
			continue
		}
		if n == 1 && len(lines) > 1 && startsIntro(lines[len(lines)-2]) && !startsIntro(intro) {
			continue
		}
		own := strings.TrimRight(strings.Join(lines[:len(lines)-n], "\n"), "\n ")
		fold := Seg{Text: strings.Join(lines[len(lines)-n:], "\n"), Tail: true}
		if own == "" {
			q.out[i] = fold
			return
		}
		q.out[i].Text = own
		q.out = append(q.out[:i+1], append([]Seg{fold}, q.out[i+1:]...)...)
		return
	}
}

// startsIntro says whether a line looks like the first half of a wrapped introduction.
func startsIntro(line string) bool {
	for _, w := range []string{"On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den ", "Dne ", "W dniu ", "Il giorno "} {
		if strings.HasPrefix(strings.TrimSpace(line), w) {
			return true
		}
	}
	return false
}
