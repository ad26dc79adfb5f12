package mailclient

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"restante/mailclient/imapx"
)

const maxLabel = 40 // characters

// Keyword is the keyword by which a server keeps a label: "_" for a space, and what is not ASCII in modified UTF-7, as
// Thunderbird has it. ok is false for what cannot be a label: nothing, more than 40 characters, signs that cannot be
// seen or that no atom has (RFC 3501 9).
func Keyword(label string) (keyword string, ok bool) {
	label = strings.Join(strings.FieldsFunc(label, func(r rune) bool { return r == ' ' }), "_")
	if label == "" || utf8.RuneCountInString(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", false
	}
	keyword = imapx.EncodeName(label)
	return keyword, IsKeyword(keyword)
}

// Label is a keyword as people read it.
func Label(keyword string) string {
	label, err := imapx.DecodeName(keyword)
	if err != nil {
		label = keyword
	}
	return strings.ReplaceAll(label, "_", " ")
}

// IsKeyword says whether a keyword can be sent: an atom that is no flag of the system.
func IsKeyword(s string) bool {
	return s != "" && len(s) <= 4*maxLabel && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r) })
}

// InvitationKeyword is the keyword that says of an invitation how it was answered: accepted, tentative or declined.
func InvitationKeyword(answer string) string {
	return "$Invitation" + strings.ToUpper(answer[:1]) + answer[1:]
}
