package handlers

import (
	"restante/mailclient"
	"restante/templates"
)

// searchChips are the words of a search, each with the address of the search without it.
func searchChips(p *person, boxes []mailclient.Mailbox, words string, path func(t mailclient.Term) string) (out []templates.Option) {
	for _, t := range mailclient.SearchTerms(words, p.Zone) {
		shown := chipWords(p, boxes, t)
		out = append(out, templates.Option{URL: path(t), Words: shown, Value: p.L.T("chip.remove", "Words", shown)})
	}
	return out
}

// chipWords say what a word of a search asks for.
func chipWords(p *person, boxes []mailclient.Mailbox, t mailclient.Term) string {
	word := t.Text
	switch t.Key {
	case "larger", "smaller":
		word = p.L.Size(t.Size)
	case "before", "after", "on":
		word = p.L.Date(t.Day)
	case "in":
		if b, ok := folderNamed(p, boxes, word); ok {
			word = display(b, p)
		}
	}
	if t.Key != "" {
		word = p.L.T("chip."+t.Key, "Word", word)
	}
	if t.Not {
		word = p.L.T("chip.not", "Words", word)
	}
	if t.Or {
		word = p.L.T("chip.or", "Words", word)
	}
	return word
}
