package compose

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestAMailIsSentOnAsItCame(t *testing.T) {
	d := Draft{From: Address{"Anna", "anna@x.test"}, To: []Address{{"Ben Ö", "ben@x.test"}}, MessageID: "r@x.test", Date: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	const want = "Resent-Date: Wed, 04 Mar 2026 05:06:07 +0000\r\nResent-From: \"Anna\" <anna@x.test>\r\nResent-To: =?utf-8?q?Ben_=C3=96?= <ben@x.test>\r\nResent-Message-Id: <r@x.test>\r\n"
	for _, c := range []struct{ raw, want string }{
		{"Subject: a\r\nFrom: m@x\r\n\r\nText\r\n", "Subject: a\r\nFrom: m@x\r\n\r\nText\r\n"},
		{"From m@x Wed\nReturn-Path: <m@x>\nDelivered-To: anna\n folded\nDKIM-Signature: a\n b\nBcc: c@x\n\nLine\n\n\nend", "DKIM-Signature: a\r\n b\r\n\r\nLine\r\n\r\n\r\nend\r\n"},
		{"Subject: bare\r\rCR", "Subject: bare\r\n\r\nCR\r\n"},
		{"Subject: no body\r\n", "Subject: no body\r\n"},
		{"\r\nBcc: in the text\r\n", "\r\nBcc: in the text\r\n"},
	} {
		for _, piece := range []int{1, 3, 1000} {
			d.Original = func(w io.Writer) error {
				for rest := c.raw; rest != ""; {
					n := min(piece, len(rest))
					if _, err := io.WriteString(w, rest[:n]); err != nil {
						return err
					}
					rest = rest[n:]
				}
				return nil
			}
			var b bytes.Buffer
			if err := Write(&b, d); err != nil {
				t.Fatal(err)
			}
			if got, _ := strings.CutPrefix(b.String(), want); got != c.want {
				t.Errorf("%q goes on as %q", c.raw, b.String())
			}
		}
	}
	d.Original = func(w io.Writer) error {
		for range 3 {
			if _, err := w.Write(bytes.Repeat([]byte("x"), maxHead/2)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := Write(io.Discard, d); err == nil {
		t.Error("a header without end is sent on")
	}
}
