package handlers

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

// importFiles puts mails that are uploaded as files into a folder, one by one as they come: no file is whole in memory.
func (s *Server) importFiles(w http.ResponseWriter, r *http.Request, p *person) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	mr, err := r.MultipartReader()
	if err != nil {
		return wrap(err, http.StatusBadRequest, "error.form")
	}
	boxes, err := p.Mail.Mailboxes(r.Context())
	if err != nil {
		return err
	}
	values := url.Values{}
	var got filesTaken
	err = readFields(mr, values, formLimits{bytes: 1 << 20, fields: 100}, func(part *multipart.Part) error {
		mailbox := cmp.Or(values.Get("mailbox"), "INBOX")
		if !hasMailbox(boxes, mailbox) {
			return mailclient.ErrNoMailbox
		}
		if _, err := p.Mail.Spot(r.Context(), mailbox); err != nil {
			return err
		}
		return eachMail(part, func(in io.Reader) error {
			err := s.importFile(r.Context(), p, mailbox, in)
			var no *mailclient.RefusedError
			switch {
			case errors.Is(err, errThere):
				got.there++
			case errors.Is(err, errNoMail):
				got.fail(p.L.T("imports.nomail", "File", part.FileName()))
			case errors.As(err, &no):
				got.fail(p.L.T("imports.notaken", "File", part.FileName(), "Text", no.Text))
			case err != nil:
				return err
			default:
				got.taken++
			}
			_, err = io.Copy(io.Discard, in)
			return err
		})
	})
	if got.taken > 0 {
		s.hub.tell(p.User.ID, "mail")
	}
	if got.taken+got.there+got.failed > 0 { // also when the rest could not be
		words := []string{p.L.T("imports.files.done", "N", got.taken)}
		if got.there > 0 {
			words = append(words, p.L.T("imports.files.there", "N", got.there))
		}
		s.putFlash(r, flash{Words: strings.Join(append(words, got.words...), " "), Failed: got.failed > 0})
	} else if err == nil {
		s.putFlash(r, flash{Words: p.L.T("imports.nofiles"), Failed: true})
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/imports")
}

// filesTaken is what came of files: how many mails were taken, were there already and were not taken, and words for the
// first of the last.
type filesTaken struct {
	taken, there, failed int
	words                []string
}

func (f *filesTaken) fail(words string) {
	if f.failed++; f.failed <= 3 {
		f.words = append(f.words, words)
	}
}

var (
	errNoMail = errors.New("no mail")
	errThere  = errors.New("the folder has this mail")
)

// importFile puts one mail into a folder, under the date that it bears. Its line ends are made those of mail. errThere: a
// file of one mail that the folder has, byte for byte. Those of a file of many are not looked for, which would take long.
func (s *Server) importFile(ctx context.Context, p *person, mailbox string, in io.Reader) error {
	b := bufio.NewReaderSize(in, 64<<10)
	head, _ := b.Peek(64 << 10)
	h := message.ReadHeader(head)
	if len(h.From()) == 0 && h.Get("Received") == "" && h.Get("Date") == "" {
		return errNoMail
	}
	spool, err := os.CreateTemp("", "restante-mail-")
	if err != nil {
		return err
	}
	defer func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}()
	size, err := copyLines(spool, b)
	if err != nil {
		return err
	}
	if _, many := in.(*mbox); !many && p.hasMail(ctx, mailbox, h.MessageID(), spool) {
		return errThere
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	date := h.Date()
	if date.Year() < 1980 || date.After(s.now().Add(time.Hour)) {
		date = s.now()
	}
	_, _, err = p.Mail.Append(ctx, mailbox, []string{`\Seen`}, date, size, spool)
	return err
}

// hasMail says whether a folder surely has the mail that lies in a file, with this Message-ID.
func (p *person) hasMail(ctx context.Context, mailbox, id string, file io.ReadSeeker) bool {
	if id == "" {
		return false
	}
	ref, err := p.Mail.FindByMessageID(ctx, mailbox, id)
	if err != nil || len(ref.UIDs) == 0 {
		return false
	}
	want, got := sha256.New(), sha256.New()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false
	}
	if _, err := io.Copy(want, file); err != nil {
		return false
	}
	for _, uid := range ref.UIDs {
		got.Reset()
		if p.Mail.Raw(ctx, mailbox, ref.UIDValidity, uid, got) == nil && bytes.Equal(got.Sum(nil), want.Sum(nil)) {
			return true
		}
	}
	return false
}

// copyLines copies a mail with CRLF at the end of each line and without NUL, and gives its size.
func copyLines(to io.Writer, from io.Reader) (size int64, err error) {
	out := bufio.NewWriterSize(to, 64<<10)
	in := bufio.NewReader(from)
	last := byte(0)
	put := func(c byte) {
		size++
		_ = out.WriteByte(c) // the error stays, and Flush gives it
	}
	for {
		c, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return size, err
		}
		switch {
		case c == 0:
		case c == '\n' && last == '\r':
		case c == '\n' || c == '\r':
			put('\r')
			put('\n')
		default:
			put(c)
		}
		last = c
	}
	return size, out.Flush()
}
