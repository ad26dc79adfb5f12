package testmail

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// What a Script may do in the place of an answer, or after one: "250 ok!" answers and hangs up.
const (
	HangUp = "!"
	Silent = "?" // the line stays, no answer comes
)

// Script is a submission server that does what a test tells it, and keeps the mails whose final dot it has seen.
type Script struct {
	Address

	mu    sync.Mutex
	say   map[string]string
	auths []string
	taken func(text string)
	texts []string
	rcpts [][]string // of each text
	said  []string
}

// NewScript starts one that takes every mail.
func NewScript(t testing.TB) *Script {
	t.Helper()
	s := &Script{say: map[string]string{}}
	s.Address = Listen(t, s.serve)
	return s
}

// Said are the commands that came in, but for what signs in.
func (s *Script) Said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.said...)
}

// Taken has take called with each mail that is taken, before that is answered.
func (s *Script) Taken(take func(text string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = take
}

// Mechanisms are those by which a sign-in was tried.
func (s *Script) Mechanisms() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.auths...)
}

// Say sets what is answered at a step: greeting, EHLO, AUTH, "AUTH mechanism", MAIL, RCPT, "RCPT address", a whole command, DATA, text (while the mail
// comes in), dot (after it) or QUIT. "" is what a good server says.
func (s *Script) Say(step, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say[step] = answer
}

// Texts are the mails that came in whole, whatever was answered.
func (s *Script) Texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.texts...)
}

// Recipients are those of each mail that came in whole and was answered with yes.
func (s *Script) Recipients() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string{}, s.rcpts...)
}

func (s *Script) answer(usual string, steps ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range steps {
		if a := s.say[step]; a != "" {
			return a
		}
	}
	return usual
}

// tell says an answer; false means that the line ends here.
func tell(c net.Conn, answer string) bool {
	if answer == Silent {
		_, _ = io.Copy(io.Discard, c)
		return false
	}
	words, hangUp := strings.CutSuffix(answer, "!")
	if words != "" {
		if _, err := io.WriteString(c, words+"\r\n"); err != nil {
			return false
		}
	}
	return !hangUp
}

func (s *Script) serve(c net.Conn) {
	r := bufio.NewReader(c)
	var to []string
	for goOn := tell(c, s.answer("220 ready", "greeting")); goOn; {
		l, err := r.ReadString('\n')
		if err != nil {
			return
		}
		l = strings.TrimSpace(l)
		verb, _, _ := strings.Cut(strings.ToUpper(l), " ")
		s.mu.Lock()
		if verb != "AUTH" {
			s.said = append(s.said, l)
		} else if words := strings.Fields(l); len(words) > 1 {
			s.auths = append(s.auths, words[1])
			verb = "AUTH " + words[1]
		}
		s.mu.Unlock()
		switch name, mech, _ := strings.Cut(verb, " "); name {
		case "EHLO":
			goOn = tell(c, s.answer("250-ready\r\n250-8BITMIME\r\n250 AUTH PLAIN", "EHLO"))
		case "AUTH":
			goOn = tell(c, s.answer("235 in", "AUTH "+mech, "AUTH"))
		case "RCPT":
			_, addr, _ := strings.Cut(l, "<")
			addr, _, _ = strings.Cut(addr, ">")
			a := s.answer("250 ok", "RCPT "+addr, "RCPT")
			if strings.HasPrefix(a, "2") {
				to = append(to, addr)
			}
			goOn = tell(c, a)
		case "DATA":
			a := s.answer("354 go on", "DATA")
			goOn = tell(c, a) && (!strings.HasPrefix(a, "354") || s.text(c, r, to))
			to = nil
		case "QUIT":
			tell(c, s.answer("221 bye", "QUIT"))
			return
		default:
			goOn = tell(c, s.answer("250 ok", l, verb))
		}
	}
}

// text takes a mail in.
func (s *Script) text(c net.Conn, r *bufio.Reader, to []string) (goOn bool) {
	var b strings.Builder
	for {
		if a := s.answer("", "text"); a != "" && b.Len() > 100_000 {
			return tell(c, a)
		}
		l, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if l == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(l, "."))
	}
	a := s.answer("250 2.0.0 taken", "dot")
	s.mu.Lock()
	s.texts = append(s.texts, b.String())
	taken := s.taken
	if strings.HasPrefix(a, "2") {
		s.rcpts = append(s.rcpts, to)
	} else {
		taken = nil
	}
	s.mu.Unlock()
	if taken != nil {
		taken(b.String())
	}
	return tell(c, a)
}
