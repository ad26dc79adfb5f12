package mailclient

import (
	"context"
	"slices"

	"restante/mailclient/imapx"
)

// box is the mailbox that a connection has selected.
type box struct {
	raw       string
	validity  uint32
	uidnext   uint32
	modseq    uint64 // when it was opened; 0 where it has none
	readOnly  bool
	permanent []string // nil: all flags are kept
	star      bool     // new keywords can be made
}

func boxOf(c *imapx.Conn) *box {
	b, _ := c.Box.(*box)
	return b
}

// selectBox selects raw, with more commands pipelined behind it. Already selected, a NOOP takes its place. The
// commands behind it may have been refused: they are the caller's to look at.
func selectBox(ctx context.Context, c *imapx.Conn, raw string, behind ...*imapx.Command) (*box, error) {
	if b := boxOf(c); b != nil && b.raw == raw {
		cmds := append([]*imapx.Command{imapx.Cmd("NOOP")}, behind...)
		return b, c.Do(ctx, cmds...)
	}
	cmd := imapx.Cmd("SELECT", imapx.Str(raw))
	cmds := append(introduce(c), cmd)
	c.Box = nil
	if err := c.Do(ctx, append(cmds, behind...)...); err != nil {
		return nil, err
	}
	if cmd.Status != "OK" {
		return nil, noMailbox(c, cmd)
	}
	b := &box{raw: raw, readOnly: cmd.Code == "READ-ONLY"}
	for _, r := range cmd.Data {
		b.learn(r)
	}
	c.Box = b
	return b, nil
}

// noMailbox is ErrNoMailbox, if that is what a refusal means.
func noMailbox(c *imapx.Conn, cmd *imapx.Command) error {
	switch cmd.Code {
	case "NONEXISTENT", "", "CANNOT", "TRYCREATE", "NOPERM":
		return ErrNoMailbox
	}
	return cmd.Err(c.Host)
}

// meet makes sure that the connection knows of these mails. One that has the mailbox selected for long may not have
// heard of new ones, and then passes them over without a word.
func meet(ctx context.Context, c *imapx.Conn, raw string, uids ...uint32) error {
	b := boxOf(c)
	if b == nil || b.raw != raw || len(uids) == 0 || slices.Max(uids) < b.uidnext {
		return nil
	}
	return c.Do(ctx, imapx.Cmd("NOOP"))
}

// saw notes that the connection knows of these mails.
func (b *box) saw(fetched []imapx.Fetch) {
	for _, f := range fetched {
		if f.UID >= b.uidnext && f.UID < 1<<32-1 {
			b.uidnext = f.UID + 1
		}
	}
}

// introduce is the ID command, once a connection: some servers open no mailbox before it (C13).
func introduce(c *imapx.Conn) []*imapx.Command {
	if !c.Has("ID") || c.Named {
		return nil
	}
	c.Named = true
	return []*imapx.Command{imapx.Cmd("ID", `("name" "Restante")`)}
}

func (b *box) learn(r imapx.Response) {
	if r.Type != "OK" {
		return
	}
	switch r.Code {
	case "UIDVALIDITY":
		b.validity = imapx.Node{Text: r.Args}.Number32()
	case "UIDNEXT":
		b.uidnext = imapx.Node{Text: r.Args}.Number32()
	case "HIGHESTMODSEQ":
		b.modseq = uint64(imapx.Node{Text: r.Args}.Number())
	case "READ-ONLY":
		b.readOnly = true
	case "PERMANENTFLAGS":
		b.flags(r.Args)
	}
}

// check refuses to act on UIDs of another life of the mailbox (S4).
func (b *box) check(validity uint32) error {
	if validity != 0 && b.validity != validity {
		return ErrUIDValidity
	}
	return nil
}
