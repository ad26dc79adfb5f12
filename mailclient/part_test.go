package mailclient_test

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"

	"restante/mailclient"
	"restante/mailclient/message"
)

// encoded is a mail with a file as it stands in the mail.
func encoded(encoding, body string) string {
	return crlf("From: a@x.test\nSubject: file\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nsee file\n--b\n"+
		"Content-Type: application/octet-stream; name=file.bin\nContent-Disposition: attachment\nContent-Transfer-Encoding: "+encoding+"\n\n") + body + "\r\n--b--\r\n"
}

func quoted(b []byte) string {
	var out strings.Builder
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.String()
}

// section is where the file of a mail is.
func section(t *testing.T, o *mailclient.Open) string {
	t.Helper()
	i := slices.IndexFunc(o.Message.Files, func(f message.File) bool { return f.Name == "file.bin" })
	if i < 0 {
		t.Fatalf("files %+v", o.Message.Files)
	}
	return o.Message.Files[i].Section
}

func TestF5_AFileIsReadFromAnywhere(t *testing.T) {
	long := noise(1_500_000)
	text := []byte(strings.Repeat("Grüße aus dem All, 100 % wahr.\r\n", 30_000))
	each(t, func(t *testing.T, g *ground) {
		for _, c := range []struct {
			name, mail string
			want       []byte
			sized      bool
		}{
			{"base64", encoded("base64", strings.TrimSuffix(base64Lines(long), "\r\n")), long, true},
			{"base64 with an empty line behind", encoded("BASE64", base64Lines(long[:100_000])), long[:100_000], true},
			{"small base64", encoded("base64", "QUJDREVGRw=="), []byte("ABCDEFG"), true},
			{"nothing", encoded("base64", ""), nil, true},
			{"8bit", encoded("8bit", string(text)), text, true},
			{"quoted-printable", encoded("quoted-printable", quoted(text)), text, false},
			{"base64 of two pieces", encoded("base64", base64Lines(long[:100_001])+strings.TrimSuffix(base64Lines(long[100_001:200_000]), "\r\n")), long[:200_000], false},
		} {
			g.talk.Append("INBOX", "", c.mail)
			row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
			f, err := g.PartFile(t.Context(), "INBOX", row.UIDValidity, row.UID, section(t, g.open(t, row)))
			ok(t, err)
			if c.sized && f.Size != int64(len(c.want)) || !c.sized && f.Size != -1 {
				t.Errorf("%s: size %d, not %d", c.name, f.Size, len(c.want))
			}
			if n := min(512, len(c.want)); len(f.Head) < n || !bytes.Equal(f.Head[:n], c.want[:n]) {
				t.Errorf("%s: it begins with %.40q", c.name, f.Head)
			}
			offsets := []int{0}
			if c.sized {
				offsets = []int{0, 1, 56, 57, 58, 1000, len(c.want) / 2, len(c.want) - 1, len(c.want)}
			}
			for _, off := range offsets {
				if off < 0 || off > len(c.want) {
					continue
				}
				var got bytes.Buffer
				ok(t, f.WriteFrom(t.Context(), int64(off), &got))
				if !bytes.Equal(got.Bytes(), c.want[off:]) {
					t.Errorf("%s from %d: %d bytes of %d", c.name, off, got.Len(), len(c.want)-off)
				}
			}
		}
	})
}

func TestALateByteIsReadWithoutThoseBeforeIt(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		body := noise(3_000_000)
		g.talk.Append("INBOX", "", encoded("base64", base64Lines(body)))
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		f, err := g.PartFile(t.Context(), "INBOX", row.UIDValidity, row.UID, section(t, g.open(t, row)))
		ok(t, err)
		g.tap.Forget()
		var got bytes.Buffer
		ok(t, f.WriteFrom(t.Context(), 2_900_000, &got))
		if !bytes.Equal(got.Bytes(), body[2_900_000:]) || g.tap.Heard() > 300_000 {
			t.Errorf("%d bytes, for %d from the server", got.Len(), g.tap.Heard())
		}
	})
}

// TestAnUnevenFileFailsOnceAndThenComesWhole: what was promised cannot be kept, and is not promised again.
func TestAnUnevenFileFailsOnceAndThenComesWhole(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		body := noise(570_000)
		lines := base64Lines(body)
		const at, upTo = 5000 * 78, 5004 * 78 // as many octets in two lines, and three bytes more
		four := strings.ReplaceAll(lines[at:upTo], "\r\n", "")
		g.talk.Append("INBOX", "", encoded("base64", lines[:at]+four[:152]+"\r\nQUJD"+four[152:]+"\r\n"+lines[upTo:]))
		body = slices.Concat(body[:5002*57], []byte("ABC"), body[5002*57:])
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		in := section(t, g.open(t, row))
		f, err := g.PartFile(t.Context(), "INBOX", row.UIDValidity, row.UID, in)
		ok(t, err)
		if err := f.WriteFrom(t.Context(), 0, io.Discard); f.Size < 0 || err == nil {
			t.Fatalf("size %d, %v", f.Size, err)
		}
		f, err = g.PartFile(t.Context(), "INBOX", row.UIDValidity, row.UID, in)
		ok(t, err)
		var got bytes.Buffer
		ok(t, f.WriteFrom(t.Context(), 0, &got))
		if f.Size != -1 || !bytes.Equal(got.Bytes(), body) {
			t.Errorf("size %d, %d bytes of %d", f.Size, got.Len(), len(body))
		}
	})
}

// TestTextBehindAFileDoesNotSpoilIt: lists put their footer behind a base64 part, however long.
func TestTextBehindAFileDoesNotSpoilIt(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		body := noise(1001)
		g.talk.Append("INBOX", "", encoded("base64", base64Lines(body)+strings.Repeat("_______________________\r\nThe list has a footer\r\n", 50_000)))
		row := g.list(t, "INBOX", mailclient.ListQuery{}).Rows[0]
		var got bytes.Buffer
		ok(t, g.Part(t.Context(), "INBOX", row.UIDValidity, row.UID, section(t, g.open(t, row)), &got))
		if !bytes.Equal(got.Bytes(), body) {
			t.Errorf("%d bytes of %d", got.Len(), len(body))
		}
	})
}
