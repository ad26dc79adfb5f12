package compose_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"restante/mailclient/compose"
)

// TestAMailIsDatedAnew and nothing else of it changes, its size least of all; what looks like a date in its text is text.
func TestAMailIsDatedAnew(t *testing.T) {
	was, now := time.Date(2027, 3, 29, 8, 0, 0, 0, time.FixedZone("", 7200)), time.Date(2026, 12, 1, 23, 59, 58, 0, time.UTC)
	var before, after bytes.Buffer
	d := compose.Draft{From: compose.Address{Addr: "a@x.test"}, To: []compose.Address{{Addr: "b@x.test"}}, Subject: "Date", MessageID: "1@x.test", Date: was,
		Text: "Date: Mon, 29 Mar 2027 08:00:00 +0200\n" + strings.Repeat("long ", 2000)}
	if err := compose.Write(&before, d); err != nil {
		t.Fatal(err)
	}
	if err := compose.Redate(&after, bytes.NewReader(before.Bytes()), now); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(before.String(), "\r\nDate: Mon, 29 Mar 2027 08:00:00 +0200\r\n", "\r\nDate: Tue, 01 Dec 2026 23:59:58 +0000\r\n", 1)
	if after.String() != want || want == before.String() {
		t.Errorf("%s", after.String())
	}
	for _, s := range []string{"", "Subject: x\r\n", "Subject: x\r\n\r\nDate: Mon, 29 Mar 2027 08:00:00 +0200\r\n"} {
		after.Reset()
		if err := compose.Redate(&after, strings.NewReader(s), now); after.String() != s || (err == nil) != strings.Contains(s, "\r\n\r\n") {
			t.Errorf("%q became %q, %v", s, after.String(), err)
		}
	}
	const came = "Message-ID: <o@x.test>\r\nDate: Mon, 02 Nov 2026 08:00:00 +0100\r\n\r\nx\r\n" // and what was sent on keeps its own
	after.Reset()
	if err := compose.Redate(&after, strings.NewReader("Resent-Date: Mon, 29 Mar 2027 08:00:00 +0200\r\n"+came), now); err != nil || after.String() != "Resent-Date: Tue, 01 Dec 2026 23:59:58 +0000\r\n"+came {
		t.Errorf("%q, %v", after.String(), err)
	}
}
