package handlers

import (
	"bufio"
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

const maxMailFiles = 1000

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
	taken, failed := 0, []string{}
	err = readFields(mr, values, formLimits{bytes: 1 << 20, fields: 100}, func(part *multipart.Part) error {
		if part.FileName() == "" || taken+len(failed) >= maxMailFiles {
			_, err := io.Copy(io.Discard, part)
			return err
		}
		mailbox := values.Get("mailbox")
		if mailbox == "" {
			mailbox = "INBOX"
		}
		if !hasMailbox(boxes, mailbox) {
			return mailclient.ErrNoMailbox
		}
		err := s.importFile(r.Context(), p, mailbox, part)
		var no *mailclient.RefusedError
		switch {
		case errors.Is(err, errNoMail):
			failed = append(failed, p.L.T("imports.nomail", "File", part.FileName()))
		case errors.As(err, &no):
			failed = append(failed, p.L.T("imports.notaken", "File", part.FileName(), "Text", no.Text))
		case err != nil:
			return err
		default:
			taken++
		}
		_, err = io.Copy(io.Discard, part)
		return err
	})
	if err != nil {
		return err
	}
	s.hub.tell(p.User.ID, "mail")
	done := flash{Words: p.L.T("imports.files.done", "N", taken), Failed: len(failed) > 0}
	if len(failed) > 0 {
		done.Words += " " + strings.Join(failed[:min(3, len(failed))], " ")
	}
	if taken == 0 && len(failed) == 0 {
		done = flash{Words: p.L.T("imports.nofiles"), Failed: true}
	}
	s.putFlash(r, done)
	return seeOther(w, r, "/imports")
}

func hasMailbox(boxes []mailclient.Mailbox, name string) bool {
	for _, b := range boxes {
		if b.Name == name && b.Selectable {
			return true
		}
	}
	return false
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
