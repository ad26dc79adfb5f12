package sanitize

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// maxQuotes is how deep quotes are drawn.
const maxQuotes = 20

// plain writes plain text: quotes as quotes, links as links, the signature quiet, the quoted tail folded.
func (w *walker) plain(s string) string {
	if len(s) > maxInput {
		s, w.blocked.Cut = s[:maxInput], true
	}
	w.nodes = 0
	root := &html.Node{Type: html.DocumentNode}
	div := element("div")
	put(div, "class", "text")
	put(div, "dir", "auto")
	root.AppendChild(div)
	lines := strings.Split(strings.TrimRight(calm(clean(lineEnds(s))), "\n \t"), "\n")
	tail := tailOf(lines)
	w.lines(div, lines[:tail])
	if tail < len(lines) {
		d := w.details()
		w.lines(d, lines[tail:])
		div.AppendChild(d)
	}
	out := render(root, len(s))
	if !readsAs(out, root) {
		return w.textOnly(s)
	}
	return out
}

// depthOf counts the quote marks before a line and gives what follows them.
func depthOf(line string) (int, string) {
	depth, rest := 0, line
	for strings.HasPrefix(rest, ">") {
		depth++
		rest = rest[1:]
		if strings.HasPrefix(rest, " >") {
			rest = rest[1:]
		}
	}
	if depth > 0 {
		rest = strings.TrimPrefix(rest, " ")
	}
	return min(depth, maxQuotes), rest
}

// lines writes lines, each quote in an element of its own depth.
func (w *walker) lines(to *html.Node, lines []string) {
	open := []*html.Node{to}
	fresh := true
	for i, line := range lines {
		depth, text := depthOf(line)
		if depth != len(open)-1 {
			fresh = true
		}
		for len(open)-1 > depth {
			open = open[:len(open)-1]
		}
		for len(open)-1 < depth {
			q := element("blockquote")
			open[len(open)-1].AppendChild(q)
			open = append(open, q)
		}
		at := open[len(open)-1]
		if depth == 0 && (text == "-- " || text == "--") && len(lines)-i <= 15 {
			sig := element("div")
			put(sig, "class", "sig")
			at.AppendChild(sig)
			w.addLinked(sig, strings.Join(lines[i:], "\n"))
			return
		}
		if !fresh {
			text = "\n" + text
		} else if text == "" {
			text = "\n"
		}
		fresh = false
		w.addLinked(at, text)
		if w.ctx.Err() != nil {
			w.blocked.Cut = true
			return
		}
	}
}

// Words with which other mail programs begin what they quote, in the languages that Restante speaks and some more.
var (
	originalLine = regexp.MustCompile(`(?i)^\s*[-_]{2,}\s*(` +
		`original message|originalmessage|original appointment|ursprüngliche nachricht|originalnachricht` +
		`|message d'origine|message original|messaggio originale|mensaje original` +
		`|mensagem original|oorspronkelijk bericht|oprindelig meddelelse|opprinnelig melding|ursprungligt meddelande` +
		`|alkuperäinen viesti|oryginalna wiadomość|původní zpráva|исходное сообщение|orijinal mesaj|الرسالة الأصلية` +
		`|原始邮件|原始郵件|元のメッセージ` +
		`)\s*[-_]*\s*$`)
	outlookLine = regexp.MustCompile(`(?i)^\s*\*?(from|von|de|da|van|från|fra|lähettäjä|od|от|kimden|من|发件人|寄件者|差出人)\s*[:：]`)
	sentWord    = regexp.MustCompile(`(?i)(sent|date|gesendet|datum|envoyé|enviado( el)?|fecha|data|inviato|verzonden|skickat|sendt|wysłano|отправлено|дата|发送时间|送信日時)\s*[:：]`)
	subjectWord = regexp.MustCompile(`(?i)(subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|тема|主题|件名)\s*[:：]`)
	// forwardLine begins a mail that is passed on: that is there to be read.
	forwardLine = regexp.MustCompile(`(?im)^\s*[-_]{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht` +
		`|mensagem encaminhada|vidarebefordrat meddelande|videresendt meddelelse|przekazana wiadomość|пересылаемое сообщение|转发的邮件|転送メッセージ)` +
		`|^\s*(begin forwarded message|anfang der weitergeleiteten nachricht|début du message (réexpédié|transféré)|inizio messaggio inoltrato|inicio del mensaje reenviado|begin doorgestuurd bericht)\s*[:：]`)
	// withinLine speaks of answers that stand within a quote, where nothing else may tell them from it.
	withinLine = regexp.MustCompile(`(?i)\b(in-?line|(see|answers?|repl(y|ies)|comments?|responses?|notes?) (are )?below|(marked )?in (red|blue|green)|siehe unten|s\. ?u\.|im text|in (rot|blau|grün)|direkt (im|unter|hinter)|ci-dessous|en (rouge|bleu|vert)|dans le texte)\b`)
	nameLine   = regexp.MustCompile(`(?s)^.{4,300}[:：]\s*$`)
)

// tailOf is where the quoted tail begins: len(lines) when there is none, or nothing before it.
func tailOf(lines []string) int {
	start := len(lines)
	for i, l := range lines {
		if forwardLine.MatchString(l) {
			return len(lines)
		}
		if originalLine.MatchString(l) {
			start = i
			break
		}
	}
	if start == len(lines) {
		start = lastQuotes(lines)
	}
	for _, l := range lines[:start] {
		if strings.TrimSpace(l) != "" {
			return start
		}
	}
	return len(lines)
}

// lastQuotes is where the last run of quoted lines begins, with the line that names its writer, when nothing but a
// signature follows it.
func lastQuotes(lines []string) int {
	end := len(lines)
	for end > 0 && strings.TrimSpace(lines[end-1]) == "" {
		end--
	}
	start := end
	for start > 0 && (strings.HasPrefix(lines[start-1], ">") || strings.TrimSpace(lines[start-1]) == "") {
		start--
	}
	for start < end && strings.TrimSpace(lines[start]) == "" {
		start++
	}
	if start == end {
		return len(lines)
	}
	at := start
	for at > 0 && strings.TrimSpace(lines[at-1]) == "" {
		at--
	}
	for n := 1; n <= 3 && n <= at; n++ { // the line of names may be wrapped
		head := strings.Join(lines[at-n:at], " ")
		if strings.TrimSpace(lines[at-n]) == "" {
			break
		}
		if nameLine.MatchString(head) && strings.ContainsAny(head, "0123456789@") {
			return at - n
		}
	}
	return start
}

// address finds what may be a link in text. What it finds is looked at again before it becomes one.
var address = regexp.MustCompile(`(?i)\b(https?://|www\.|mailto:|tel:)[^\s<>"']+|\b[a-z0-9._%+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,24}\b`)

// addLinked appends text with its addresses as links.
func (w *walker) addLinked(to *html.Node, s string) {
	for {
		at := address.FindStringIndex(s)
		if at == nil || w.links > maxLinks {
			addText(to, s)
			return
		}
		shown := trimAddress(s[at[0]:at[1]])
		href := w.linkTo(shown)
		addText(to, s[:at[0]])
		if href == "" {
			addText(to, shown)
		} else {
			w.links++
			e := element("a")
			w.href(e, href)
			addText(e, shown)
			to.AppendChild(e)
		}
		s = s[at[0]+len(shown):]
	}
}

func (w *walker) linkTo(shown string) string {
	if w.o.NoLinks {
		return ""
	}
	lower := strings.ToLower(shown)
	says := func() string { return shown }
	switch {
	case strings.HasPrefix(lower, "www."):
		return w.target("https://"+shown, says)
	case strings.HasPrefix(lower, "http"), strings.HasPrefix(lower, "tel:"), strings.HasPrefix(lower, "mailto:"):
		return w.target(shown, says)
	}
	return "/compose?mailto=" + url.QueryEscape("mailto:"+shown)
}

// trimAddress drops the punctuation after an address, and a closing bracket that was opened before it.
func trimAddress(s string) string {
	for s != "" {
		last := s[len(s)-1]
		switch {
		case strings.IndexByte(".,;:!?*_", last) >= 0:
		case last == ')' && strings.Count(s, "(") < strings.Count(s, ")"):
		case last == ']' && strings.Count(s, "[") < strings.Count(s, "]"):
		case last == '}' && strings.Count(s, "{") < strings.Count(s, "}"):
		default:
			return strings.TrimRightFunc(s, func(r rune) bool {
				return unicode.Is(unicode.Cf, r) || strings.ContainsRune("。、，；：！？」』）】》", r)
			})
		}
		s = s[:len(s)-1]
	}
	return s
}
