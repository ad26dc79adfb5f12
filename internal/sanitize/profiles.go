package sanitize

import (
	"context"
	"strings"
)

// CountRemote is how many pictures of other sites a mail's HTML asks for, without those too small to be seen.
func CountRemote(s string) int {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	w := newWalker(ctx, Options{}, 0)
	w.unread(s)
	return w.blocked.Images
}

// Quote cleans foreign HTML for quoting in an answer: what a reader could see, with letters' looks but without layout,
// names, colours and pictures of other sites. Pictures of the mail keep their cid: addresses.
func Quote(s string) string {
	return fragment(s, quote, Options{Part: contentID})
}

// Outgoing cleans what a person's editor made, for sending: marks of letters, lists, quotes, links, colours, sizes,
// and pictures by cid:, data: or https. Nothing of it is written for day and night.
func Outgoing(s string) string {
	return fragment(s, outgoing, Options{Part: contentID, Remote: func(u string) string { return u }})
}

func fragment(s string, p profile, o Options) string {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	w := newWalker(ctx, o, 0)
	w.profile = p
	out := w.html(s)
	if len(out) > maxOutput {
		return ""
	}
	return out
}

// contentID lets cid: addresses through that have the shape of one.
func contentID(ref string) string {
	id, ok := strings.CutPrefix(ref, "cid:")
	for _, r := range id {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\'()`+"`", r) {
			return ""
		}
	}
	if !ok || id == "" || len(id) > 500 {
		return ""
	}
	return ref
}
