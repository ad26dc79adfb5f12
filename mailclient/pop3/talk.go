package pop3

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"restante/mailclient/wire"
)

// maxLine is how much of a line of a list is kept: a number, and a UIDL of up to 512 bytes.
const maxLine = 1 << 10

// do runs one exchange: f sends and reads.
func (c *Client) do(ctx context.Context, f func() error) error {
	if err := c.drop(ctx); err != nil {
		return err
	}
	return c.exchange(ctx, f)
}

// exchange is do where nothing was asked for ahead. An error that is no refusal ends the session.
func (c *Client) exchange(ctx context.Context, f func() error) error {
	if c.err != nil {
		return c.explain(c.err)
	}
	stop := c.until(ctx)
	err := f()
	stop()
	if err == nil {
		return nil
	}
	var no *RefusedError
	if errors.As(err, &no) {
		return err
	}
	_ = c.conn.Close()
	if ctx.Err() != nil {
		err = &wire.ConnectError{Host: c.host, Kind: wire.Timeout, Err: context.Cause(ctx)}
	}
	c.err = err
	return c.explain(err)
}

func (c *Client) send(line string) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(answerTime))
	_, err := io.WriteString(c.conn, line+"\r\n")
	return err
}

// line reads a line without its end; what is beyond maxStatus bytes is passed over.
func (c *Client) line() (string, error) {
	b, err := c.shortLine(maxStatus)
	return string(b), err
}

// shortLine reads a line without its end, keeping so many bytes of it.
func (c *Client) shortLine(most int) (line []byte, err error) {
	for {
		part, err := c.br.ReadSlice('\n')
		line = append(line, part[:min(len(part), max(0, most-len(line)))]...)
		switch {
		case err == nil:
			return trimEnd(line), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func trimEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b
}

// status reads a status line; is says whether it is one.
func status(line string) (ok bool, text string, is bool) {
	word, text, _ := strings.Cut(line, " ")
	switch {
	case strings.EqualFold(word, "+OK"):
		return true, text, true
	case strings.EqualFold(word, "-ERR"):
		return false, text, true
	}
	return false, "", false
}

// answer reads a status line. -ERR is a *RefusedError.
func (c *Client) answer(command string) (string, error) {
	line, err := c.line()
	if err != nil {
		return "", err
	}
	ok, text, is := status(line)
	if !is {
		return "", &wire.ConnectError{Host: c.host, Kind: wire.WrongProtocol, Text: shown(line)}
	}
	if !ok {
		return "", c.refused(command, text)
	}
	return text, nil
}

func (c *Client) refused(command, text string) *RefusedError {
	e := &RefusedError{Host: c.host, Command: command, Text: shown(text)}
	if rest, ok := strings.CutPrefix(strings.TrimSpace(text), "["); ok {
		if code, words, ok := strings.Cut(rest, "]"); ok && len(code) <= 40 {
			e.Code, e.Text = strings.ToUpper(strings.TrimSpace(code)), shown(strings.TrimSpace(words))
		}
	}
	return e
}

// simple sends a command that is answered by one line, and gives its words. name is the command without its secrets.
func (c *Client) simple(name, line string) (string, error) {
	if err := c.send(line); err != nil {
		return "", err
	}
	return c.answer(name)
}

// multi sends a command that is answered by lines up to a lone dot, and gives the words of the first.
func (c *Client) multi(name, line string, each func(line string) error) (string, error) {
	if err := c.send(line); err != nil {
		return "", err
	}
	return c.list(name, each)
}

// list reads the answer of a command that was sent: lines up to a lone dot.
func (c *Client) list(name string, each func(line string) error) (string, error) {
	text, err := c.answer(name)
	if err != nil {
		return "", err
	}
	for {
		b, err := c.shortLine(maxLine)
		if err != nil {
			return "", err
		}
		if len(b) > 0 && b[0] == '.' {
			if len(b) == 1 {
				return text, nil
			}
			b = b[1:]
		}
		if err := each(string(b)); err != nil {
			return "", err
		}
	}
}
