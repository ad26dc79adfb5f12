package handlers

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"restante/internal/store"
	"restante/mailclient"
	"restante/templates"
)

// fillRedirect makes a draft send a mail on as it came. Its text is read when it goes out.
func fillRedirect(p *person, open *mailclient.Open, d *store.Draft, f *freshDraft) {
	d.Fields.AnswerKind, d.Fields.AnswerID, d.Fields.Subject = store.RedirectKind, open.Message.Header.MessageID(), oneLine(open.Message.Header.Subject())
	f.heading = p.L.T("act.redirect")
}

// original gives the mail that a draft sends on, as it came.
func (s *Server) original(ctx context.Context, p *person, f store.DraftFields) func(io.Writer) error {
	return func(w io.Writer) error {
		there, err := s.as(p, f.AnswerAccount)
		if err != nil {
			return err
		}
		return there.Mail.Raw(ctx, f.AnswerMailbox, f.AnswerValidity, f.AnswerUID, w)
	}
}

// maxForwarded is how many mails one letter takes along as files.
const maxForwarded = 50

// fillAgain makes a draft say what a mail says, to be changed and sent as a new one. fields are those of the mail.
func fillAgain(p *person, open *mailclient.Open, fields store.DraftFields, d *store.Draft, f *freshDraft) {
	was := d.Fields
	d.Fields = fields
	d.Fields.InReplyTo, d.Fields.References = "", nil
	d.Fields.AnswerKind, d.Fields.AnswerAccount, d.Fields.AnswerMailbox, d.Fields.AnswerValidity, d.Fields.AnswerUID = "again", was.AnswerAccount, was.AnswerMailbox, was.AnswerValidity, was.AnswerUID
	f.heading = p.L.T("compose.new")
	bringFiles(p, open, d, f)
}

// bringFiles takes the files of a mail along.
func bringFiles(p *person, open *mailclient.Open, d *store.Draft, f *freshDraft) {
	for _, file := range open.Message.Files {
		if file.Technical {
			continue
		}
		f.carry = "files"
		if !file.Inline || d.Fields.HTML == "" {
			f.files = append(f.files, templates.File{Name: file.Name, Size: p.L.Size(file.Size), Icon: fileIcon(file.Type, file.Name)})
		}
	}
}

// forwardPicked goes to a letter that takes the picked mails along as files.
func (s *Server) forwardPicked(w http.ResponseWriter, r *http.Request, p *person, slug string, uids []uint32) error {
	if len(uids) > maxForwarded {
		return &Problem{Status: http.StatusBadRequest, Key: "compose.manyfiles", Args: []any{"N", maxForwarded}}
	}
	q := p.naming(url.Values{"in": {slug}, "forward": {"file"}})
	for _, uid := range uids {
		q.Add("uid", strconv.FormatUint(uint64(uid), 10))
	}
	return seeOther(w, r, with("/compose", q, "back", r.PostFormValue("back")))
}

// uidsOf reads the UIDs of several mails.
func uidsOf(values []string) (uids []uint32, err error) {
	for _, v := range values {
		n, err := strconv.ParseUint(v, 10, 32)
		if err != nil || n == 0 {
			return nil, badRequest("error.form")
		}
		uids = append(uids, uint32(n))
	}
	return uids, nil
}

// fewUIDs are as many as one letter takes along.
func fewUIDs(values []string) ([]uint32, error) {
	if len(values) > maxForwarded {
		return nil, badRequest("error.form")
	}
	return uidsOf(values)
}

const carriedMails = "messages " // before the UIDs of the mails that a draft takes along

// fillSeveral makes a draft take several mails along as files.
func fillSeveral(p *person, uids []uint32, d *store.Draft, f *freshDraft) {
	var ids []string
	for _, uid := range uids {
		ids = append(ids, strconv.FormatUint(uint64(uid), 10))
	}
	d.Fields.AnswerKind = "several"
	f.heading, f.carry = p.L.T("compose.forward"), carriedMails+strings.Join(ids, " ")
	f.files = []templates.File{{Name: p.L.T("compose.mails", "N", len(uids)), Icon: "mails"}}
}

// takeMails puts several mails into a draft as files, streamed. One that is gone meanwhile stops all.
func (s *Server) takeMails(ctx context.Context, p *person, d *store.Draft) error {
	uids, err := fewUIDs(strings.Fields(strings.TrimPrefix(d.Fields.Carry, carriedMails)))
	if err != nil {
		return err
	}
	var names []string
	for _, uid := range uids {
		open, err := p.Mail.Open(ctx, d.Fields.AnswerMailbox, d.Fields.AnswerValidity, uid)
		if err != nil {
			return err
		}
		u := store.Upload{DraftID: d.ID, Name: emlName(open.Subject), Type: "message/rfc822"}
		for n := 2; slices.Contains(names, u.Name); n++ {
			u.Name = emlName(open.Subject + " " + strconv.Itoa(n))
		}
		names = append(names, u.Name)
		if err := piped(func(w io.Writer) error { return p.Mail.Raw(ctx, d.Fields.AnswerMailbox, open.UIDValidity, uid, w) },
			func(r io.Reader) error { return s.addFile(ctx, p, u, r) }); err != nil {
			return err
		}
	}
	return nil
}
