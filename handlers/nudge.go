package handlers

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

// manyPeople are so many that an answer to all of them is asked about.
const manyPeople = 20

// fileWords are the words by which a letter speaks of a file, in all languages: people write in more than they read.
var fileWords = sync.OnceValue(func() (words []string) {
	for _, lang := range i18n.Languages {
		words = append(words, strings.Split(i18n.For(lang, "").T("js.missingfile.words"), "|")...)
	}
	return words
})

// question asks, under a name, before a letter goes out; nil where told has that it was asked.
func question(told, name, words string) *templates.Asking {
	if strings.Contains(" "+told+" ", " "+name+" ") {
		return nil
	}
	return &templates.Asking{Name: strings.TrimSpace(told + " " + name), Words: words}
}

// nudge asks about an answer that goes to many, or to somebody outside who was not part of what is answered and is not
// known; nil where nothing is to be asked, or its writer does not wish it.
func (s *Server) nudge(r *http.Request, p *person, d store.Draft, m compose.Draft, told string) *templates.Asking {
	if p.User.Settings.NoNudges || d.Fields.AnswerKind != "reply" && d.Fields.AnswerKind != "replyall" {
		return nil
	}
	all := slices.Concat(m.To, m.Cc, m.Bcc)
	if d.Fields.AnswerKind == "replyall" && len(all) >= manyPeople {
		if a := question(told, "many", p.L.T("compose.many", "N", len(all))); a != nil {
			return a
		}
	}
	if stranger := s.stranger(r, p, d.Fields, m.From.Addr, all); stranger != "" {
		return question(told, "outside", p.L.T("compose.outside", "Address", stranger))
	}
	return nil
}

// stranger is the first recipient of an answer of another domain than its writer's who was not part of what is answered,
// is no contact, and was never written to; "" where there is none, or what is answered cannot be had.
func (s *Server) stranger(r *http.Request, p *person, f store.DraftFields, from string, all []compose.Address) string {
	outside := slices.DeleteFunc(slices.Clone(all), func(a compose.Address) bool {
		return strings.EqualFold(domainOf(a.Addr), domainOf(from)) || s.mine(r, p, a.Addr)
	})
	if len(outside) == 0 || f.AnswerUID == 0 {
		return ""
	}
	there, err := s.as(p, f.AnswerAccount)
	if err != nil {
		return ""
	}
	open, err := there.Mail.Open(r.Context(), f.AnswerMailbox, f.AnswerValidity, f.AnswerUID)
	if err != nil {
		return ""
	}
	known := map[string]bool{}
	h := open.Message.Header
	for _, a := range slices.Concat(h.From(), h.ReplyTo(), h.To(), h.Cc()) {
		known[strings.ToLower(a.Addr)] = true
	}
	if list := listPost(h); list != "" {
		known[list] = true
	}
	for _, a := range outside {
		if known[strings.ToLower(a.Addr)] || s.metBefore(r, p, a) {
			continue
		}
		return a.Addr
	}
	return ""
}

// metBefore says that an address was written to, or is a contact.
func (s *Server) metBefore(r *http.Request, p *person, a compose.Address) bool {
	met, err := s.store.Acquainted(r.Context(), p.User.ID, a.Addr, a.Name)
	return err != nil || met.Known
}
