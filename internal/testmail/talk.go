package testmail

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const talkTime = 30 * time.Second

// Talk is an IMAP connection of the test's own, in plain words: what a test prepares or looks up with it does not
// depend on the client that is tested. Every failure ends the test.
type Talk struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	tag  int
}

// Talk signs a user in.
func (s *Server) Talk(t testing.TB, u User) *Talk {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.IMAP.String(), talkTime)
	if err != nil {
		t.Fatal(err)
	}
	k := &Talk{t: t, conn: conn, r: bufio.NewReader(conn)}
	t.Cleanup(k.Close)
	if _, err := k.line(); err != nil {
		t.Fatal("greeting: ", err)
	}
	k.Do(`LOGIN "%s" "%s"`, u.Address, u.Password)
	return k
}

// Close ends the connection. It may be called twice.
func (k *Talk) Close() { _ = k.conn.Close() }

// Do says a command, which must be answered by OK, and gives the untagged lines, literals in them.
func (k *Talk) Do(format string, args ...any) []string {
	k.t.Helper()
	lines, status := k.Try(format, args...)
	if !strings.HasPrefix(status, "OK") {
		k.t.Fatalf("%s: %s", fmt.Sprintf(format, args...), status)
	}
	return lines
}

// Try is Do for a command that may be refused; it gives the tagged answer too.
func (k *Talk) Try(format string, args ...any) (lines []string, status string) {
	k.t.Helper()
	tag := k.say(fmt.Sprintf(format, args...) + "\r\n")
	return k.answer(tag)
}

func (k *Talk) say(command string) (tag string) {
	k.t.Helper()
	k.tag++
	tag = "t" + strconv.Itoa(k.tag)
	_ = k.conn.SetDeadline(time.Now().Add(talkTime))
	if _, err := io.WriteString(k.conn, tag+" "+command); err != nil {
		k.t.Fatal(err)
	}
	return tag
}

func (k *Talk) answer(tag string) (lines []string, status string) {
	k.t.Helper()
	for {
		l, err := k.line()
		if err != nil {
			k.t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(l, tag+" "); ok {
			return lines, rest
		}
		lines = append(lines, l)
	}
}

// Append puts a mail into a mailbox, with flags such as `\Seen \Flagged`. The mailbox is written as on the wire.
func (k *Talk) Append(mailbox, flags, raw string) {
	k.t.Helper()
	k.append(mailbox, "("+flags+")", raw)
}

// AppendAt is Append with the time at which the mail is said to have arrived.
func (k *Talk) AppendAt(mailbox string, arrived time.Time, raw string) {
	k.t.Helper()
	k.append(mailbox, arrived.Format(`"02-Jan-2006 15:04:05 -0700"`), raw)
}

func (k *Talk) append(mailbox, with, raw string) {
	k.t.Helper()
	tag := k.say(fmt.Sprintf("APPEND %q %s {%d}\r\n", mailbox, with, len(raw)))
	if l, err := k.line(); err != nil || !strings.HasPrefix(l, "+") {
		k.t.Fatalf("append: %q, %v", l, err)
	}
	if _, err := io.WriteString(k.conn, raw+"\r\n"); err != nil {
		k.t.Fatal(err)
	}
	if _, status := k.answer(tag); !strings.HasPrefix(status, "OK") {
		k.t.Fatal("append: ", status)
	}
}

var fetchUID = regexp.MustCompile(`(?s)^\* \d+ FETCH \(.*?UID (\d+)`)
var fetchFlags = regexp.MustCompile(`FLAGS \(([^)]*)\)`)

// Flags selects a mailbox and gives the flags of each mail by its UID.
func (k *Talk) Flags(mailbox string) map[uint32]string {
	k.t.Helper()
	out := map[uint32]string{}
	k.Do("SELECT %q", mailbox)
	lines, _ := k.Try("UID FETCH 1:* (UID FLAGS)")
	for _, l := range lines {
		m := fetchUID.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		uid, _ := strconv.ParseUint(m[1], 10, 32)
		flags := ""
		if f := fetchFlags.FindStringSubmatch(l); f != nil {
			flags = f[1]
		}
		out[uint32(uid)] = flags
	}
	return out
}

// Count is how many mails a mailbox has.
func (k *Talk) Count(mailbox string) int {
	k.t.Helper()
	for _, l := range k.Do("STATUS %q (MESSAGES)", mailbox) {
		if _, rest, ok := strings.Cut(l, "MESSAGES "); ok {
			n, _ := strconv.Atoi(strings.TrimRight(rest, ") "))
			return n
		}
	}
	k.t.Fatal("no STATUS")
	return 0
}

// line reads a line with its literals.
func (k *Talk) line() (string, error) {
	_ = k.conn.SetReadDeadline(time.Now().Add(talkTime))
	var b strings.Builder
	for {
		s, err := k.r.ReadString('\n')
		if err != nil {
			return "", err
		}
		s = strings.TrimRight(s, "\r\n")
		b.WriteString(s)
		i := strings.LastIndexByte(s, '{')
		if i < 0 || !strings.HasSuffix(s, "}") {
			return b.String(), nil
		}
		n, err := strconv.Atoi(strings.TrimSuffix(s[i+1:len(s)-1], "+"))
		if err != nil {
			return b.String(), nil
		}
		b.WriteString("\r\n")
		if _, err := io.CopyN(&b, k.r, int64(n)); err != nil {
			return "", err
		}
	}
}

// greets says whether an IMAP server is ready to talk.
func greets(a Address) error {
	c, err := net.DialTimeout("tcp", a.String(), time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	l, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(l, "* OK") {
		err = errors.New(l)
	}
	return err
}

// capabilities are the server's after sign-in.
func capabilities(a Address) (string, error) {
	c, err := net.DialTimeout("tcp", a.String(), time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(c, "a LOGIN capabilities %s\r\n", Password); err != nil {
		return "", err
	}
	r := bufio.NewReader(c)
	for asked := false; ; {
		l, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(l, "a ") && !asked {
			asked = true
			if _, err := io.WriteString(c, "b CAPABILITY\r\n"); err != nil {
				return "", err
			}
		}
		if list, ok := strings.CutPrefix(l, "* CAPABILITY "); ok && asked {
			return strings.TrimSpace(list), nil
		}
	}
}
