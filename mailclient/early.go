package mailclient

import (
	"context"
	"slices"

	"restante/mailclient/imapx"
)

// askTwice runs the commands that ask gives for mails, and once more those for mails of which the server has not told
// though it says that it is done: it may say so too early (O102).
func askTwice(ctx context.Context, c *imapx.Conn, uids []uint32, ask func(uids []uint32) []*imapx.Command) (got []imapx.Fetch, err error) {
	var all []*imapx.Command
	for range 2 {
		cmds := ask(uids)
		if len(cmds) == 0 {
			break
		}
		if err := c.Do(ctx, cmds...); err != nil {
			return nil, err
		}
		all = append(all, cmds...)
		if got = fetched(all...); unanswered(cmds) {
			break
		}
		told := map[uint32]bool{}
		for _, f := range got {
			told[f.UID] = true
		}
		uids = slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return told[uid] })
	}
	return got, nil
}
