package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"golang.org/x/sync/errgroup"
)

const nested = `From: Ben Okafor <ben@demo.test>
To: anna@demo.test
Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=
Date: Tue, 03 Mar 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: text/plain; charset=ISO-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe vom Deich
--outer
Content-Type: message/rfc822

From: carla@example.org
Subject: Inner letter
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain

plain words
--inner
Content-Type: text/html

<p>rich <b>words</b></p>
--inner--
--outer--
`

func inbox(t *testing.T, raws ...[]byte) (*Servers, *imapclient.Client) {
	t.Helper()
	s := start(t, Options{})
	for _, raw := range raws {
		must(t, s.Deliver("anna@demo.test", raw))
	}
	c := signedIn(t, s, "anna@demo.test", nil)
	selected(t, c, "INBOX")
	return s, c
}

func TestFetchReadsPartsWithinParts(t *testing.T) {
	s, c := inbox(t, []byte(nested))
	section := func(sp imap.PartSpecifier, part ...int) *imap.FetchItemBodySection {
		return &imap.FetchItemBodySection{Specifier: sp, Part: part, Peek: true}
	}
	whole := section("")
	cut := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 6, Size: 3}}
	fields := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"To"}, Peek: true}
	want := map[*imap.FetchItemBodySection]string{
		cut:                   "Ben",
		fields:                "To: anna@demo.test\r\n\r\n",
		section("", 1):        "Gr=FC=DFe vom Deich",
		section("MIME", 2):    "Content-Type: message/rfc822\r\n\r\n",
		section("", 2, 1):     "plain words",
		section("", 2, 2):     "<p>rich <b>words</b></p>",
		section("MIME", 2, 2): "Content-Type: text/html\r\n\r\n",
		whole:                 strings.ReplaceAll(nested, "\n", "\r\n"),
		section("HEADER", 2):  "From: carla@example.org\r\nSubject: Inner letter\r\nContent-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n",
		section("", 9):        "",
	}
	o := &imap.FetchOptions{Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}, RFC822Size: true, InternalDate: true, UID: true, Flags: true}
	for b := range want {
		o.BodySection = append(o.BodySection, b)
	}
	got, err := c.Fetch(imap.SeqSetNum(1), o).Collect()
	must(t, err)
	for b, text := range want {
		if have := string(got[0].FindBodySection(b)); have != text {
			t.Errorf("%v %s: %q, want %q", b.Part, b.Specifier, have, text)
		}
	}
	if got[0].Envelope.Subject != "日本" {
		t.Errorf("subject %q", got[0].Envelope.Subject)
	}
	inner := got[0].BodyStructure.(*imap.BodyStructureMultiPart).Children[1].(*imap.BodyStructureSinglePart).MessageRFC822
	if inner == nil || inner.Envelope.Subject != "Inner letter" || inner.BodyStructure.MediaType() != "multipart/alternative" {
		t.Errorf("inner message %+v", inner)
	}
	if fmt.Sprint(s.Flags("anna@demo.test", "INBOX")) != "[[]]" {
		t.Error("a peek set a flag")
	}
	_, err = c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect()
	must(t, err)
	if fmt.Sprint(s.Flags("anna@demo.test", "INBOX")) != `[[\Seen]]` {
		t.Error("reading did not set \\Seen")
	}
}

func TestSearch(t *testing.T) {
	_, c := inbox(t, []byte(nested), mailOf("Second"), mailOf("Third and last"))
	_, err := c.Store(imap.SeqSetNum(2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagFlagged, "$Work"}}, nil).Collect()
	must(t, err)
	day := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
	header := func(k, v string) []imap.SearchCriteriaHeaderField {
		return []imap.SearchCriteriaHeaderField{{Key: k, Value: v}}
	}
	for name, q := range map[string]struct {
		c    imap.SearchCriteria
		want string
	}{
		"decoded subject":  {imap.SearchCriteria{Header: header("Subject", "日本")}, "1"},
		"decoded body":     {imap.SearchCriteria{Body: []string{"GRÜSSE"}}, ""},
		"latin 1 body":     {imap.SearchCriteria{Body: []string{"grüße VOM"}}, "1"},
		"nested html":      {imap.SearchCriteria{Body: []string{"rich words"}}, "1"},
		"text in header":   {imap.SearchCriteria{Text: []string{"third AND"}}, "3"},
		"from":             {imap.SearchCriteria{Header: header("From", "okafor")}, "1:3"},
		"header exists":    {imap.SearchCriteria{Header: header("Message-ID", "")}, "2:3"},
		"flag":             {imap.SearchCriteria{Flag: []imap.Flag{imap.FlagFlagged}}, "2"},
		"keyword":          {imap.SearchCriteria{Flag: []imap.Flag{"$work"}}, "2"},
		"not":              {imap.SearchCriteria{Not: []imap.SearchCriteria{{Flag: []imap.Flag{imap.FlagFlagged}}}}, "1,3"},
		"or":               {imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{{Body: []string{"deich"}}, {Header: header("Subject", "third")}}}}, "1,3"},
		"larger":           {imap.SearchCriteria{Larger: 400}, "1"},
		"smaller":          {imap.SearchCriteria{Smaller: 400}, "2:3"},
		"sent since":       {imap.SearchCriteria{SentSince: day}, "1"},
		"sent before":      {imap.SearchCriteria{SentBefore: day}, "2:3"},
		"arrived since":    {imap.SearchCriteria{Since: time.Now().AddDate(0, 0, -2)}, "1:3"},
		"uid to the end":   {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 3, Stop: 0}}}}, "3"},
		"beyond the end":   {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 99, Stop: 0}}}}, "3"},
		"nothing like it":  {imap.SearchCriteria{Text: []string{"zebra"}}, ""},
		"sequence numbers": {imap.SearchCriteria{SeqNum: []imap.SeqSet{imap.SeqSetNum(1, 2)}}, "1:2"},
	} {
		data, err := c.UIDSearch(&q.c, &imap.SearchOptions{ReturnAll: true, ReturnCount: true, ReturnMin: true, ReturnMax: true}).Wait()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		if data.All != nil {
			got = data.All.String()
		}
		if got != q.want {
			t.Errorf("%s: %q, want %q", name, got, q.want)
		}
	}
}

func TestIdleSeesDeliveredAndExpungedMail(t *testing.T) {
	s := start(t, Options{})
	must(t, s.Deliver("anna@demo.test", mailOf("First")))
	var exists, expunged atomic.Uint32
	watcher := signedIn(t, s, "anna@demo.test", &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				exists.Store(*d.NumMessages)
			}
		},
		Expunge: func(seq uint32) { expunged.Store(seq) },
	}})
	selected(t, watcher, "INBOX")
	idle, err := watcher.Idle()
	must(t, err)
	must(t, s.Deliver("anna@demo.test", mailOf("Second")))
	eventually(t, "EXISTS 2", func() bool { return exists.Load() == 2 })

	other := signedIn(t, s, "anna@demo.test", nil)
	selected(t, other, "INBOX")
	_, err = other.Move(imap.UIDSetNum(1), "Trash").Wait()
	must(t, err)
	eventually(t, "EXPUNGE 1", func() bool { return expunged.Load() == 1 })
	must(t, idle.Close())
	must(t, idle.Wait())
}

func TestMoveAndBack(t *testing.T) {
	s, c := inbox(t, mailOf("One"), mailOf("Two"), mailOf("Three"))
	moved, err := c.Move(imap.UIDSetNum(1, 3), "Archive").Wait()
	must(t, err)
	if moved.SourceUIDs.String() != "1,3" || moved.DestUIDs.String() != "1:2" {
		t.Fatalf("COPYUID %v %v", moved.SourceUIDs, moved.DestUIDs)
	}
	selected(t, c, "Archive")
	_, err = c.Move(moved.DestUIDs, "INBOX").Wait()
	must(t, err)
	if n := len(s.Messages("anna@demo.test", "INBOX")); n != 3 {
		t.Errorf("%d messages in INBOX", n)
	}
	if n := len(s.Messages("anna@demo.test", "Archive")); n != 0 {
		t.Errorf("%d messages in Archive", n)
	}
	_, err = c.Copy(imap.UIDSetNum(1), "Nowhere").Wait()
	var refusal *imap.Error
	if !errors.As(err, &refusal) || refusal.Code != imap.ResponseCodeTryCreate {
		t.Errorf("no TRYCREATE: %v", err)
	}
}

func TestAppendTellsTheUID(t *testing.T) {
	s, c := inbox(t)
	raw := mailOf("Appended")
	cmd := c.Append("Drafts", int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDraft, imap.FlagSeen}, Time: time.Now()})
	_, err := cmd.Write(raw)
	must(t, err)
	must(t, cmd.Close())
	data, err := cmd.Wait()
	must(t, err)
	if data.UID != 1 || data.UIDValidity == 0 {
		t.Errorf("APPENDUID %+v", data)
	}
	if got := fmt.Sprint(s.Flags("anna@demo.test", "Drafts")); got != `[[\Draft \Seen]]` {
		t.Errorf("flags %s", got)
	}
}

func TestUIDExpungeRemovesOnlyWhatIsNamed(t *testing.T) {
	s, c := inbox(t, mailOf("One"), mailOf("Two"))
	_, err := c.Store(imap.UIDSetNum(1, 2), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Collect()
	must(t, err)
	must(t, c.UIDExpunge(imap.UIDSetNum(2)).Close())
	if got := s.Messages("anna@demo.test", "INBOX"); len(got) != 1 || !strings.Contains(string(got[0]), "Subject: One") {
		t.Errorf("left: %q", got)
	}
}

func TestExaminedMailboxesDoNotChange(t *testing.T) {
	s, c := inbox(t, mailOf("One"))
	_, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	must(t, err)
	if _, err := c.Store(imap.UIDSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Collect(); err == nil {
		t.Error("STORE was allowed")
	}
	if _, err := c.Move(imap.UIDSetNum(1), "Trash").Wait(); err == nil {
		t.Error("MOVE was allowed")
	}
	_, err = c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect()
	must(t, err)
	if fmt.Sprint(s.Flags("anna@demo.test", "INBOX")) != "[[]]" {
		t.Error("reading set a flag")
	}
}

func TestAClientThatKnowsAnExpungedMessageKeepsItsNumbers(t *testing.T) {
	s, slow := inbox(t, mailOf("One"), mailOf("Two"), mailOf("Three"))
	fast := signedIn(t, s, "anna@demo.test", nil)
	selected(t, fast, "INBOX")
	_, err := fast.Move(imap.UIDSetNum(1), "Trash").Wait()
	must(t, err)
	// RFC 3501 7.4.1: no EXPUNGE during FETCH, so 3 is still the third.
	got, err := slow.Fetch(imap.SeqSetNum(3), &imap.FetchOptions{UID: true}).Collect()
	must(t, err)
	if len(got) != 1 || got[0].UID != 3 {
		t.Errorf("sequence number 3 is %+v", got)
	}
	must(t, slow.Noop().Wait())
	got, err = slow.Fetch(imap.SeqSetNum(2), &imap.FetchOptions{UID: true}).Collect()
	must(t, err)
	if len(got) != 1 || got[0].UID != 3 {
		t.Errorf("after NOOP, sequence number 2 is %+v", got)
	}
}

func TestEachCapabilityCanBeSwitchedOff(t *testing.T) {
	for capability, command := range map[string]string{
		"IDLE": "IDLE", "UIDPLUS": "UID EXPUNGE 1", "MOVE": "MOVE 1 Trash", "NAMESPACE": "NAMESPACE",
		"ID": "ID NIL", "ENABLE": "ENABLE UTF8=ACCEPT", "UNSELECT": "UNSELECT",
		"ESEARCH": "SEARCH RETURN (COUNT) ALL", "LIST-EXTENDED": `LIST "" "*" RETURN (CHILDREN)`,
		"LIST-STATUS":        `LIST "" "*" RETURN (STATUS (MESSAGES))`,
		"SPECIAL-USE":        `LIST (SPECIAL-USE) "" "*"`,
		"CREATE-SPECIAL-USE": `CREATE New (USE (\Flagged))`,
		"LITERAL+":           "", "LITERAL-": "", "SASL-IR": "", "STATUS=SIZE": "", "CHILDREN": "", "UTF8=ACCEPT": "", "APPENDLIMIT": "",
	} {
		t.Run(capability, func(t *testing.T) {
			lines := []string{"a LOGIN anna demo", "b SELECT INBOX", "c CAPABILITY", "d " + command, "DONE", "e LOGOUT"}
			with := talk(t, start(t, Options{}).IMAPAddr, lines...)
			without := talk(t, start(t, Options{Without: []string{capability}}).IMAPAddr, lines...)
			if !strings.Contains(capabilitiesIn(with), " "+capability) {
				t.Errorf("not offered at all:\n%s", with)
			}
			if strings.Contains(capabilitiesIn(without), " "+capability+" ") {
				t.Errorf("still offered:\n%s", without)
			}
			if command == "" {
				return
			}
			if !strings.Contains(with, "d OK") {
				t.Errorf("not understood with it:\n%s", with)
			}
			if !strings.Contains(without, "d BAD") {
				t.Errorf("not refused without it:\n%s", without)
			}
		})
	}
}

func capabilitiesIn(answer string) string {
	_, rest, _ := strings.Cut(answer, "* CAPABILITY")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line + " "
}

func TestIDIsAnswered(t *testing.T) {
	got := talk(t, start(t, Options{}).IMAPAddr, `a ID ("name" "test")`, "b LOGOUT")
	if !strings.Contains(got, "* ID (\"name\" \"Restante demo\"") || !strings.Contains(got, "a OK ID completed") {
		t.Errorf("got:\n%s", got)
	}
}

// TestManyClientsAtOnce lets clients read, flag, move, append, idle and rename against each
// other; the race detector and the deadline are what it is for.
func TestManyClientsAtOnce(t *testing.T) {
	s := start(t, Options{})
	for i := range 40 {
		must(t, s.Deliver("anna@demo.test", mailOf(fmt.Sprint("Letter ", i))))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var g errgroup.Group
	for i := range 24 {
		g.Go(func() error {
			c, err := imapclient.DialInsecure(s.IMAPAddr, nil)
			if err != nil {
				return err
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			return strain(c, i)
		})
	}
	g.Go(func() error {
		for i := range 60 {
			if err := s.Deliver("anna@demo.test", mailOf(fmt.Sprint("New ", i))); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, g.Wait())
	total := 0
	for _, box := range s.Mailboxes("anna@demo.test") {
		total += len(s.Messages("anna@demo.test", box))
	}
	if total != 100+24*5 {
		t.Errorf("%d messages in the end, want %d: some were lost or doubled", total, 100+24*5)
	}
}

func strain(c *imapclient.Client, i int) error {
	if err := c.Login("anna@demo.test", "demo").Wait(); err != nil {
		return err
	}
	boxes := []string{"INBOX", "Archive"}
	for round := range 5 {
		from, to := boxes[(i+round)%2], boxes[(i+round+1)%2]
		if _, err := c.Select(from, nil).Wait(); err != nil {
			return err
		}
		all := imap.SeqSet{{Start: 1, Stop: 0}}
		if _, err := c.Fetch(all, &imap.FetchOptions{Envelope: true, UID: true, BodySection: []*imap.FetchItemBodySection{{}}}).Collect(); err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		flags := &imap.StoreFlags{Op: imap.StoreFlagsOp(round % 3), Flags: []imap.Flag{imap.FlagFlagged}}
		if _, err := c.Store(all, flags, nil).Collect(); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if _, err := c.Move(imap.SeqSetNum(1, 3), to).Wait(); err != nil {
			return fmt.Errorf("move: %w", err)
		}
		if err := appended(c, to, mailOf(fmt.Sprint("From client ", i))); err != nil {
			return fmt.Errorf("append: %w", err)
		}
		idle, err := c.Idle()
		if err != nil {
			return fmt.Errorf("idle: %w", err)
		}
		if err := errors.Join(idle.Close(), idle.Wait()); err != nil {
			return fmt.Errorf("done: %w", err)
		}
		if _, err := c.List("", "*", &imap.ListOptions{ReturnStatus: &imap.StatusOptions{NumMessages: true}}).Collect(); err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if _, err := c.UIDSearch(&imap.SearchCriteria{Text: []string{"harbour"}}, nil).Wait(); err != nil {
			return fmt.Errorf("search: %w", err)
		}
	}
	return nil
}

func appended(c *imapclient.Client, box string, raw []byte) error {
	cmd := c.Append(box, int64(len(raw)), nil)
	_, writeErr := cmd.Write(raw)
	closeErr := cmd.Close()
	_, err := cmd.Wait()
	return errors.Join(writeErr, closeErr, err)
}
