package handlers

import (
	"bufio"
	"cmp"
	"context"
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
		return eachMail(part, func(in io.Reader) error {
			err := s.importFile(r.Context(), p, mailbox, in)
			var no *mailclient.RefusedError
			switch {
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
	if got.taken+got.failed > 0 { // also when the rest could not be
		s.putFlash(r, flash{Words: strings.Join(append([]string{p.L.T("imports.files.done", "N", got.taken)}, got.words...), " "), Failed: got.failed > 0})
	} else if err == nil {
		s.putFlash(r, flash{Words: p.L.T("imports.nofiles"), Failed: true})
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/imports")
}

// filesTaken is what came of files: how many mails were taken and how many were not, and words for the first of those.
type filesTaken struct {
	taken, failed int
	words         []string
}

func (f *filesTaken) fail(words string) {
	if f.failed++; f.failed <= 3 {
		f.words = append(f.words, words)
	}
}

// errNoMail is a file that is no mail.
var errNoMail = errors.New("no mail")

// importFile puts one mail into a folder, under the date that it bears. Its line ends are made those of mail.
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
