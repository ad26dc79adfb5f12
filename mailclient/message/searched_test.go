package message_test

import (
	"fmt"
	"strings"
	"testing"

	"restante/mailclient/message"
)

// TestWhereAMailIsSearched: which parts are looked through, whether that is all, and what is found in their beginning.
func TestWhereAMailIsSearched(t *testing.T) {
	text := func(section, subtype string, size int64) *message.Structure {
		return &message.Structure{Section: section, Type: "text", Subtype: subtype, Encoding: "7bit", Size: size}
	}
	many := func(n int, size int64) *message.Structure {
		s := &message.Structure{Type: "multipart", Subtype: "mixed"}
		for i := range n {
			s.Children = append(s.Children, text(fmt.Sprint(i+1), "plain", size))
		}
		return s
	}
	letter := &message.Structure{Section: "2", Type: "message", Subtype: "rfc822", Encoding: "7bit", Children: []*message.Structure{text("2.1", "plain", 5)}}
	for name, c := range map[string]struct {
		s     *message.Structure
		parts string
		all   bool
	}{
		"nothing is known":           {nil, "", false},
		"a text":                     {text("1", "plain", 10), "1", true},
		"texts and files":            {&message.Structure{Type: "multipart", Children: []*message.Structure{text("1", "plain", 10), {Section: "2", Type: "image", Size: 9}, text("3", "csv", 10)}}, "1 3", true},
		"an attached mail":           {&message.Structure{Type: "multipart", Children: []*message.Structure{text("1", "plain", 10), letter}}, "1 2.HEADER 2.1", true},
		"a mail that was not opened": {&message.Structure{Section: "1", Type: "message", Subtype: "rfc822", Size: 100}, "1", false},
		"a report":                   {&message.Structure{Section: "1", Type: "message", Subtype: "delivery-status", Size: 100}, "1", true},
		"more parts than are asked for": {many(50, 1), strings.TrimSuffix(func() (all string) {
			for i := range 40 {
				all += fmt.Sprint(i+1) + " "
			}
			return all
		}(), " "), false},
		"more bytes than are asked for": {many(5, 10_000), "1 2 3 4", false},
	} {
		parts, all := message.SearchedIn(c.s, 1000)
		var got []string
		for _, p := range parts {
			got = append(got, p.Section)
		}
		if strings.Join(got, " ") != c.parts || all != c.all {
			t.Errorf("%s: %v, all: %v", name, got, all)
		}
	}
	parts, _ := message.SearchedIn(text("1", "html", 60), 1000)
	if got, all := parts[0].Text([]byte("<p>Gr&uuml;&szlig;e<br>aus   dem <b>S&uuml;</b>den</p>")); message.FoldText(got) != "gruße aus dem suden" || all {
		t.Errorf("%q, all: %v", message.FoldText(got), all)
	}
	if got := message.FoldText("Soft\u00adware\u200b\r\n\t Été\u00a0ﬁn"); got != "software ete fin" {
		t.Errorf("%q", got)
	}
}
