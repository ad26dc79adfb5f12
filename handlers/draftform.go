package handlers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restante/internal/store"
	"restante/mailclient/compose"
	"restante/templates"
)

const (
	maxBody  = 4 << 20 // of the text a person types
	maxFiles = 200
)

// draftForm is what the compose form brings, but for its files: those were streamed into the store.
type draftForm struct {
	fields store.DraftFields
	from   string // the sender by address, where the form names no identity
	rev    int64
	action string
	remove string
	anyway string // the questions after which it is sent all the same
	asked  string // those that the form shows: pressing Send again answers them
	carry  string
	back   string
	once   string   // names the form until it has a draft
	canned string   // the template to be put in
	lost   []string // names of files that did not come along through a sign-in or an error page
	live   bool     // a script keeps it up to date
	at     string   // the wall clock to send at, as it was typed
	later  bool     // it is to be sent then
	whole  bool     // it brings the text
	same   bool     // and nothing was written in it since it was kept
	begun  string   // as begunAs gives it: what a new form held when it was shown, "same" where a script says that it still does
}

// sends says that the mail is to go out, now or later.
func (f draftForm) sends() bool { return f.action == "send" || f.anyway != "" || f.later }

// readDraft reads the form. A multipart body is read part by part: text fields into memory within bounds, files
// straight into the draft, which is made for the first of them. What came in before a fault is in r.PostForm.
func (s *Server) readDraft(r *http.Request, p *person, d *store.Draft) (f draftForm, err error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		r.PostForm = url.Values{}
		err = s.readParts(r, p, d, r.PostForm)
	} else {
		err = parseForm(r)
	}
	if err != nil {
		return f, err
	}
	if f, err = draftFormFrom(r.PostForm, d.Fields); err == nil && f.from != "" {
		err = s.writeAs(r.Context(), p, &f.fields, f.from)
	}
	f.live, f.same = r.Header.Get("X-Restante") != "", r.Header.Get("X-Restante-Same") != ""
	return f, err
}

// writeAs has a draft be from an address, with or without a name around it; from nobody where it is none of the person's.
func (s *Server) writeAs(ctx context.Context, p *person, f *store.DraftFields, from string) error {
	list, _ := compose.Recipients(from)
	ids, err := s.identities(ctx, p)
	f.IdentityID, f.As = -1, ""
	if len(list) == 1 {
		if who, ok := senderFor(ids, []string{list[0].Addr}, exact, anyOf); ok {
			f.IdentityID, f.As = who.identity, who.as
		}
	}
	return err
}

// unquoted takes back what browsers write for characters that would end a name in the form (HTML, multipart/form-data).
var unquoted = strings.NewReplacer("%22", `"`, "%0D", " ", "%0A", " ")

// readParts reads a multipart form; the Content-ID of a picture for the text is added to the values as "cid".
func (s *Server) readParts(r *http.Request, p *person, d *store.Draft, values url.Values) error {
	mr, err := r.MultipartReader()
	if err != nil {
		return wrap(err, http.StatusBadRequest, "error.form")
	}
	files, fresh := 0, d.ID == ""
	mine := map[string]bool{} // files of this request
	return readFields(mr, values, formLimits{bytes: maxBody, fields: 1000}, func(part *multipart.Part) error {
		if files++; files > maxFiles {
			return errTooMuch
		}
		if d.ID == "" {
			f, err := draftFormFrom(values, d.Fields)
			if err != nil {
				return err
			}
			if _, err = s.startDraft(r.Context(), p, d, f); err != nil {
				return problemOf(err)
			}
		}
		u := store.Upload{DraftID: d.ID, Name: unquoted.Replace(part.FileName()), Type: part.Header.Get("Content-Type")}
		if u.ContentID = placed(part.FormName(), u.Type); u.ContentID != "" {
			values.Add("cid", u.ContentID)
		}
		if !fresh {
			err := bare(p, part, func(body io.Reader) error { return s.addFile(r.Context(), p, u, body) })
			if err == nil {
				err = s.dropHalfway(r.Context(), p, *d, u.Name)
			}
			return fileError(err)
		}
		err = bare(p, part, func(body io.Reader) (err error) {
			u, err = s.writeFile(r.Context(), p, u, body)
			return err
		})
		if err == nil {
			err = s.addOnce(r.Context(), u, mine)
		}
		return fileError(err)
	})
}

// bare leaves out of a photo that a person brings where and by what it was taken, unless they want that to go along.
func bare(p *person, file io.Reader, take func(io.Reader) error) error {
	if p.User.Settings.WholePhotos {
		return take(file)
	}
	return piped(func(w io.Writer) error { return compose.Photo(w, file) }, take)
}

// addOnce adds a file to the draft of a new form, unless the same form has brought it by another request. Those of
// this one are in mine.
func (s *Server) addOnce(ctx context.Context, u store.Upload, mine map[string]bool) error {
	letGo, err := s.drafts.enter(ctx, u.DraftID)
	if err != nil {
		return err
	}
	defer letGo()
	had, err := s.store.Uploads(ctx, u.UserID, u.DraftID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(had, func(h store.Upload) bool {
		return !mine[h.ID] && h.Name == u.Name && h.Size == u.Size && h.Type == u.Type
	}) {
		return nil
	}
	u, err = s.store.AddUpload(ctx, u)
	mine[u.ID] = true
	return err
}

// fileError sorts what can go wrong with a file: the sender's faults from our own.
func fileError(err error) error {
	var tooLarge *http.MaxBytesError
	var p *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge), errors.Is(err, store.ErrTooLarge):
		return wrap(err, http.StatusRequestEntityTooLarge, "error.413")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, store.ErrCut), errors.Is(err, context.Canceled):
		return wrap(err, http.StatusBadRequest, "error.form")
	}
	return problemOf(err)
}

func draftFormFrom(v url.Values, was store.DraftFields) (f draftForm, err error) {
	f = draftForm{action: v.Get("action"), remove: v.Get("remove"), anyway: v.Get("anyway"), asked: v.Get("asked"), carry: v.Get("carry"), back: ownPath(v.Get("back")), once: v.Get("once"), canned: v.Get("canned"), lost: v["lost"], whole: v.Has("body"), begun: v.Get("begun"),
		at: cmp.Or(v.Get("later"), v.Get("at")), later: v.Get("action") == "schedule" || v.Get("later") != ""}
	if f.anyway != "" && v.Get("asked_later") != "" { // it was asked on the way
		f.at, f.later = v.Get("asked_later"), true
	}
	f.fields = was
	f.fields.To, f.fields.Cc, f.fields.Bcc = oneList(v.Get("to")), oneList(v.Get("cc")), oneList(v.Get("bcc"))
	f.fields.Subject = oneLine(v.Get("subject"))
	f.fields.Body = strings.ReplaceAll(v.Get("body"), "\r\n", "\n")
	f.fields.HTML = namePictures(v.Get("html"))
	f.fields.Important, f.fields.Receipt, f.fields.Delivery = v.Get("important") == "1", v.Get("receipt") == "1", v.Get("delivery") == "1"
	if len(f.fields.To)+len(f.fields.Cc)+len(f.fields.Bcc) > 256<<10 || len(f.fields.Subject) > 4000 || len(f.fields.Body)+len(f.fields.HTML) > maxBody {
		return f, badRequest("compose.toolong")
	}
	if err := checkText(v); err != nil {
		return f, err
	}
	for _, n := range []struct {
		name string
		to   *int64
	}{{"from", &f.fields.IdentityID}, {"rev", &f.rev}} {
		if t := v.Get(n.name); n.name == "from" && strings.Contains(t, "@") {
			f.from = t
		} else if t != "" {
			if *n.to, err = strconv.ParseInt(t, 10, 64); err != nil {
				return f, badRequest("error.form")
			}
			if n.name == "from" {
				f.fields.As = ""
			}
		}
	}
	if v.Get("answer_kind") != "" || v.Get("in_reply_to") != "" {
		if err := f.answer(v); err != nil {
			return f, err
		}
	}
	return f, nil
}

// begunAs names what a form holds, so that it can be told whether anything was written in it.
func begunAs(f store.DraftFields) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(strings.Join([]string{oneList(f.To), oneList(f.Cc), oneList(f.Bcc), f.Subject, f.Body}, " \x00 ")), " ")))
	return hex.EncodeToString(sum[:8])
}

// untouched says that nobody has written in a new form.
func (f draftForm) untouched() bool {
	return !f.whole || f.begun == "same" || f.begun == begunAs(f.fields) || begunAs(f.fields) == begunAs(store.DraftFields{})
}

// oneList makes a list of recipients that was pasted line by line into one with commas.
func oneList(s string) string {
	var out []string
	for _, l := range strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if l = strings.TrimRight(oneLine(l), ",; "); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, ", ")
}

// hiddenAnswer carries, in a form that has no draft yet, what is answered.
func hiddenAnswer(f store.DraftFields) (out []templates.Field) {
	add := func(name, value string) {
		if value != "" && value != "0" {
			out = append(out, templates.Field{Name: name, Value: value})
		}
	}
	add("in_reply_to", f.InReplyTo)
	add("references", strings.Join(f.References, " "))
	add("answer_kind", f.AnswerKind)
	add("answer_account", strconv.FormatInt(f.AnswerAccount, 10))
	add("answer_mailbox", f.AnswerMailbox)
	add("answer_validity", strconv.FormatUint(uint64(f.AnswerValidity), 10))
	add("answer_id", f.AnswerID)
	add("answer_uid", strconv.FormatUint(uint64(f.AnswerUID), 10))
	return out
}

// answer reads what a new draft answers, carried by the form.
func (f *draftForm) answer(v url.Values) error {
	f.fields.InReplyTo, f.fields.References = oneLine(v.Get("in_reply_to")), strings.Fields(v.Get("references"))
	f.fields.AnswerKind, f.fields.AnswerMailbox, f.fields.AnswerID = v.Get("answer_kind"), v.Get("answer_mailbox"), oneLine(v.Get("answer_id"))
	if byItself(store.OutboxItem{AnswerKind: f.fields.AnswerKind}) || len(f.fields.References) > 100 || len(v.Get("references")) > 32<<10 || len(f.fields.InReplyTo) > 2000 || len(f.fields.AnswerMailbox) > 1000 || len(f.fields.AnswerID) > 2000 {
		return badRequest("error.form")
	}
	f.fields.AnswerAccount = atoi64(v.Get("answer_account"))
	for _, n := range []struct {
		name string
		to   *uint32
	}{{"answer_validity", &f.fields.AnswerValidity}, {"answer_uid", &f.fields.AnswerUID}} {
		if t := v.Get(n.name); t != "" {
			x, err := strconv.ParseUint(t, 10, 32)
			if err != nil {
				return badRequest("error.form")
			}
			*n.to = uint32(x)
		}
	}
	return nil
}
