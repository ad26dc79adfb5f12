package imapx

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// scripted is a server on a pipe that answers a few commands, and utters lines amid them.
type scripted struct {
	greeting string
	odd      string // said in the middle of every command
	caps     string

	end    string // of every command, or of endOf alone, with TAG for its tag; "" is OK
	endOf  string
	pieces bool // what it says comes octet by octet
}

func (s scripted) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	caps := s.caps
	if caps == "" {
		caps = "IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS MOVE IDLE LITERAL+"
	}
	greeting := s.greeting
	if greeting == "" {
		greeting = "* OK [CAPABILITY " + caps + "] ready\r\n"
	}
	if _, err := conn.Write([]byte(greeting)); err != nil {
		return
	}
	br := bufio.NewReader(conn)
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		tag, cmd := f[0], strings.ToUpper(f[1])
		if cmd == "UID" && len(f) > 2 {
			cmd = strings.ToUpper(f[2])
		}
		out := ""
		switch cmd {
		case "CAPABILITY":
			out = "* CAPABILITY " + caps + "\r\n"
		case "SELECT":
			out = "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" + s.odd
		case "FETCH":
			out = "* 1 FETCH (UID 9 FLAGS (\\Seen) BODY[HEADER] {6}\r\nA: b\r\n)\r\n" + s.odd + "* 2 FETCH (UID 10 FLAGS ())\r\n"
		case "STORE", "NOOP":
			out = s.odd
		case "AUTHENTICATE":
			out = ""
		}
		end := "TAG OK done"
		if s.end != "" && cmd != "AUTHENTICATE" && (s.endOf == "" || s.endOf == cmd) {
			end = s.end
		}
		if !s.say(conn, out+strings.ReplaceAll(end, "TAG", tag)+"\r\n") {
			return
		}
	}
}

func (s scripted) say(conn net.Conn, words string) bool {
	step := len(words)
	if s.pieces {
		step = 1
	}
	for some := range slices.Chunk([]byte(words), step) {
		if _, err := conn.Write(some); err != nil {
			return false
		}
	}
	return true
}

func dialScripted(t testing.TB, s scripted) (*Conn, error) {
	t.Helper()
	client, server := net.Pipe()
	go s.serve(server)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return Dial(ctx, Options{
		Host: "mail.test", Port: 143, Security: "plain", Username: "u", Password: "p",
		Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
	})
}

// session runs SELECT, FETCH and a STORE of go-imap, then three more commands.
func session(t testing.TB, c *Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	sel, fetch := Cmd("SELECT", Str("INBOX")), Cmd("UID FETCH", "9:10", "(FLAGS BODY.PEEK[HEADER])")
	if err := c.Do(ctx, sel, fetch); err != nil {
		t.Fatalf("select and fetch: %v", err)
	}
	got := map[uint32]Fetch{}
	for _, r := range fetch.Data {
		if f := ParseFetch(r); r.Type == "FETCH" && f.UID != 0 {
			got[f.UID] = f
		}
	}
	if string(got[9].Header) != "A: b\r\n" || !got[10].HasFlags {
		t.Errorf("fetched %v", got)
	}
	err := c.With(ctx, "STORE", 0, func(cl *imapclient.Client) error {
		return cl.Store(imap.UIDSetNum(9), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	})
	if err != nil {
		t.Fatalf("store: %v", err)
	}
	for range 3 {
		noop := Cmd("NOOP")
		if err := c.Do(ctx, noop); err != nil || noop.Status != "OK" {
			t.Fatalf("noop: %v %q", err, noop.Status)
		}
	}
}

// TestO_OddLines utters each line of PROTOCOLS O amid a session, which must go on.
func TestO_OddLines(t *testing.T) {
	lines := []string{
		"* OK", "* ok", "* OK [CAPABILITY IMAP4rev1", "* CAPABILITY", "* CAPABILITY IMAP4rev1 IMAP4rev1 AUTH=", "* OK [] text", "* OK [ ALERT] x",
		`* OK [UNKNOWN-CODE foo (bar "]") ] text`, `* OK [PERMANENTFLAGS (\Answered \*]`, "* OK [PERMANENTFLAGS NIL]", "* OK [UIDVALIDITY 4294967296] x",
		"* OK [UIDNEXT 0]", "* OK [HIGHESTMODSEQ 18446744073709551615]", "* OK [COPYUID 1  ]", "* OK [COPYUID 38505 304,319:320 3956:3958]", "* OK [APPENDUID 1 7] x",
		"* NO [ALERT] Mailbox is at 95 %", "* BAD internal", "A99 OK", "T99 OK", "+", "+ idling", "+OK", "* OK Still here", "* 12 EXISTS ", "* 12 exists", "* EXISTS 12",
		"* RECENT", "* FLAGS (\\Answered NonJunk $Label 1)", "* FLAGS NIL", `* FLAGS (\Seen \\Flagged "Junk" [x])`, "* 3 EXPUNGE", "* 0 EXPUNGE", "* 99999 EXPUNGE",
		"* VANISHED 1:5,9", "* VANISHED (EARLIER) 41,43:116", `* 5 FETCH (FLAGS (\Seen))`, "* 5 FETCH ()", "* 5 FETCH (UID 19 )", `* 5 FETCH UID 19 FLAGS (\Seen)`,
		`* 5 FETCH (UID 19 X-GM-LABELS (\Inbox "a b") X-GM-MSGID 1278)`, `* 5 FETCH (UID 19 PREVIEW "x" EMAILID (M1) THREADID NIL SAVEDATE NIL)`, "* 5 FETCH (UID 19 MODSEQ (0))",
		"* 5 FETCH (UID 19 RFC822.SIZE -1)", `* 5 FETCH (UID 19 INTERNALDATE "00-Jan-0000 00:00:00 +0000")`, "* 5 FETCH (UID 19 ENVELOPE NIL)", `* 5 FETCH (UID 19 ENVELOPE ("a "b" c"))`,
		"* 5 FETCH (UID 19 BODYSTRUCTURE NIL)", "* 5 FETCH (UID 19 BODYSTRUCTURE " + strings.Repeat("(", 600) + ")", "* 5 FETCH (UID 19 BODY[1] {3}\r\na\x00b)", "* 5 FETCH (UID 19 BODY[1] ~{3+}\r\nabc)",
		"* 5 FETCH (UID 19 BODY[1] {}", "* STATUS INBOX (MESSAGES 3 UNSEEN )", "* STATUS Foo Bar MESSAGES -3", "* SEARCH 1 2 0 2 abc", "* SEARCH", `* ESEARCH (TAG "A5") UID`, "* THREAD (())",
		"* NAMESPACE NIL NIL NIL", `* QUOTA "ROOT"`, `* QUOTA "" (STORAGE 5 -1)`, "* ID NIL", "* ENABLED", "* XFOO bar", "* 5 XFOO", "* \x00\x01\xff", "*", "rubbish", "Error: mysql gone away", "",
		`* LIST "/" INBOX`, "* LSUB () NIL x", "* OK [CLOSED] x", `* OK [INPROGRESS ("A1" 4 100)] x`, "* 5 FETCH (UID 19 BODYSTRUCTURE (\"message\" \"global\" NIL NIL NIL NIL NIL))",
	}
	for _, end := range []string{"\r\n", "\n"} {
		for _, l := range lines {
			t.Run(fmt.Sprintf("%.40q", l+end), func(t *testing.T) {
				c, err := dialScripted(t, scripted{odd: l + end})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				session(t, c)
			})
		}
	}
}

// TestC4_Greetings connects to servers whose first line is odd or says no.
func TestC4_Greetings(t *testing.T) {
	for _, tc := range []struct {
		greeting string
		kind     ConnectKind // "" = connects
	}{
		{"* OK\r\n", ""}, {"\r\n\r\n* ok hello\r\n", ""}, {"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", ""}, {"* PREAUTH hi\r\n", ""},
		{"220-mail.example ESMTP\r\n", WrongProtocol}, {"HTTP/1.1 400 Bad Request\r\n\r\n", WrongProtocol}, {"* BYE [UNAVAILABLE] later\r\n", Bye},
		{strings.Repeat("x", 2<<20), Unreachable},
	} {
		t.Run(fmt.Sprintf("%.30q", tc.greeting), func(t *testing.T) {
			c, err := dialScripted(t, scripted{greeting: tc.greeting})
			if tc.kind == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				session(t, c)
				return
			}
			e, ok := err.(*ConnectError)
			if !ok || e.Kind != tc.kind {
				t.Errorf("got %v, want kind %s", err, tc.kind)
			}
		})
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("* 1 FETCH (UID 9 BODY[1] {3}\r\nabc)\r\n"))
	f.Add([]byte("* LIST (\\Noselect) \"/\" \"a b\"\r\nT1 OK x\r\n"))
	f.Add([]byte("* 5 FETCH (BODYSTRUCTURE ((((\"a\" \"b\"))))\r\n+ \r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &reader{br: bufio.NewReader(strings.NewReader(string(b)))}
		for {
			segs, err := r.response()
			if err != nil {
				return
			}
			p, ok := parse(segs)
			if !ok {
				continue
			}
			ParseFetch(p)
			ParseList(p)
			ParseStatus(p)
			_ = repaired(p)
		}
	})
}

func TestM9_NamesRoundTrip(t *testing.T) {
	for _, s := range []string{"INBOX", "Entwürfe", "a&b", "日本語/受信", "😀", `q"\ % ~`, "&", "é́"} {
		raw := EncodeName(s)
		got, err := DecodeName(raw)
		if err != nil || got != s {
			t.Errorf("%q -> %q -> %q, %v", s, raw, got, err)
		}
	}
	for _, bad := range []string{"a&b", "ä", "&AAA=-", "&2D0-"} {
		if got, err := DecodeName(bad); err == nil {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}

// TestO_AnAnswerWithoutEndIsCut before it takes the memory: many short lines weigh more than one long one.
func TestO_AnAnswerWithoutEndIsCut(t *testing.T) {
	for name, odd := range map[string]string{
		"short lines": strings.Repeat("* 1 EXISTS\r\n", 200_000),
		"lists":       strings.Repeat("* LIST () NIL ("+strings.Repeat("a ", 5000)+"a)\r\n", 400),
	} {
		c, err := dialScripted(t, scripted{odd: odd})
		if err != nil {
			t.Fatal(err)
		}
		noop := Cmd("NOOP")
		held := 0
		err = c.Do(t.Context(), noop)
		for _, r := range noop.Data {
			held += r.weight()
		}
		if err == nil || held > maxAnswer {
			t.Errorf("%s: %v; %d responses that weigh %d are held", name, err, len(noop.Data), held)
		}
		c.Close()
	}
}
