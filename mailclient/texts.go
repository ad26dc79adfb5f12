package mailclient

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"restante/mailclient/imapx"
	"restante/mailclient/message"
)

// Text is what a mail is found by beyond its header.
type Text struct {
	Folded string // as message.FoldText has it, a line for each of its parts
	Whole  bool   // that is all of it
}

// Texts reads what mails are found by, at most so many bytes of each; ones that are gone are left out. It is for who
// keeps them: the structures of all are asked for, and then the parts in which there is text, as far as that may be.
func (s *Session) Texts(ctx context.Context, mailbox string, validity uint32, uids []uint32, most int64) (texts map[uint32]Text, err error) {
	var lost error
	err = s.fetching(ctx, mailbox, validity, uids, func(*imapx.Conn) string { return "(UID BODYSTRUCTURE)" }, func(c *imapx.Conn, got []imapx.Fetch) {
		texts, lost = textsOf(ctx, c, got, most)
	})
	return texts, cmp.Or(err, lost)
}

// searched are the parts of a mail in which it is found.
type searched struct {
	parts []message.Searched
	all   bool
}

// textsOf asks for the parts of mails in which there is text, those of one shape at once.
func textsOf(ctx context.Context, c *imapx.Conn, got []imapx.Fetch, most int64) (map[uint32]Text, error) {
	texts, mails, shapes := map[uint32]Text{}, map[uint32]searched{}, map[string][]uint32{}
	for _, f := range got {
		parts, all := message.SearchedIn(f.Structure, most)
		texts[f.UID], mails[f.UID] = Text{Whole: all}, searched{parts, all}
		if len(parts) > 0 {
			shape := itemsOf(parts)
			shapes[shape] = append(shapes[shape], f.UID)
		}
	}
	var cmds []*imapx.Command
	for shape, uids := range shapes {
		for _, set := range uidSets(uids) {
			cmds = append(cmds, imapx.Cmd("UID FETCH", set, shape))
		}
	}
	if len(cmds) == 0 {
		return texts, nil
	}
	if err := c.Do(ctx, cmds...); err != nil {
		return nil, err
	}
	read := map[uint32]bool{}
	for _, f := range fetched(cmds...) {
		if m, ok := mails[f.UID]; ok {
			texts[f.UID], read[f.UID] = m.text(f.Bodies, most), true
		}
	}
	for uid, m := range mails {
		if len(m.parts) > 0 && !read[uid] { // the server told of a structure, and gives nothing of it
			texts[uid] = Text{}
		}
	}
	return texts, nil
}

func itemsOf(parts []message.Searched) string {
	var items strings.Builder
	items.WriteString("(UID")
	for _, p := range parts {
		fmt.Fprintf(&items, " BODY.PEEK[%s]<0.%d>", p.Section, p.Max)
	}
	return items.String() + ")"
}

// text puts the parts of a mail together.
func (m searched) text(bodies map[string][]byte, most int64) Text {
	t := Text{Whole: m.all}
	var out strings.Builder
	for _, p := range m.parts {
		body, ok := bodies[strings.ToUpper(p.Section)]
		text, all := p.Text(body)
		t.Whole = t.Whole && all && (ok || p.Empty())
		if text = message.FoldText(text); text == "" {
			continue
		}
		if int64(out.Len()+len(text)) > most {
			text, t.Whole = strings.ToValidUTF8(text[:most-int64(out.Len())], ""), false
		}
		out.WriteString(text + "\n")
	}
	t.Folded = out.String()
	return t
}
