package handlers

import (
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/limits"
	"restante/internal/sanitize"
	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

// signed is the signature of a draft: as text and as HTML, "" for none, and where it stands.
type signed struct {
	plain, rich string
	below       bool // the quote
}

// signatureOf is what stands on the mails of an identity: the new ones, or the answers.
func signatureOf(id store.Identity, answer bool) (g signed) {
	if id.SignOn == "new" && answer || id.SignOn == "answers" && !answer {
		return g
	}
	g = signed{plain: bareSignature(id.Signature), rich: id.SignatureHTML, below: id.SignBelow}
	if g.rich == "" && g.plain != "" {
		g.rich = compose.HTMLFromText(g.plain)
	}
	return g
}

// bareSignature is a signature without the line of dashes that some people write into it.
func bareSignature(s string) string {
	for _, dashes := range []string{"-- \n", "--\n"} {
		s = strings.TrimPrefix(s, dashes)
	}
	return s
}

// text is a plain letter with the signature: what is written, and below it what is quoted.
func (g signed) text(written, quoted string) string {
	sign := ""
	if g.plain != "" {
		sign = "\n\n-- \n" + g.plain + "\n"
	}
	switch {
	case quoted == "":
		return written + sign
	case g.below:
		return written + "\n\n" + strings.TrimRight(quoted, "\n") + "\n" + strings.TrimPrefix(sign, "\n")
	}
	return written + "\n\n" + strings.TrimPrefix(sign, "\n\n") + "\n" + quoted
}

const emptyLine = "<div><br></div>"

// html is the same with formatting; what is written comes as text.
func (g signed) html(written, quoted string) string {
	sign := ""
	if g.rich != "" {
		sign = "<div>-- </div>" + g.rich
	}
	top := emptyLine
	if written != "" {
		top = compose.HTMLFromText(written)
	}
	switch {
	case quoted == "" && sign == "":
		return top
	case quoted == "":
		return top + emptyLine + sign
	case g.below && sign != "":
		return top + emptyLine + quoted + emptyLine + sign
	}
	return top + emptyLine + sign + emptyLine + quoted
}

// senderOptions are the choices of From, with the signature and the hidden copy that each brings along.
func (s *Server) senderOptions(p *person, ids []sending, f store.DraftFields) (out []templates.IdentityOption) {
	option := func(id sending, value string) templates.IdentityOption {
		sign := signatureOf(id.Identity, f.AnswerKind != "")
		v := templates.IdentityOption{Value: value, Words: compose.Address{Name: id.Name, Addr: id.Address}.String(), Signature: sign.plain, Bcc: id.Bcc, Below: sign.below}
		if id.SignatureHTML != "" {
			v.SignatureHTML = showSigned(sign.rich)
		}
		return v
	}
	for _, id := range ids {
		v := option(id, strconv.FormatInt(id.ID, 10))
		v.Current = id.ID == f.IdentityID && f.As == ""
		out = append(out, v)
	}
	if id, ok := senderOf(ids, f); ok && f.As != "" {
		v := option(id, f.As)
		v.Words, v.Current = p.L.T("compose.onthefly", "Address", v.Words), true
		out = append(out, v)
	}
	return out
}

// The picture of a signature is named by a cid: address of its own kind, wherever the signature goes.
const signedID = "@signature.restante.invalid"

var (
	signedSource  = regexp.MustCompile(`src="cid:([0-9a-f]{32})@signature\.restante\.invalid"`)
	signedPicture = regexp.MustCompile(`<img\b[^<>]*\ssrc="cid:([0-9a-f]{32})@signature\.restante\.invalid"[^<>]*>`)
)

// showSigned puts addresses of our own in the place of the cid: ones of signatures' pictures.
func showSigned(letter string) string {
	return signedSource.ReplaceAllStringFunc(letter, func(src string) string {
		id := signedSource.FindStringSubmatch(src)[1]
		return `src="` + html.EscapeString(pictureAddress("/compose/signatures/"+id, id+signedID)) + `"`
	})
}

// signPictures adds the pictures of signatures that a mail shows. One that is gone is taken out of its text.
func (s *Server) signPictures(ctx context.Context, p *person, m *compose.Draft) error {
	have := map[string]bool{}
	for _, f := range m.Files {
		have[f.ContentID] = true
	}
	var fault error
	m.HTML = signedPicture.ReplaceAllStringFunc(m.HTML, func(img string) string {
		id := signedPicture.FindStringSubmatch(img)[1]
		if have[id+signedID] {
			return img
		}
		picture, err := s.store.Picture(ctx, p.User.ID, id)
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) {
				fault = err
			}
			return ""
		}
		have[id+signedID] = true
		m.Files = append(m.Files, compose.File{Name: "signature." + strings.TrimPrefix(picture.Type, "image/"), Type: picture.Type, ContentID: id + signedID, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(picture.Content)), nil
		}})
		return img
	})
	return fault
}

// signaturePicture gives the picture of a signature to the page that it is written on.
func (s *Server) signaturePicture(w http.ResponseWriter, r *http.Request, p *person) error {
	picture, err := s.store.Picture(r.Context(), p.User.ID, chi.URLParam(r, "picture"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", picture.Type)
	w.Header().Set("Content-Disposition", "inline")
	w.Header().Set("Content-Length", strconv.Itoa(len(picture.Content)))
	_, err = w.Write(picture.Content)
	return err
}

// holes fill the holes of templates in, in text and in HTML.
func holes(name, local, address string) (plain, marked *strings.Replacer) {
	if name == "" {
		name = local
	}
	return strings.NewReplacer("{name}", name, "{address}", address),
		strings.NewReplacer("{name}", html.EscapeString(name), "{address}", html.EscapeString(address))
}

// cleaned is a piece of a letter that goes into others, as it may go out, "" for nothing.
func cleaned(letter string) string {
	if strings.TrimSpace(letter) == "" {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(sanitize.Outgoing(letter), "<div>"), "</div>")
}

// footed is a mail with the footer of its sender's domain, unless that stands in it already: in what it quotes of its own
// sender, or because its writer put it there.
func (s *Server) footed(ctx context.Context, m compose.Draft) (compose.Draft, error) {
	policies, err := s.store.Policies(ctx)
	d := policies[limits.DomainOf(m.From.Addr)]
	if err != nil || d.Footer == "" || strings.Contains(squeezed(m.Text), squeezed(d.Footer)) {
		return m, err
	}
	m.Text = strings.TrimRight(m.Text, "\n") + "\n\n" + d.Footer + "\n"
	if m.HTML != "" {
		footer := cleaned(d.FooterHTML)
		if footer == "" {
			footer = compose.HTMLFromText(d.Footer)
		}
		m.HTML += emptyLine + footer
	}
	return m, nil
}

// squeezed is a text without spaces, line ends and the marks of quotes.
func squeezed(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '>' || r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '\u00a0' }), "")
}
