package message

import (
	"strings"
	"unicode"
)

// replyWords and forwardWords stand before the colon of a subject that answers or forwards (PROTOCOLS L8).
var (
	replyWords   = wordSet("re aw sv vs res ref odp ynt antw r rif bls απ תשובה 回复 答复 回覆")
	forwardWords = wordSet("fw fwd wg vb tr rv enc pd ilt doorst i inoltr sl trs πρθ הועבר 转发 轉寄")
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// BaseSubject is a subject without what answering, forwarding and mailing lists have put before it (RFC 5256 2.1).
// reply says whether one of it was the mark of an answer.
func BaseSubject(s string) (base string, reply bool) {
	for {
		s = strings.TrimSpace(s)
		if strings.HasPrefix(s, "[") {
			if i := strings.IndexByte(s, ']'); i > 0 && strings.TrimSpace(s[i+1:]) != "" {
				s = s[i+1:]
				continue
			}
		}
		rest, kind := cutMark(s)
		if kind == "" {
			return s, reply
		}
		s, reply = rest, reply || replyWords[kind]
	}
}

// longMark is how many bytes of a subject are looked at for a mark: "RE [12] :" and the longest word.
const longMark = 24

// cutMark takes one mark such as "Re:", "AW [2]:" or "回复：" from a subject; kind is its word in small letters, "" where
// there is none.
func cutMark(s string) (rest, kind string) {
	head := s[:min(len(s), longMark)]
	at, colon := strings.IndexByte(head, ':'), 1
	if wide := strings.Index(head, "："); wide >= 0 && (at < 0 || wide < at) {
		at, colon = wide, len("：")
	}
	if at <= 0 {
		return s, ""
	}
	kind = strings.ToLower(strings.TrimFunc(s[:at], func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsDigit(r) || strings.ContainsRune("[]()", r)
	}))
	if !replyWords[kind] && !forwardWords[kind] {
		return s, ""
	}
	return s[at+colon:], kind
}
