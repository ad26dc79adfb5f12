package pop3

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Entry is a mail of a listing. Number is good in this session alone.
type Entry struct {
	Number int
	UID    string // of UIDL, its bytes as they came; "" when the server has none
	Size   int64  // octets, a hint; 0 when the server does not say
}

const maxUID = 512 // bytes; RFC 1939 allows 70

// Listing gives every mail in the server's order. uids is false when the server has no UIDL at all (P5): then each
// entry has a number alone. Lines that make no sense are passed over, see Odd; a mail that LIST names and UIDL does not
// comes at the end, without UID.
func (c *Client) Listing(ctx context.Context, each func(Entry) error) (uids bool, err error) {
	var count int
	sizes := map[int]int64{}
	err = c.do(ctx, func() error {
		if err := c.pipeline("STAT", "LIST", "UIDL"); err != nil {
			return err
		}
		text, err := c.next("STAT")
		if err != nil {
			return err
		}
		if _, err := fmt.Sscan(text, &count); err != nil {
			c.odd++
		}
		if err := c.sizes(sizes); err != nil {
			return err
		}
		uids, err = c.uids(func(n int, uid string) error {
			size := sizes[n]
			delete(sizes, n)
			return each(Entry{n, uid, size})
		})
		return err
	})
	if err != nil {
		return uids, err
	}
	if uids {
		for _, n := range slices.Sorted(maps.Keys(sizes)) {
			if err := each(Entry{Number: n, Size: sizes[n]}); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	for n := 1; n <= max(count, len(sizes)); n++ {
		if err := each(Entry{Number: n, Size: sizes[n]}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// pipeline sends commands behind each other where the server takes that (RFC 2449 6.6).
func (c *Client) pipeline(names ...string) error {
	if !c.Has("PIPELINING") {
		return nil
	}
	return c.send(strings.Join(names, "\r\n"))
}

// next reads the answer of a command that pipeline sent, or sends it now.
func (c *Client) next(name string) (string, error) {
	if !c.Has("PIPELINING") {
		if err := c.send(name); err != nil {
			return "", err
		}
	}
	return c.answer(name)
}

func (c *Client) nextList(name string, each func(line string) error) error {
	if !c.Has("PIPELINING") {
		if err := c.send(name); err != nil {
			return err
		}
	}
	_, err := c.list(name, each)
	return err
}

// sizes reads LIST. A server that refuses it has no sizes.
func (c *Client) sizes(sizes map[int]int64) error {
	err := c.nextList("LIST", func(line string) error {
		number, rest, ok := numbered(line)
		size, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		if !ok || err != nil || size < 0 {
			c.odd++
			return nil
		}
		sizes[number] = size
		return nil
	})
	var no *RefusedError
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// uids reads UIDL; ok is false when the server refuses it.
func (c *Client) uids(each func(n int, uid string) error) (ok bool, err error) {
	err = c.nextList("UIDL", func(line string) error {
		n, uid, ok := numbered(line)
		if !ok || uid == "" || len(uid) > maxUID {
			c.odd++
			return nil
		}
		return each(n, uid)
	})
	var no *RefusedError
	if errors.As(err, &no) {
		return false, nil
	}
	return err == nil, err
}

// numbered splits "n rest".
func numbered(line string) (n int, rest string, ok bool) {
	number, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	n64, err := strconv.ParseInt(number, 10, 31)
	return int(n64), strings.Trim(rest, " "), err == nil && n64 > 0
}

// UIDOf asks for the UIDL of one mail: whether a number is still that of the mail it was (P21).
func (c *Client) UIDOf(ctx context.Context, number int) (uid string, err error) {
	err = c.do(ctx, func() error {
		text, err := c.simple("UIDL", fmt.Sprintf("UIDL %d", number))
		if err != nil {
			return err
		}
		if n, id, ok := numbered(text); ok && n == number {
			uid = id
		} else {
			c.odd++
		}
		return nil
	})
	return uid, err
}

// maxHead is how much of a header Top gives.
const maxHead = 1 << 20

// Top gives the header of a mail, with CRLF, up to the empty line, at most 1 MB. Nothing of the body is told, as servers
// count its lines each in their own way (P26).
func (c *Client) Top(ctx context.Context, number int) ([]byte, error) {
	var head bytes.Buffer
	err := c.do(ctx, func() error {
		if _, err := c.simple("TOP", fmt.Sprintf("TOP %d 0", number)); err != nil {
			return err
		}
		_, err := c.content(&headWriter{to: &head}, 0)
		return err
	})
	return head.Bytes(), err
}

// headWriter keeps what comes before the first empty line.
type headWriter struct {
	to   *bytes.Buffer
	done bool
}

func (w *headWriter) Write(b []byte) (int, error) {
	if w.done {
		return len(b), nil
	}
	w.to.Write(b[:min(len(b), maxHead-w.to.Len())])
	if at := bytes.Index(w.to.Bytes(), []byte("\r\n\r\n")); at >= 0 {
		w.to.Truncate(at + 2)
		w.done = true
	} else if bytes.HasPrefix(w.to.Bytes(), []byte("\r\n")) {
		w.to.Reset()
		w.done = true
	} else if w.to.Len() == maxHead {
		w.done = true
	}
	return len(b), nil
}

// Content tells what Retr wrote.
type Content struct {
	Bytes int64
	NULs  int64 // zero bytes that were left out
}

// ErrTooBig is a mail that is larger than what was allowed. The session has ended.
var ErrTooBig = errors.New("the mail is too big")

// Retr writes a mail, with CRLF at the end of each line and without NUL, at most so many bytes; 0 allows any. Its end is
// the lone dot, whatever size the server claims (P9). then is the mail that Retr is called for next, 0 for none: a
// server that takes commands ahead is asked for it at once.
func (c *Client) Retr(ctx context.Context, number int, w io.Writer, most int64, then int) (got Content, err error) {
	if c.ahead != number {
		if err := c.drop(ctx); err != nil {
			return got, err
		}
	}
	err = c.exchange(ctx, func() error {
		ask := ""
		if c.ahead != number {
			ask = fmt.Sprintf("RETR %d\r\n", number)
		}
		if c.ahead = 0; then > 0 && c.Has("PIPELINING") {
			ask += fmt.Sprintf("RETR %d\r\n", then)
			c.ahead = then
		}
		if ask != "" {
			if err := c.send(strings.TrimSuffix(ask, "\r\n")); err != nil {
				return err
			}
		}
		got, err = c.retrieved(w, most)
		return err
	})
	if errors.Is(c.err, ErrTooBig) {
		err = ErrTooBig
	}
	return got, err
}

func (c *Client) retrieved(w io.Writer, most int64) (Content, error) {
	if _, err := c.answer("RETR"); err != nil {
		return Content{}, err
	}
	return c.content(w, most)
}

// drop reads past a mail that was asked for ahead and is not wanted any more.
func (c *Client) drop(ctx context.Context) error {
	if c.ahead == 0 {
		return nil
	}
	c.ahead = 0
	err := c.exchange(ctx, func() error {
		_, err := c.retrieved(io.Discard, 0)
		return err
	})
	var no *RefusedError
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// content reads lines up to the lone dot.
func (c *Client) content(to io.Writer, most int64) (Content, error) {
	u := unstuffer{to: bufio.NewWriterSize(to, 32<<10), most: most}
	for start := true; ; {
		part, err := c.br.ReadSlice('\n')
		whole := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return u.Content, err
		}
		if start && part[0] == '.' {
			if rest := trimEnd(part[1:]); whole && len(rest) == 0 {
				return u.Content, u.to.Flush()
			}
			part = part[1:]
		}
		if err := u.write(part); err != nil {
			return u.Content, err
		}
		start = whole
	}
}

// unstuffer makes line ends CRLF and leaves NUL out.
type unstuffer struct {
	Content
	to   *bufio.Writer
	most int64
	cr   bool // a CR is held back: it may be half of a line end
}

func (u *unstuffer) write(part []byte) error {
	for len(part) > 0 {
		n := 1
		var err error
		switch b := part[0]; {
		case b == 0:
			u.NULs++
		case b == '\n':
			u.cr = false
			err = u.put(lineEnd)
		case u.cr: // alone
			u.cr, n = false, 0
			err = u.put(lineEnd)
		case b == '\r':
			u.cr = true
		default:
			if n = bytes.IndexAny(part, "\r\n\x00"); n < 0 {
				n = len(part)
			}
			err = u.put(part[:n])
		}
		if err != nil {
			return err
		}
		part = part[n:]
	}
	return nil
}

var lineEnd = []byte("\r\n")

func (u *unstuffer) put(b []byte) error {
	if u.Bytes += int64(len(b)); u.most > 0 && u.Bytes > u.most {
		return ErrTooBig
	}
	_, err := u.to.Write(b)
	return err
}

// Dele marks a mail for deletion, which Quit does.
func (c *Client) Dele(ctx context.Context, number int) error {
	return c.do(ctx, func() error {
		_, err := c.simple("DELE", fmt.Sprintf("DELE %d", number))
		return err
	})
}

// Noop keeps the session alive.
func (c *Client) Noop(ctx context.Context) error {
	return c.do(ctx, func() error {
		_, err := c.simple("NOOP", "NOOP")
		return err
	})
}

// Quit ends the session and deletes what is marked. Only when it gives nil are those mails surely gone; after a refusal
// some may be, after another error any.
func (c *Client) Quit(ctx context.Context) error {
	err := c.do(ctx, func() error {
		_, err := c.simple("QUIT", "QUIT")
		return err
	})
	c.Close()
	return err
}
