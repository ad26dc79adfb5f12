package mailclient_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"restante/internal/demo"
	"restante/mailclient"
	"restante/mailclient/message"
)

// noise is n random bytes, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

func base64Lines(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for line := range slices.Chunk([]byte(s), 76) {
		out.Write(line)
		out.WriteString("\r\n")
	}
	return out.String()
}

// withFile is a mail with a file of those bytes.
func withFile(body []byte) string {
	return crlf("From: a@x.test\nSubject: file\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nsee file\n--b\n"+
		"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.bin\nContent-Transfer-Encoding: base64\n\n") + base64Lines(body) + "--b--\r\n"
}

func (g *ground) open(t *testing.T, row mailclient.Row) *mailclient.Open {
	t.Helper()
	o, err := g.Open(t.Context(), row.Mailbox, row.UIDValidity, row.UID)
	ok(t, err)
	return o
}

func TestF5_PartsComeByteForByte(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		for _, n := range []int{0, 1, 2, 3, 57, 1000, 191_520, 1_000_003} {
			g.talk.Append("INBOX", "", withFile(noise(n)))
			row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
			o := g.open(t, row)
			i := slices.IndexFunc(o.Message.Files, func(f message.File) bool { return f.Name == "Grüße.bin" })
			if i < 0 {
				t.Fatalf("%d: files %+v", n, o.Message.Files)
			}
			var got bytes.Buffer
			ok(t, g.Part(t.Context(), "INBOX", row.UIDValidity, row.UID, o.Message.Files[i].Section, &got))
			if !bytes.Equal(got.Bytes(), noise(n)) {
				t.Errorf("%d bytes: got %d others", n, got.Len())
			}
			for _, bad := range []string{"9", "", "1.1", "2!1", "HEADER", "1]"} {
				if err := g.Part(t.Context(), "INBOX", row.UIDValidity, row.UID, bad, io.Discard); err == nil {
					t.Errorf("section %q was found", bad)
				}
			}
		}
	})
}

func TestF16_TheSourceComesByteForByte(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		const window = 256 << 10
		head := "Subject: raw\r\nX-8bit: \xe4\xff\r\n\r\n"
		for _, n := range []int{100, window - 1, window, window + 1, 2 * window, 2*window + 1, 3 * window} {
			lines := (n - len(head) - 2) / 20
			mail := head + strings.Repeat("0123456789 \x80\xfe {7}\r\n", lines)
			mail += strings.Repeat("x", n-len(mail)-2) + "\r\n"
			g.talk.Append("INBOX", "", mail)
			row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
			if got := rawOf(t, g, "INBOX", row.UIDValidity, row.UID); string(got) != mail || len(got) != n {
				t.Errorf("%d bytes: got %d", n, len(got))
			}
		}
	})
}

func TestF1_OpeningDoesNotMarkAsRead(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 1)
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		o := g.open(t, row)
		ok(t, g.Part(t.Context(), "INBOX", row.UIDValidity, row.UID, "1", io.Discard))
		rawOf(t, g, "INBOX", row.UIDValidity, row.UID)
		if o.Flags.Seen || g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0].Flags.Seen {
			t.Error("it is read")
		}
		if len(o.Message.Blocks) != 1 || strings.TrimSpace(o.Message.Blocks[0].Text) != "text of mail 1" {
			t.Errorf("%+v", o.Message.Blocks)
		}
	})
}

func TestF13_AMailThatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.deliver(t, 1)
		ref := g.ref(t, "INBOX")
		for _, uid := range []uint32{999, 4_294_967_295} {
			if _, err := g.Open(t.Context(), "INBOX", ref.UIDValidity, uid); !errors.Is(err, mailclient.ErrGone) {
				t.Errorf("open: %v", err)
			}
			if err := g.Raw(t.Context(), "INBOX", ref.UIDValidity, uid, io.Discard); !errors.Is(err, mailclient.ErrGone) {
				t.Errorf("raw: %v", err)
			}
			if err := g.Part(t.Context(), "INBOX", ref.UIDValidity, uid, "1", io.Discard); !errors.Is(err, mailclient.ErrGone) {
				t.Errorf("part: %v", err)
			}
		}
	})
}

// told is what a person sees of a mail, in words.
func told(m *message.Message) string {
	var b strings.Builder
	for _, k := range m.Blocks {
		text := k.Text
		if k.Card != nil {
			text = fmt.Sprint(k.Card.Kind, k.Card.Fields)
		}
		fmt.Fprintf(&b, "block %d: %s\n", k.Kind, strings.Join(strings.Fields(text), " "))
	}
	for _, f := range m.Files {
		fmt.Fprintf(&b, "file %s: %s, %s, inline %v\n", f.Section, f.Name, f.Type, f.Inline)
	}
	return b.String()
}

// TestF2_BothWaysOfReadingSeeTheSame opens each sample mail part by part, and compares with reading its bytes.
func TestF2_BothWaysOfReadingSeeTheSame(t *testing.T) {
	source, err := demo.Start(t.Context(), demo.Options{Mail: true})
	ok(t, err)
	t.Cleanup(source.Close)
	address := source.Users()[0].Address
	var samples [][]byte
	for _, name := range source.Mailboxes(address) {
		samples = append(samples, source.Messages(address, name)...)
	}
	samples = slices.CompactFunc(samples, bytes.Equal)
	samples = samples[:min(len(samples), 150)]
	each(t, func(t *testing.T, g *ground) {
		for i, raw := range samples {
			if bytes.Contains(raw, []byte{0}) {
				continue
			}
			g.talk.Append("INBOX", "", string(raw))
			row := g.list(t, "INBOX", mailclient.ListQuery{PerPage: 1}).Rows[0]
			o := g.open(t, row)
			if got, want := told(o.Message), told(message.Read(raw)); got != want {
				t.Errorf("sample %d, %q:\npart by part:\n%sof its bytes:\n%s", i, row.Subject, got, want)
			}
			for _, f := range o.Message.Files {
				var b bytes.Buffer
				if err := g.Part(t.Context(), "INBOX", row.UIDValidity, row.UID, f.Section, &b); err != nil {
					t.Errorf("sample %d, %q: file %s: %v", i, row.Subject, f.Section, err)
				}
			}
		}
	})
}

func TestF_ASlowReaderHoldsNoConnection(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.talk.Append("INBOX", "", withFile(noise(2_000_000)))
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		ends := make(chan error, 3)
		var readers []*io.PipeReader
		for range 3 {
			r, w := io.Pipe()
			readers = append(readers, r)
			go func() { ends <- g.Raw(t.Context(), "INBOX", row.UIDValidity, row.UID, w) }()
			_, _ = r.Read(make([]byte, 10))
		}
		g.list(t, "INBOX", mailclient.ListQuery{})
		g.open(t, row)
		for _, r := range readers {
			_ = r.CloseWithError(errors.New("the browser has left"))
		}
		for range readers {
			if err := <-ends; err == nil {
				t.Error("a reader that left was not told of")
			}
		}
	})
}
