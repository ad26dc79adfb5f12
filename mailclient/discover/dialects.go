package discover

import (
	"regexp"
	"strconv"
	"strings"

	"restante/mailclient/wire"
)

// dialect is how a protocol says what is said before a sign-in.
type dialect struct {
	greeting func(*talk) (caps []string, err error) // nil caps: ask
	ask      func(*talk) ([]string, error)
	offer    string // the capability of STARTTLS
	startTLS string
	ready    func(*talk) error // hears whether TLS may begin
	leave    string
}

var dialects = map[Service]dialect{
	IMAP:       {imapGreeting, imapAsk, "STARTTLS", "p2 STARTTLS", imapReady, "p3 LOGOUT"},
	Submission: {smtpGreeting, smtpAsk, "STARTTLS", "STARTTLS", smtpReady, "QUIT"},
	POP3:       {popGreeting, popAsk, "STLS", "STLS", popReady, "QUIT"},
	Sieve:      {sieveList, sieveAsk, "STARTTLS", "STARTTLS", sieveReady, "LOGOUT"},
}

// imapGreeting is RFC 3501 7.1.
func imapGreeting(t *talk) ([]string, error) {
	for {
		line, err := t.line()
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		rest, untagged := strings.CutPrefix(line, "* ")
		word, text, _ := strings.Cut(rest, " ")
		switch {
		case untagged && strings.EqualFold(word, "OK"):
			return nil, nil
		case untagged && strings.EqualFold(word, "PREAUTH"): // nobody has signed in
			return nil, t.fail(wire.Injected, "")
		case untagged && strings.EqualFold(word, "BYE"):
			return nil, t.fail(wire.Bye, text)
		}
		return nil, t.fail(wire.WrongProtocol, "")
	}
}

// imapAnswer reads up to the answer of a command and gives the capabilities that come before it.
func imapAnswer(t *talk, tag string) (caps []string, ok bool, text string, err error) {
	for {
		line, err := t.line()
		if err != nil {
			return nil, false, "", err
		}
		if list, is := cutFold(line, "* CAPABILITY "); is {
			caps = strings.Fields(strings.ToUpper(list))
		}
		if text, is := cutFold(line, "* BYE"); is {
			return nil, false, "", t.fail(wire.Bye, text)
		}
		if rest, is := strings.CutPrefix(line, tag+" "); is {
			word, text, _ := strings.Cut(rest, " ")
			return caps, strings.EqualFold(word, "OK"), text, nil
		}
	}
}

func imapAsk(t *talk) ([]string, error) {
	if err := t.say("p1 CAPABILITY"); err != nil {
		return nil, err
	}
	caps, _, _, err := imapAnswer(t, "p1")
	return caps, err
}

func imapReady(t *talk) error {
	_, ok, text, err := imapAnswer(t, "p2")
	if err == nil && !ok {
		err = t.fail(wire.NoTLS, text)
	}
	return err
}

// reply reads an SMTP reply: its code, and its lines without it (RFC 5321 4.2).
func reply(t *talk) (code int, lines []string, err error) {
	for {
		line, err := t.line()
		if err != nil {
			return 0, nil, err
		}
		if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return 0, nil, t.fail(wire.WrongProtocol, "")
		}
		if code, err = strconv.Atoi(line[:3]); err != nil {
			return 0, nil, t.fail(wire.WrongProtocol, "")
		}
		lines = append(lines, line[min(4, len(line)):])
		if len(line) == 3 || line[3] == ' ' {
			return code, lines, nil
		}
	}
}

func smtpGreeting(t *talk) ([]string, error) {
	code, lines, err := reply(t)
	if err == nil && code != 220 {
		err = t.fail(wire.Bye, strconv.Itoa(code)+" "+lines[len(lines)-1])
	}
	return nil, err
}

// smtpAsk gives the keywords of EHLO with their parameters.
func smtpAsk(t *talk) ([]string, error) {
	if err := t.say("EHLO localhost"); err != nil {
		return nil, err
	}
	code, lines, err := reply(t)
	if err != nil {
		return nil, err
	}
	if code != 250 {
		return nil, t.fail(wire.Bye, strconv.Itoa(code)+" "+lines[len(lines)-1])
	}
	caps := []string{}
	for _, l := range lines[1:] {
		caps = append(caps, strings.ToUpper(strings.TrimSpace(l)))
	}
	return caps, nil
}

func smtpReady(t *talk) error {
	code, lines, err := reply(t)
	if err == nil && code != 220 {
		err = t.fail(wire.NoTLS, lines[0])
	}
	return err
}

// popStatus reads a status line (RFC 1939 3).
func popStatus(t *talk) (ok bool, text string, err error) {
	line, err := t.line()
	if err != nil {
		return false, "", err
	}
	word, text, _ := strings.Cut(line, " ")
	if !strings.EqualFold(word, "+OK") && !strings.EqualFold(word, "-ERR") {
		return false, "", t.fail(wire.WrongProtocol, "")
	}
	return strings.EqualFold(word, "+OK"), text, nil
}

func popGreeting(t *talk) ([]string, error) {
	ok, text, err := popStatus(t)
	if err == nil && !ok {
		err = t.fail(wire.Bye, text)
	}
	return nil, err
}

// popAsk is CAPA (RFC 2449). A server that refuses it can nothing that would be listed.
func popAsk(t *talk) ([]string, error) {
	if err := t.say("CAPA"); err != nil {
		return nil, err
	}
	caps := []string{}
	ok, _, err := popStatus(t)
	for err == nil && ok {
		var line string
		if line, err = t.line(); line == "." {
			break
		}
		caps = append(caps, strings.ToUpper(line))
	}
	return caps, err
}

func popReady(t *talk) error {
	ok, text, err := popStatus(t)
	if err == nil && !ok {
		err = t.fail(wire.NoTLS, text)
	}
	return err
}

var sievePair = regexp.MustCompile(`^"([^"\\]*)"(?: "((?:[^"\\]|\\.)*)")?`)

// sieveList reads what a ManageSieve server can, which is its greeting too (RFC 5804 1.7).
func sieveList(t *talk) ([]string, error) {
	caps := []string{}
	for {
		line, err := t.line()
		if err != nil {
			return nil, err
		}
		word, text, _ := strings.Cut(line, " ")
		switch m := sievePair.FindStringSubmatch(line); {
		case m != nil:
			caps = append(caps, strings.TrimSpace(strings.ToUpper(m[1]+" "+m[2])))
		case strings.EqualFold(word, "OK") && len(caps) > 0:
			return caps, nil
		case strings.EqualFold(word, "BYE"), strings.EqualFold(word, "NO"):
			return nil, t.fail(wire.Bye, text)
		case len(caps) == 0:
			return nil, t.fail(wire.WrongProtocol, "")
		}
	}
}

// sieveAsk is for what a server can under TLS. It tells it unasked (RFC 5804 2.2); asking helps with one that does not.
func sieveAsk(t *talk) ([]string, error) {
	if err := t.say("CAPABILITY"); err != nil {
		return nil, err
	}
	return sieveList(t)
}

func sieveReady(t *talk) error {
	line, err := t.line()
	if err != nil {
		return err
	}
	if word, text, _ := strings.Cut(line, " "); !strings.EqualFold(word, "OK") {
		return t.fail(wire.NoTLS, text)
	}
	return nil
}

// cutFold cuts a prefix whatever its case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return strings.TrimSpace(s[len(prefix):]), true
}
