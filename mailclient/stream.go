package mailclient

import (
	"context"
	"fmt"
	"io"
	"strings"

	"restante/mailclient/imapx"
)

const (
	window   = 256 << 10
	outgoing = 2 // windows in one flight
)

// stream fetches a section from an offset on, window by window, two in one flight (F5), and the next flight while w
// takes this one.
func (s *Session) stream(ctx context.Context, mailbox string, validity, uid uint32, section string, from int64, w io.Writer) error {
	raw, err := s.rawName(mailbox)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	flights, ended := make(chan []string), make(chan error, 1)
	go func() { // stream waits for its end
		defer close(flights)
		ended <- s.flights(ctx, raw, validity, uid, section, from, flights)
	}()
	var failed error
	for flight := range flights {
		for _, text := range flight {
			if failed == nil {
				if _, failed = io.WriteString(w, text); failed != nil {
					cancel()
				}
			}
		}
	}
	cancel()
	if err := <-ended; failed == nil {
		return err
	}
	return failed
}

// flights fetches windows and hands them over until the section has ended.
func (s *Session) flights(ctx context.Context, raw string, validity, uid uint32, section string, from int64, to chan<- []string) error {
	for off := from; ; off += outgoing * window {
		var got []string
		err := s.do(ctx, raw, true, func(c *imapx.Conn) (err error) {
			got, err = s.flight(ctx, c, raw, validity, uid, section, off)
			return err
		})
		if err != nil {
			return err
		}
		select {
		case to <- got:
		case <-ctx.Done():
			return ctx.Err()
		}
		if len(got) < outgoing || len(got[outgoing-1]) < window {
			return nil
		}
	}
}

// flight fetches the windows that begin at off, up to the end of the section.
func (s *Session) flight(ctx context.Context, c *imapx.Conn, raw string, validity, uid uint32, section string, off int64) ([]string, error) {
	for again := false; ; again = true {
		var cmds []*imapx.Command
		for i := range int64(outgoing) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", uid, fmt.Sprintf("(UID BODY.PEEK[%s]<%d.%d>)", section, off+i*window, window)))
		}
		if err := inBox(ctx, c, raw, validity, uid, cmds); err != nil {
			return nil, err
		}
		got, came := windows(cmds, uid, strings.ToUpper(section), off)
		n := 0
		for n < len(got)-1 && len(got[n]) == window {
			n++
		}
		switch {
		case !came[n] && !again && !unanswered(cmds): // it may have been done before all was told (O102)
		case !came[0]: // gone, perhaps in the middle: never a whole file that is not
			_, err := one(c, collect(cmds[0].Data), cmds[0], uid, false)
			return nil, err
		default:
			return got[:n+1], nil
		}
	}
}

// inBox runs commands about a mail that is not going to change.
func inBox(ctx context.Context, c *imapx.Conn, raw string, validity, uid uint32, cmds []*imapx.Command) error {
	if err := meet(ctx, c, raw, uid); err != nil {
		return err
	}
	b, err := selected(ctx, c, raw, cmds)
	if err != nil {
		return err
	}
	return b.check(validity)
}

// windows puts the bodies that came for some commands in order. The order of the answers does not tell which command
// they are for: Dovecot holds back the OK of one until the next has run. Where they begin does. came says which are among
// them.
func windows(cmds []*imapx.Command, uid uint32, section string, off int64) (got []string, came []bool) {
	got, came = make([]string, len(cmds)), make([]bool, len(cmds))
	next := 0
	for _, cmd := range cmds {
		for _, r := range cmd.Data {
			if r.Type != "FETCH" {
				continue
			}
			of, pieces := imapx.Windows(r)
			for _, p := range pieces {
				if p.Section != section || of != uid {
					continue
				}
				i := next
				if p.Offset >= 0 {
					i = int((p.Offset - off) / window)
				}
				if i >= 0 && i < len(got) {
					got[i], came[i], next = p.Text, true, i+1
				}
			}
		}
	}
	return got, came
}

// selected is selectBox without the NOOP: what is streamed does not change.
func selected(ctx context.Context, c *imapx.Conn, raw string, cmds []*imapx.Command) (*box, error) {
	if b := boxOf(c); b != nil && b.raw == raw {
		if len(cmds) == 0 {
			return b, nil
		}
		return b, c.Do(ctx, cmds...)
	}
	return selectBox(ctx, c, raw, cmds...)
}
