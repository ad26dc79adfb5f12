package index

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"restante/mailclient"
	"restante/mailclient/message"
)

// large is an index of a mailbox of n mails.
func large(tb testing.TB, n int) (*file, *box) {
	tb.Helper()
	f, err := openFile(filepath.Join(tb.TempDir(), "1.db"), "somebody")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(f.close)
	b := f.box("INBOX")
	for from := 1; from <= n; from += atOnce {
		c := change{known: mailclient.Known{UIDValidity: 1, UIDNext: uint32(n + 1), ModSeq: 1}, complete: true}
		for uid := from; uid < from+atOnce; uid++ {
			c.rows = append(c.rows, some(uid))
		}
		if _, err := f.apply(context.Background(), b, c); err != nil {
			tb.Fatal(err)
		}
	}
	return f, b
}

// some is a mail of a large mailbox.
func some(uid int) mailclient.Row {
	who := uid * 7919 % 500
	return mailclient.Row{
		UID: uint32(uid), UIDValidity: 1, From: []message.Address{{Name: fmt.Sprintf("Person %d", who), Addr: fmt.Sprintf("person%d@example.test", who)}},
		To: []message.Address{{Addr: "anna@example.test"}}, Subject: fmt.Sprintf("%swhat we said about matter %d", []string{"", "Re: ", "", ""}[uid%4], uid*31%10_000), InReplyTo: []string{fmt.Sprintf("%d.aaaaaaaaaaaa@example.test", uid-uid%4)}[:min(uid%4, 1)], Files: []string{"figures.xlsx"}[:uid%10/9], Size: int64(uid * 13 % 50_000),
		Received: time.Unix(1_700_000_000+int64(uid)*60, 0), Flags: mailclient.Flags{Seen: uid%20 != 0, Flagged: uid%100 == 0}, HasAttachment: uid%10 == 0, MessageID: fmt.Sprintf("%d.aaaaaaaaaaaa@example.test", uid),
	}.WithPreview("Thank you for what you sent, I shall look at it on Monday and write to you again then. Best wishes")
}

// BenchmarkFill writes a mailbox of 100,000 mails as a fill does.
func BenchmarkFill(b *testing.B) {
	for b.Loop() {
		f, err := openFile(filepath.Join(b.TempDir(), "1.db"), "somebody")
		if err != nil {
			b.Fatal(err)
		}
		box := f.box("INBOX")
		for to := 100_000; to >= 0; to -= together {
			c := change{known: mailclient.Known{UIDValidity: 1, UIDNext: 100_001, ModSeq: 1}, complete: to == 0}
			for uid := to; uid > max(0, to-together); uid-- {
				c.rows = append(c.rows, some(uid))
			}
			if _, err := f.apply(context.Background(), box, c); err != nil {
				b.Fatal(err)
			}
		}
		f.close()
	}
}

// BenchmarkPages reads pages of a mailbox of 100,000 mails.
func BenchmarkPages(b *testing.B) {
	began := time.Now()
	f, box := large(b, 100_000)
	info, _ := os.Stat(f.path)
	b.Logf("written in %v, %d bytes a mail", time.Since(began), info.Size()/100_000)
	for _, q := range []mailclient.ListQuery{
		{Page: 1}, {Page: 1000}, {Page: 2000}, {Page: 1, Ascending: true}, {Page: 1, Sort: mailclient.SortFrom}, {Page: 1000, Sort: mailclient.SortFrom}, {Page: 1, Sort: mailclient.SortSubject, Ascending: true},
		{Page: 1000, Sort: mailclient.SortSubject, Ascending: true}, {Page: 1000, Sort: mailclient.SortSize}, {Page: 1, Filter: mailclient.FilterUnread}, {Page: 50, Filter: mailclient.FilterUnread},
		{Page: 1, Filter: mailclient.FilterAttachments}, {Page: 1, Filter: mailclient.FilterUnread, Sort: mailclient.SortSubject},
	} {
		b.Run(fmt.Sprintf("%s %s %d %v", q.Sort, q.Filter, q.Page, q.Ascending), func(b *testing.B) {
			for b.Loop() {
				l, err := f.page(context.Background(), box, q.Tidy(), nil)
				if err != nil || len(l.Rows) != 50 {
					b.Fatal(err, len(l.Rows))
				}
			}
		})
	}
	b.Run("uids", func(b *testing.B) {
		for b.Loop() {
			if all, err := f.uids(context.Background(), box, mailclient.ListQuery{}.Tidy()); err != nil || len(all) != 100_000 {
				b.Fatal(err)
			}
		}
	})
	for _, words := range []string{"from:nobody", "subject:9999", "person499@", "from:a", "is:unread subject:matter", "larger:49k", "filename:figures"} {
		q, err := mailclient.ParseSearch(words, time.UTC)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("find "+words, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := f.find(context.Background(), box, q, nil, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, page := range []int{1, 400} {
		b.Run(fmt.Sprint("conversations ", page), func(b *testing.B) {
			for b.Loop() {
				if l, err := f.page(context.Background(), box, mailclient.ListQuery{Page: page, Conversations: true}.Tidy(), nil); err != nil || len(l.Rows) != 50 {
					b.Fatal(err, len(l.Rows))
				}
			}
		})
	}
	b.Run("beside", func(b *testing.B) {
		for b.Loop() {
			if _, _, at, err := f.beside(context.Background(), box, mailclient.ListQuery{}.Tidy(), 50_000); err != nil || at != 50_001 {
				b.Fatal(err, at)
			}
		}
	})
}

// TestPagesFarBehind are those that counting from the newest gives, and stay so while mails come and go.
func TestPagesFarBehind(t *testing.T) {
	f, b := large(t, 3*atOnce+1000)
	check := func() {
		t.Helper()
		all, err := f.uids(t.Context(), b, mailclient.ListQuery{}.Tidy())
		if err != nil {
			t.Fatal(err)
		}
		for page := 1; (page-1)*50 < len(all); page += 3 {
			l, err := f.page(t.Context(), b, mailclient.ListQuery{Page: page}.Tidy(), nil)
			if err != nil || len(l.Rows) != min(50, len(all)-(page-1)*50) {
				t.Fatal(page, len(l.Rows), err)
			}
			for i, r := range l.Rows {
				if r.UID != all[(page-1)*50+i] {
					t.Fatalf("page %d has %d in place %d, not %d", page, r.UID, i, all[(page-1)*50+i])
				}
			}
		}
	}
	check()
	gone := mailclient.Step{Act: mailclient.Act{Kind: mailclient.ActExpunge}, Ref: mailclient.Ref{UIDValidity: 1, UIDs: []uint32{2400, 2399, 1200, 3}}}
	if err := f.act(t.Context(), b, gone); err != nil {
		t.Fatal(err)
	}
	check()
}
