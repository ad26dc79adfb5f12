package mailclient

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"restante/mailclient/imapx"
)

const (
	maxMailboxes = 20_000
	treeTime     = 60 * time.Second
	statusWindow = 10
	maxStatus    = 500
)

// tree is the list of mailboxes as last heard. The slices in it are never changed: a new one takes their place.
type tree struct {
	boxes []Mailbox
	raw   map[string]string // Name -> bytes on the wire
	at    time.Time
	quota Quota
	limit bool // quota is known
}

// Mailboxes are all mailboxes of the account, INBOX first, then by role and name, with parents before their
// children. They are at most a minute old. A mailbox whose STATUS the server refuses has StatusKnown false.
func (s *Session) Mailboxes(ctx context.Context) ([]Mailbox, error) {
	s.mu.Lock()
	t := s.tree
	s.mu.Unlock()
	if t.boxes != nil && time.Since(t.at) < treeTime {
		return t.boxes, nil
	}
	err := s.do(ctx, "", true, func(c *imapx.Conn) error { return s.readTree(ctx, c) })
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.boxes, nil
}

// MailboxesNow are Mailboxes where the server need not be asked for them, else nil.
func (s *Session) MailboxesNow() []Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.tree.at) >= treeTime {
		return nil
	}
	return s.tree.boxes
}

// stale makes the next Mailboxes ask the server.
func (s *Session) stale() {
	s.acted.Add(1)
	s.mu.Lock()
	s.tree.at = time.Time{}
	s.mu.Unlock()
}

// readTree asks for everything in one round trip where the server can (M1).
func (s *Session) readTree(ctx context.Context, c *imapx.Conn) error {
	if boxOf(c) != nil {
		// The numbers of the selected mailbox are those that the connection last heard of (M2): it must hear first.
		if err := c.Do(ctx, imapx.Cmd("NOOP")); err != nil {
			return err
		}
	}
	cmds := introduce(c)
	var space, lsub, root *imapx.Command
	if c.Has("NAMESPACE") {
		space = imapx.Cmd("NAMESPACE")
		cmds = append(cmds, space)
	}
	list := listCommand(c)
	cmds = append(cmds, list)
	if !c.Has("LIST-EXTENDED") {
		lsub = imapx.Cmd("LSUB", `""`, `"*"`)
		cmds = append(cmds, lsub)
	}
	if c.Has("QUOTA") {
		root = imapx.Cmd("GETQUOTAROOT", "INBOX")
		cmds = append(cmds, root)
	}
	if err := c.Do(ctx, cmds...); err != nil {
		return err
	}
	if list.Status != "OK" {
		return list.Err(c.Host)
	}
	g := gather(list, lsub)
	if space != nil {
		g.spaces(space.Data)
	}
	g.finish()
	if !c.Has("LIST-STATUS", "LIST-EXTENDED") {
		if err := g.status(ctx, c); err != nil {
			return err
		}
	}
	t := g.tree()
	if root != nil {
		t.quota, t.limit = fullest(root.Data)
	}
	s.mu.Lock()
	s.tree = t
	s.mu.Unlock()
	return nil
}

func listCommand(c *imapx.Conn) *imapx.Command {
	if !c.Has("LIST-EXTENDED") {
		return imapx.Cmd("LIST", `""`, `"*"`)
	}
	ret := "SUBSCRIBED CHILDREN"
	if c.Has("SPECIAL-USE") {
		ret += " SPECIAL-USE"
	}
	if c.Has("LIST-STATUS") {
		ret += " STATUS (" + statusItems(c) + ")"
	}
	return imapx.Cmd("LIST", `""`, `"*"`, "RETURN", "("+ret+")")
}

func statusItems(c *imapx.Conn) string {
	items := "MESSAGES UNSEEN UIDNEXT UIDVALIDITY"
	if c.Has("CONDSTORE") {
		items += " HIGHESTMODSEQ"
	}
	return items
}

// gathering is a tree while it is put together.
type gathering struct {
	order []string // raw names
	boxes map[string]*Mailbox
	attrs map[string]map[string]bool
	subs  bool // somebody said what is subscribed
}

func gather(list, lsub *imapx.Command) *gathering {
	g := &gathering{boxes: map[string]*Mailbox{}, attrs: map[string]map[string]bool{}}
	for _, r := range list.Data {
		switch r.Type {
		case "LIST", "XLIST":
			if m, ok := imapx.ParseList(r); ok {
				g.add(m)
			}
		case "STATUS":
			raw, items := imapx.ParseStatus(r)
			g.count(raw, items)
		}
	}
	if lsub == nil {
		g.subs = true
		return g
	}
	for _, r := range lsub.Data {
		if m, ok := imapx.ParseList(r); ok && g.boxes[m.Raw] != nil && !m.Attributes[`\noselect`] {
			g.boxes[m.Raw].Subscribed, g.subs = true, true
		}
	}
	return g
}

func (g *gathering) add(m imapx.Mailbox) {
	b := g.boxes[m.Raw]
	if b == nil {
		if len(g.order) >= maxMailboxes {
			return
		}
		b = &Mailbox{Selectable: true, Delimiter: m.Delimiter}
		g.boxes[m.Raw], g.attrs[m.Raw] = b, map[string]bool{}
		g.order = append(g.order, m.Raw)
	}
	for a := range m.Attributes {
		g.attrs[m.Raw][a] = true
	}
	if m.Attributes[`\noselect`] || m.Attributes[`\nonexistent`] {
		b.Selectable = false
	}
	b.NoChildren = b.NoChildren || m.Attributes[`\noinferiors`] || m.Delimiter == ""
	b.Subscribed = b.Subscribed || m.Attributes[`\subscribed`]
}

func (g *gathering) count(raw string, items map[string]int64) {
	b := g.boxes[raw]
	if b == nil {
		for r, m := range g.boxes {
			if strings.EqualFold(r, raw) {
				b = m
			}
		}
	}
	if b == nil || len(items) == 0 {
		return
	}
	b.count(items)
}

// count takes the numbers that a STATUS tells; one that nobody asked for has not all.
func (m *Mailbox) count(items map[string]int64) {
	m.StatusKnown = true
	for item, at := range map[string]*uint32{"MESSAGES": &m.Messages, "UNSEEN": &m.Unseen, "UIDNEXT": &m.UIDNext, "UIDVALIDITY": &m.UIDValidity} {
		if n, told := items[item]; told {
			*at = uint32(n)
		}
	}
	if n, told := items["HIGHESTMODSEQ"]; told {
		m.HighestModSeq = uint64(n)
	}
}

// spaces marks what is shared, and the personal prefix (M6).
func (g *gathering) spaces(data []imapx.Response) {
	for _, r := range data {
		if r.Type != "NAMESPACE" {
			continue
		}
		for i, group := range r.Nodes {
			for j, n := range group.List {
				if len(n.List) == 0 || n.List[0].Kind == imapx.List {
					continue
				}
				g.space(n.List[0].Text, i > 0)
				if b := g.boxes["INBOX"]; b != nil && i == 0 && j == 0 {
					b.Prefix = n.List[0].Text // new mailboxes at the top get it, though INBOX itself has none
				}
			}
		}
	}
}

func (g *gathering) space(prefix string, shared bool) {
	if prefix == "" {
		return
	}
	for raw, b := range g.boxes {
		if strings.HasPrefix(raw, prefix) || raw+b.Delimiter == prefix && shared {
			b.Shared = b.Shared || shared
			if !shared {
				b.Prefix = prefix
			}
		}
	}
}

// finish adds INBOX and missing parents, decodes names and gives roles.
func (g *gathering) finish() {
	if g.boxes["INBOX"] == nil {
		g.boxes["INBOX"], g.attrs["INBOX"] = &Mailbox{Selectable: true, Delimiter: "/", Subscribed: true}, map[string]bool{}
		g.order = append(g.order, "INBOX")
	}
	for _, raw := range slices.Clone(g.order) {
		g.parents(raw)
	}
	g.guessPrefix()
	names := map[string]bool{}
	for _, raw := range g.order {
		name, err := imapx.DecodeName(raw)
		if err != nil || names[name] || imapx.EncodeName(name) != raw {
			name = strings.ToValidUTF8(raw, "\uFFFD")
		}
		for names[name] {
			name += "\u200B"
		}
		names[name] = true
		g.boxes[raw].Name = name
		if !g.subs {
			g.boxes[raw].Subscribed = true
		}
	}
	g.roles()
}

func (g *gathering) parents(raw string) {
	d := g.boxes[raw].Delimiter
	if d == "" {
		return
	}
	for i := strings.LastIndex(raw, d); i > 0; i = strings.LastIndex(raw[:i], d) {
		up := raw[:i]
		if strings.EqualFold(up, "INBOX") {
			up = "INBOX"
		}
		if g.boxes[up] != nil || len(g.order) >= maxMailboxes {
			return
		}
		g.boxes[up], g.attrs[up] = &Mailbox{Delimiter: d, Shared: g.boxes[raw].Shared, Prefix: g.boxes[raw].Prefix}, map[string]bool{}
		g.order = append(g.order, up)
	}
}

// guessPrefix takes "INBOX." for a prefix where everything stands under INBOX (Courier).
func (g *gathering) guessPrefix() {
	d := g.boxes["INBOX"].Delimiter
	if d == "" || len(g.order) < 2 {
		return
	}
	for _, raw := range g.order {
		if b := g.boxes[raw]; b.Prefix != "" || b.Shared || raw != "INBOX" && !strings.HasPrefix(raw, "INBOX"+d) {
			return
		}
	}
	for _, b := range g.boxes {
		b.Prefix = "INBOX" + d
	}
}

// status asks for the numbers of each mailbox, some at a time, the special ones first (M2).
func (g *gathering) status(ctx context.Context, c *imapx.Conn) error {
	raws := make([]string, 0, len(g.order))
	for _, raw := range g.order {
		if g.boxes[raw].Selectable {
			raws = append(raws, raw)
		}
	}
	slices.SortStableFunc(raws, func(a, b string) int { return roleOrder(g.boxes[a].Role) - roleOrder(g.boxes[b].Role) })
	raws = raws[:min(len(raws), maxStatus)]
	for window := range slices.Chunk(raws, statusWindow) {
		var cmds []*imapx.Command
		for _, raw := range window {
			cmds = append(cmds, imapx.Cmd("STATUS", imapx.Str(raw), "("+statusItems(c)+")"))
		}
		if err := c.Do(ctx, cmds...); err != nil {
			return err
		}
		for i, cmd := range cmds {
			for _, r := range cmd.Data {
				if r.Type == "STATUS" {
					name, items := imapx.ParseStatus(r)
					if g.boxes[name] == nil {
						name = window[i] // as some write it is no name at all (O85)
					}
					g.count(name, items)
				}
			}
		}
	}
	return nil
}

func (g *gathering) tree() tree {
	t := tree{raw: map[string]string{}, at: time.Now()}
	for _, raw := range g.order {
		t.boxes = append(t.boxes, *g.boxes[raw])
		t.raw[g.boxes[raw].Name] = raw
	}
	slices.SortStableFunc(t.boxes, compareMailboxes)
	return t
}

// compareMailboxes orders by sharing, role, then name level by level, so that parents precede their children.
func compareMailboxes(a, b Mailbox) int {
	if a.Shared != b.Shared {
		if a.Shared {
			return 1
		}
		return -1
	}
	if d := roleOrder(a.Role) - roleOrder(b.Role); d != 0 {
		return d
	}
	return strings.Compare(sortKey(a), sortKey(b))
}

func sortKey(m Mailbox) string {
	key := strings.ToLower(norm.NFKD.String(m.Name))
	if m.Delimiter != "" {
		key = strings.ReplaceAll(key, strings.ToLower(m.Delimiter), "\x01")
	}
	return key
}

// rawName is the name of a mailbox on the wire. Names that are not in the tree are encoded.
func (s *Session) rawName(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "\x00\r\n") || len(name) > 1000 {
		return "", ErrBadInput
	}
	if strings.EqualFold(name, "INBOX") {
		return "INBOX", nil
	}
	s.mu.Lock()
	raw, ok := s.tree.raw[name]
	s.mu.Unlock()
	if !ok {
		raw = imapx.EncodeName(name)
	}
	return raw, nil
}

// known is the mailbox as last heard, and whether it was heard of.
func (s *Session) known(name string) (Mailbox, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.tree.boxes {
		if m.Name == name {
			return m, true
		}
	}
	return Mailbox{Name: name, Selectable: true}, false
}

// Quota is the fullest quota of the account, from the last Mailboxes; false when the server has none.
func (s *Session) Quota() (Quota, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tree.quota, s.tree.limit
}

// fullest reads QUOTA lines (O92, O93).
func fullest(data []imapx.Response) (q Quota, ok bool) {
	for _, r := range data {
		if r.Type != "QUOTA" || len(r.Nodes) < 2 {
			continue
		}
		l := r.Nodes[len(r.Nodes)-1].List
		for i := 0; i+2 < len(l); i += 3 {
			used, limit := l[i+1].Number(), l[i+2].Number()
			if l[i].Is("STORAGE") && limit > 0 && (!ok || float64(used)/float64(limit) > float64(q.UsedKiB)/float64(q.LimitKiB)) {
				q, ok = Quota{UsedKiB: used, LimitKiB: limit}, true
			}
		}
	}
	return q, ok
}
