package templates

import (
	"html"
	"html/template"
	"text/template/parse"
)

// fold works out once, when a set is parsed, what is the same on every page of its language: words without values,
// addresses of assets, icons and other partials that get a constant. Most of a page is of that kind, and executing it
// each time took most of the time. consts are the functions whose result hangs on nothing but a constant argument.
//
// Folded text is escaped for the text of an element or a quoted attribute, and must stand nowhere else.
func fold(set *template.Template, consts map[string]func(string) string) {
	f := folder{set, consts, map[*parse.ListNode]bool{}}
	for _, t := range set.Templates() {
		if t.Tree != nil {
			f.list(t.Tree.Root)
		}
	}
}

type folder struct {
	set    *template.Template
	consts map[string]func(string) string
	done   map[*parse.ListNode]bool
}

func (f *folder) list(l *parse.ListNode) {
	if l == nil || f.done[l] {
		return
	}
	f.done[l] = true
	out := l.Nodes[:0:0]
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.IfNode:
			f.list(n.List)
			f.list(n.ElseList)
		case *parse.WithNode:
			f.list(n.List)
			f.list(n.ElseList)
		case *parse.RangeNode:
			f.list(n.List)
			f.list(n.ElseList)
		}
		text, ok := f.constant(n)
		if !ok {
			out = append(out, n)
			continue
		}
		if i := len(out) - 1; i >= 0 {
			if before, is := out[i].(*parse.TextNode); is {
				out[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: before.Pos, Text: append(before.Text[:len(before.Text):len(before.Text)], text...)}
				continue
			}
		}
		out = append(out, &parse.TextNode{NodeType: parse.NodeText, Pos: n.Position(), Text: text})
	}
	l.Nodes = out
}

// constant is the text that a node always gives, if it does.
func (f *folder) constant(n parse.Node) ([]byte, bool) {
	switch n := n.(type) {
	case *parse.TextNode:
		return n.Text, true
	case *parse.ActionNode:
		args, ok := command(n.Pipe)
		if !ok || len(args) != 2 {
			return nil, false
		}
		name, isName := args[0].(*parse.IdentifierNode)
		arg, isString := args[1].(*parse.StringNode)
		if !isName || !isString || f.consts[name.Ident] == nil {
			return nil, false
		}
		return []byte(html.EscapeString(f.consts[name.Ident](arg.Text))), true
	case *parse.TemplateNode:
		return f.partial(n)
	}
	return nil, false
}

// partial is the text of a partial that gets a constant or nothing, and holds nothing else that changes.
func (f *folder) partial(n *parse.TemplateNode) (text []byte, ok bool) {
	dot := ""
	if n.Pipe != nil {
		args, single := command(n.Pipe)
		if !single || len(args) != 1 {
			return nil, false
		}
		s, isString := args[0].(*parse.StringNode)
		if !isString {
			return nil, false
		}
		dot = html.EscapeString(s.Text)
	}
	t := f.set.Lookup(n.Name)
	if t == nil || t.Tree == nil {
		return nil, false
	}
	f.list(t.Tree.Root)
	for _, inner := range t.Tree.Root.Nodes {
		if part, same := f.constant(inner); same {
			text = append(text, part...)
		} else if isDot(inner) && n.Pipe != nil {
			text = append(text, dot...)
		} else {
			return nil, false
		}
	}
	return text, true
}

// command is the one command of a pipe that sets no variable.
func command(p *parse.PipeNode) ([]parse.Node, bool) {
	if p == nil || len(p.Decl) > 0 || len(p.Cmds) != 1 {
		return nil, false
	}
	return p.Cmds[0].Args, true
}

func isDot(n parse.Node) bool {
	a, ok := n.(*parse.ActionNode)
	if !ok {
		return false
	}
	args, ok := command(a.Pipe)
	if !ok || len(args) != 1 {
		return false
	}
	_, ok = args[0].(*parse.DotNode)
	return ok
}
