package index

import (
	"context"
	"io"

	"restante/mailclient"
)

// maxFile is how many bytes a file of a mail may have that is kept once it was opened: inline pictures, and small ones.
const maxFile = 2 << 20

// fileName is the name under which a file is kept: no mailbox has a line break in its name.
func fileName(mailbox, section string) string { return mailbox + "\n" + section }

// PartFile is the session's, or the file as it was kept: it cannot change.
func (m *Mail) PartFile(ctx context.Context, mailbox string, validity, uid uint32, section string) (*mailclient.PartFile, error) {
	if body := m.keptFile(ctx, mailbox, validity, uid, section); body != nil {
		return mailclient.FileOf(body), nil
	}
	file, err := m.Session.PartFile(ctx, mailbox, validity, uid, section)
	if err == nil {
		file.Keep(maxFile, func(body []byte) { m.keepFile(mailbox, validity, uid, section, body) })
	}
	return file, err
}

// Part is the session's, or writes the file as it was kept.
func (m *Mail) Part(ctx context.Context, mailbox string, validity, uid uint32, section string, w io.Writer) error {
	if body := m.keptFile(ctx, mailbox, validity, uid, section); body != nil {
		_, err := w.Write(body)
		return err
	}
	c := &mailclient.Copy{Most: maxFile}
	err := m.Session.Part(ctx, mailbox, validity, uid, section, io.MultiWriter(w, c))
	if err == nil && !c.Over {
		m.keepFile(mailbox, validity, uid, section, c.Bytes())
	}
	return err
}

// keptFile is a file as it was kept, nil where it was not.
func (m *Mail) keptFile(ctx context.Context, mailbox string, validity, uid uint32, section string) []byte {
	if validity == 0 {
		return nil
	}
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return nil
	}
	defer done()
	body, err := f.readKept(ctx, fileName(mailbox, section), validity, uid)
	m.ix.spoilt(f, err)
	return body
}

// keepFile writes a file down behind that was just fetched.
func (m *Mail) keepFile(mailbox string, validity, uid uint32, section string, body []byte) {
	if validity == 0 || len(body) == 0 {
		return
	}
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return
	}
	defer done()
	m.ix.behind(f, func(ctx context.Context) {
		m.ix.spoilt(f, f.keep(ctx, fileName(mailbox, section), validity, uid, body))
	})
}
