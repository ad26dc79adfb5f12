package handlers

import (
	"archive/zip"
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"restante/internal/index"
	"restante/mailclient"
	"restante/mailclient/message"
)

// body is the mail's HTML as a document of its own: sanitised, with its own policy, never with a script.
func (s *Server) body(w http.ResponseWriter, r *http.Request, p *person) error {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return errStale
	}
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	remote := r.URL.Query().Get("remote") == "1" && s.remoteAllowed(r, p, pl, open.Message)
	s.allowPictures(w, r, pathMessage(p.Account.ID, pl.slug, open.UID), remote)
	_, _, odd := s.disguised(r, p, open.Message)
	return s.letter(p, pl, open, theme(r.URL.Query().Get("theme")), remote, odd && !asked(r, "links", "1")).serve(w, r)
}

func theme(v string) string {
	switch v {
	case "light", "dark", "original":
		return v
	}
	return "auto"
}

// sign makes the signature of a URL that only this session may use.
func (s *Server) sign(purpose string, p *person, u string) string {
	return hex.EncodeToString(s.ring.MAC(purpose, p.Hash, u)[:16])
}

func (s *Server) signed(purpose string, p *person, r *http.Request) (string, bool) {
	u := r.URL.Query().Get("u")
	want := s.sign(purpose, p, u)
	return u, u != "" && hmac.Equal([]byte(want), []byte(r.URL.Query().Get("s")))
}

// part serves one part: opened in the browser for a short list of harmless types, else as a download.
func (s *Server) part(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, f, err := s.fileAt(r, p)
	if err != nil {
		return err
	}
	return s.servePart(w, r, p, pl, open, f)
}

// servePart serves a file of a mail whole or, where its size is known, the range of it that is asked for: what broke
// off is fetched on from there.
func (s *Server) servePart(w http.ResponseWriter, r *http.Request, p *person, pl place, open *mailclient.Open, f message.File) error {
	file, err := s.partFile(r.Context(), p, pl, open, f)
	if index.Lost(err) && r.Header.Get("Sec-Fetch-Dest") == "image" {
		return standIn(w, p.L.T("away.notkept.picture"))
	}
	if err != nil {
		return err
	}
	partHeaders(w.Header(), r, f, file.Head[:min(len(file.Head), 512)])
	if open.UIDValidity != 0 { // under it, what a UID names never changes (RFC 3501 2.3.1.1)
		w.Header().Set("ETag", fmt.Sprintf(`"%d-%d-%s"`, open.UIDValidity, open.UID, f.Section))
	}
	if file.Size < 0 {
		w.Header().Set("Accept-Ranges", "none")
		if r.Method == http.MethodHead {
			return nil
		}
		return file.WriteFrom(r.Context(), 0, w)
	}
	if asked := r.Header.Get("Range"); strings.Contains(asked, ",") || !strings.HasPrefix(asked, "bytes=") { // one range only: the whole is an answer too
		r.Header.Del("Range")
	}
	body := newSeeker(r.Context(), file)
	defer body.Close()
	http.ServeContent(w, r, "", time.Time{}, body)
	return body.failed
}

// wholePart is a part that is to be read at once: an error of its own when it is larger than most.
func (s *Server) wholePart(r *http.Request, p *person, pl place, open *mailclient.Open, f message.File, most int) ([]byte, error) {
	b := &cappedBuffer{most: most}
	if f.Body != nil {
		_, err := b.Write(f.Body)
		return b.Bytes(), err
	}
	err := p.Mail.Part(r.Context(), pl.box.Name, open.UIDValidity, open.UID, f.Section, b)
	if b.over {
		err = errPartTooLarge
	}
	return b.Bytes(), notKeptFile(err)
}

var errPartTooLarge = wrap(errors.New("a part is too large to be read at once"), http.StatusRequestEntityTooLarge, "file.toolarge")

// cappedBuffer refuses more than most bytes.
type cappedBuffer struct {
	bytes.Buffer
	most int
	over bool
}

func (b *cappedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		b.over = true
		return 0, errPartTooLarge
	}
	return b.Buffer.Write(p)
}

// partHeaders are those of a part that begins with magic.
func partHeaders(h http.Header, r *http.Request, f message.File, magic []byte) {
	kind := trueKind(inlineKind(f.Type, f.Name), magic)
	if media := mediaKind(magic); media != "" && kind == "" && plays(r) {
		kind = media
	}
	if kind == "" || r.URL.Query().Get("download") == "1" {
		h.Set("Content-Type", "application/octet-stream")
		if f.Type == "text/calendar" { // which a phone hands on to its calendar
			h.Set("Content-Type", "text/calendar; charset=utf-8")
		}
		h.Set("Content-Disposition", disposition("attachment", f.Name))
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition("inline", f.Name))
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	if kind == "application/pdf" {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; plugin-types application/pdf; frame-ancestors 'self'")
	}
	if r.URL.Query().Get("v") != "" {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
}

// trueKind is the inline type if the first bytes agree with it, else "": neither type nor name of a mail is believed.
func trueKind(kind string, magic []byte) string {
	switch kind {
	case "text/plain":
		if bytes.IndexByte(magic, 0) >= 0 || !utf8.Valid(cutRune(magic)) {
			return ""
		}
		return "text/plain; charset=utf-8"
	case "application/pdf":
		if !bytes.HasPrefix(magic, []byte("%PDF-")) {
			return ""
		}
		return kind
	case "image/avif":
		if len(magic) > 12 && string(magic[4:8]) == "ftyp" && strings.HasPrefix(string(magic[8:12]), "avi") {
			return kind
		}
		return ""
	case "":
		return ""
	}
	if sniffed := http.DetectContentType(magic); strings.HasPrefix(sniffed, "image/") && inlineKind(sniffed, "") != "" {
		return sniffed
	}
	return ""
}

// cutRune drops a rune that the end of the window cut.
func cutRune(b []byte) []byte {
	for i := 0; i < 3 && len(b) > 0 && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	return b
}

// disposition writes the header with an ASCII name and the true one (RFC 6266).
func disposition(kind, name string) string {
	name = message.SafeName(name)
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%;`, r) {
			return '_'
		}
		return r
	}, name)
	out := kind + `; filename="` + ascii + `"`
	if ascii != name {
		out += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return out
}

// source shows the mail as it came, as text.
func (s *Server) source(w http.ResponseWriter, r *http.Request, p *person) error {
	return s.raw(w, r, p)
}

// eml serves the mail as a file, byte for byte.
func (s *Server) eml(w http.ResponseWriter, r *http.Request, p *person) error {
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", disposition("attachment", "message-"+chi.URLParam(r, "uid")+".eml"))
	return s.raw(w, r, p)
}

func (s *Server) raw(w http.ResponseWriter, r *http.Request, p *person) error {
	uid, err := uidParam(r)
	if err != nil {
		return err
	}
	validity, err := validityParam(r.URL.Query().Get("v"))
	if err != nil {
		return err
	}
	pl, err := s.place(r, p)
	if err != nil {
		return err
	}
	return p.Mail.Raw(r.Context(), pl.box.Name, validity, uid, w)
}

// zip serves all files of a mail, streamed.
func (s *Server) zip(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, err := s.openAt(r, p)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", disposition("attachment", zipName(open.Message.Header.Subject())))
	z := zip.NewWriter(w)
	taken := map[string]bool{}
	for _, f := range open.Message.Files {
		if f.Inline || f.Technical {
			continue
		}
		method := zip.Deflate
		if strings.HasPrefix(f.Type, "image/") || strings.Contains(f.Type, "zip") || f.Type == "application/pdf" {
			method = zip.Store
		}
		out, err := z.CreateHeader(&zip.FileHeader{Name: unused(taken, message.SafeName(f.Name)), Method: method, Modified: dateOf(open.Row)})
		if err != nil {
			return err
		}
		if f.Body != nil {
			_, err = out.Write(f.Body)
		} else {
			err = p.Mail.Part(r.Context(), pl.box.Name, open.UIDValidity, open.UID, f.Section, out)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

func zipName(subject string) string {
	if subject == "" {
		subject = "attachments"
	}
	return message.SafeName(strings.ReplaceAll(subject, "/", "-")) + ".zip"
}

// unused numbers a name that was given before, whatever its letter case.
func unused(taken map[string]bool, name string) string {
	for i, try := 2, name; ; i++ {
		if key := strings.ToLower(try); !taken[key] {
			taken[key] = true
			return try
		}
		ext := path.Ext(name)
		try = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), i, ext)
	}
}

// proxied fetches a picture of another site for the reader, who stays unknown to it.
func (s *Server) proxied(w http.ResponseWriter, r *http.Request, p *person) error {
	q := r.URL.Query()
	u := q.Get("u")
	ok := u != "" && hmac.Equal([]byte(s.sign("proxy-url", p, q.Get("of")+" "+u)), []byte(q.Get("s"))) // of one mail
	if dest := r.Header.Get("Sec-Fetch-Dest"); !ok || dest != "" && dest != "image" {
		return errNothingHere
	}
	img, err := s.pictures.Fetch(r.Context(), u)
	if err != nil {
		s.log.Debug("picture not fetched", "id", requestID(r), "err", err.Error())
		w.Header().Set("Server-Timing", "failed") // for the page around the letter, which counts them
		return standIn(w, p.L.T("remote.failed"))
	}
	w.Header().Set("Content-Type", img.Type)
	_, err = w.Write(img.Body)
	return err
}

// standIn is a picture that says why another one is not there.
func standIn(w http.ResponseWriter, words string) error {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store") // the other may be there next time
	_, err := fmt.Fprintf(w, placeholder, html.EscapeString(words))
	return err
}

// placeholder stands where a picture could not be fetched, and says so where there is room.
const placeholder = `<svg xmlns="http://www.w3.org/2000/svg" width="260" height="48"><rect width="100%%" height="100%%" fill="none" stroke="gray" stroke-dasharray="4"/>` +
	`<text x="50%%" y="50%%" dominant-baseline="middle" text-anchor="middle" font-family="sans-serif" font-size="13" fill="gray">%s</text></svg>`

func init() { // types that a bare system's table lacks
	for ext, t := range map[string]string{".webp": "image/webp", ".avif": "image/avif", ".txt": "text/plain", ".pdf": "application/pdf"} {
		_ = mime.AddExtensionType(ext, t)
	}
}
