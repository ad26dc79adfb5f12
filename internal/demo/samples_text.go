package demo

import (
	"embed"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
)

//go:embed samples/*.txt
var texts embed.FS

// conversations reads a file of letters. A letter starts with a line
//
//	=== mailbox | flags | from | age [| to, to ...]     a new conversation
//	+++ mailbox | flags | from | age [| to, to ...]     the next letter of the same
//
// then its subject (new conversations only) and its text. "me" is the person; an age is 12m, 5h or 3d.
// The answer quotes the letter before it when its text ends with a line ">".
func (s *sampler) conversations(name string) {
	data, err := texts.ReadFile("samples/" + name)
	if err != nil {
		panic(err) // embedded: the program was built wrong
	}
	var thread []*letter
	for _, block := range splitBlocks(string(data)) {
		head, body, _ := strings.Cut(block, "\n")
		if strings.HasPrefix(head, "=== ") {
			thread = nil
		}
		thread = append(thread, s.readLetter(head[4:], body, thread))
	}
}

func splitBlocks(data string) []string {
	var blocks []string
	for line := range strings.Lines(data) {
		if strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "+++ ") {
			blocks = append(blocks, line)
		} else if len(blocks) > 0 {
			blocks[len(blocks)-1] += line
		}
	}
	return blocks
}

func (s *sampler) readLetter(head, body string, thread []*letter) *letter {
	f := strings.Split(head, "|")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	l := letter{from: s.person(f[2])}
	if len(thread) == 0 {
		l.subject, body, _ = strings.Cut(body, "\n")
	} else {
		l.subject = "Re: " + strings.TrimPrefix(thread[0].subject, "Re: ")
	}
	for _, before := range thread {
		l.refs = append(l.refs, before.messageID())
	}
	l.text = strings.TrimSpace(body) + "\n"
	if text, ok := strings.CutSuffix(l.text, "\n>\n"); ok && len(thread) > 0 {
		l.text = text + "\n\n" + quoted(thread[len(thread)-1])
	}
	if len(f) > 4 {
		for _, name := range strings.Split(f[4], ",") {
			l.to = append(l.to, s.person(strings.TrimSpace(name)))
		}
	} else if l.from == s.me && len(thread) > 0 {
		l.to = []mail.Address{other(s.me, thread)}
	}
	return s.put(f[0], f[1], hours(f[3]), l)
}

// other is the latest writer of a conversation who is not the person, or else the first recipient.
func other(me mail.Address, thread []*letter) mail.Address {
	for i := len(thread) - 1; i >= 0; i-- {
		if thread[i].from != me {
			return thread[i].from
		}
	}
	return thread[0].to[0]
}

func (s *sampler) person(name string) mail.Address {
	if name == "me" {
		return s.me
	}
	return address(name)
}

func hours(age string) float64 {
	n, err := strconv.ParseFloat(age[:len(age)-1], 64)
	if err != nil {
		panic(err)
	}
	switch age[len(age)-1] {
	case 'm':
		return n / 60
	case 'd':
		return n * 24
	}
	return n
}

// quoted is a letter's own text, without what it quotes itself.
func quoted(l *letter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "On %s, %s wrote:\n", l.date.Format(time.RFC1123), l.from.Name)
	own, _, _ := strings.Cut(l.text, "\n\nOn ")
	for _, line := range strings.Split(strings.TrimSpace(own), "\n") {
		b.WriteString(strings.TrimRight("> "+line, " ") + "\n")
	}
	return b.String()
}
