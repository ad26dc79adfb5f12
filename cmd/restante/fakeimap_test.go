package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"restante/internal/testmail"
)

// fault is what a broken IMAP server does with a command, once it is told to.
type fault func(c net.Conn, tag string) (goOn bool)

func says(format string) fault {
	return func(c net.Conn, tag string) bool {
		_, err := io.WriteString(c, strings.ReplaceAll(format, "TAG", tag))
		return err == nil
	}
}

func then(first fault, goOn bool) fault {
	return func(c net.Conn, tag string) bool { first(c, tag); return goOn }
}

// faults are the broken servers of a bad day.
var faults = map[string]fault{
	"says BYE":              then(says("* BYE the disk is full\r\n"), false),
	"says NO":               says("TAG NO [UNAVAILABLE] not now\r\n"),
	"says BAD":              says("TAG BAD what is this\r\n"),
	"says nothing":          says(""),
	"hangs up":              func(net.Conn, string) bool { return false },
	"sends a gigabyte":      endless("* 1 FETCH (UID 1 BODY[] {1073741824}\r\n", strings.Repeat("x", 64<<10)),
	"sends lines for ever":  endless("", strings.Repeat("* 1 FETCH (FLAGS (\\Seen))\r\n", 2000)),
	"sends a line for ever": endless("* OK ", strings.Repeat("y", 64<<10)),
	"sends garbage":         then(says("\x00\x01\xff(((({99999999999999999999}\r\n\r\n* ( ) NIL {\r\nTAG\r\n"), false),
	"answers another tag":   says("XYZ99 OK done\r\n"),
	"counts beyond numbers": says("* 99999999999999999999 EXISTS\r\n* LIST (\\Nosuch) NIL\r\n* STATUS\r\nTAG OK done\r\n"),
}

func endless(start, more string) fault {
	return func(c net.Conn, _ string) bool {
		_, err := io.WriteString(c, start)
		for err == nil {
			_, err = io.WriteString(c, more)
		}
		return false
	}
}

// fakeIMAP is a server with an empty INBOX that keeps its word until it is told to break it.
type fakeIMAP struct {
	at    testmail.Address
	broke atomic.Pointer[fault]
	mute  atomic.Pointer[[]string] // commands that it hears in silence
	not   atomic.Pointer[string]   // a password that it takes no more
}

func newFakeIMAP(t testing.TB) *fakeIMAP {
	t.Helper()
	f := &fakeIMAP{}
	f.at = testmail.Listen(t, f.serve)
	return f
}

// mail is the server as the harness knows servers; nothing is sent through it.
func (f *fakeIMAP) mail() *testmail.Server {
	return &testmail.Server{Kind: "fake", Domain: "fake.test", IMAP: f.at, Submission: testmail.Address{Host: "127.0.0.1", Port: 1}}
}

func (f *fakeIMAP) breakWith(x fault) { f.broke.Store(&x) }

// breakAt makes the server fall silent at commands with one of these words.
func (f *fakeIMAP) breakAt(words ...string) { f.mute.Store(&words) }

func (f *fakeIMAP) silentAt(command string) bool {
	words := f.mute.Load()
	return words != nil && slices.ContainsFunc(*words, func(w string) bool { return slices.Contains(strings.Fields(strings.ToUpper(command)), w) })
}

func (f *fakeIMAP) serve(c net.Conn) {
	_, _ = io.WriteString(c, "* OK ready\r\n")
	r := bufio.NewReader(c)
	for {
		l, err := r.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimSpace(l), " ")
		verb, _, _ := strings.Cut(strings.ToUpper(command), " ")
		if x := f.broke.Load(); x != nil && verb != "LOGIN" && verb != "CAPABILITY" {
			if !(*x)(c, tag) {
				return
			}
			continue
		}
		if not := f.not.Load(); not != nil && verb == "LOGIN" && strings.Contains(command, *not) {
			_, _ = io.WriteString(c, tag+" NO [AUTHENTICATIONFAILED] not this password\r\n")
			continue
		}
		if f.silentAt(command) {
			continue
		}
		if verb == "IDLE" {
			_, _ = io.WriteString(c, "+ idling\r\n")
			continue
		}
		if tag == "DONE" {
			continue
		}
		if _, err := fmt.Fprintf(c, "%s%s OK done\r\n", untagged(verb, command), tag); err != nil || verb == "LOGOUT" {
			return
		}
	}
}

func untagged(verb, command string) string {
	switch verb {
	case "CAPABILITY":
		return "* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n"
	case "LIST", "LSUB":
		return "* " + verb + " () \"/\" INBOX\r\n* " + verb + " (\\Trash) \"/\" Trash\r\n* " + verb + " (\\Drafts) \"/\" Drafts\r\n"
	case "STATUS":
		name := strings.Fields(command)[1]
		return "* STATUS " + name + " (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 5)\r\n"
	case "SELECT", "EXAMINE":
		return "* FLAGS (\\Seen \\Deleted)\r\n* 0 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 1] x\r\n"
	case "UID":
		if bytes.Contains([]byte(strings.ToUpper(command)), []byte("SEARCH")) {
			return "* SEARCH\r\n"
		}
	}
	return ""
}
