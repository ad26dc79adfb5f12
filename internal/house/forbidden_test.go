package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports are packages of the standard library that only some rooms may use outside of tests, and why.
var imports = map[string][]string{
	"os/exec":       {"internal/testproc", "static/generate"}, // no program is run with what came from others
	"math/rand":     {},                                       // near secrets it would be no secret
	"math/rand/v2":  {"internal/demo", "mailclient"},          // samples; waits that are not all the same
	"encoding/gob":  {},                                       // nothing foreign becomes an object
	"text/template": {},                                       // escapes nothing
	"plugin":        {},
	"unsafe":        {},
}

// words are selectors that are written in these files alone.
var words = map[string][]string{
	"*.InsecureSkipVerify": {"mailclient/wire/certificate.go"},                                                                               // a certificate to show, and a pinned key
	"http.Get":             {}, "http.Head": {}, "http.Post": {}, "http.PostForm": {}, "http.DefaultClient": {}, "http.DefaultTransport": {}, // no deadline, no guard
	"template.HTML": {"templates/fragments.go"}, // what a template has made
	"template.JS":   {}, "template.JSStr": {}, "template.CSS": {}, "template.URL": {}, "template.HTMLAttr": {}, "template.Srcset": {},
}

// sources are the files of the program, by their path from the root.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	out := map[string]*ast.File{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "node_modules") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		out[filepath.ToSlash(rel)] = f
		return err
	})
	if err != nil || len(out) < 100 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}

func TestSomePackagesAreLeftAlone(t *testing.T) {
	for path, f := range sources(t) {
		if strings.HasPrefix(path, "internal/test") {
			continue
		}
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if rooms, bounded := imports[name]; bounded && !slices.Contains(rooms, filepath.ToSlash(filepath.Dir(path))) {
				t.Errorf("%s may not import %s", path, name)
			}
		}
	}
}

func TestSomeThingsAreNeverWritten(t *testing.T) {
	for path, f := range sources(t) {
		for n := range ast.Preorder(f) {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok {
					written(t, path, "*."+k.Name)
				}
			case *ast.SelectorExpr:
				written(t, path, "*."+n.Sel.Name)
				if x, ok := n.X.(*ast.Ident); ok {
					written(t, path, x.Name+"."+n.Sel.Name)
				}
			case *ast.CallExpr:
				if query(n) {
					t.Errorf("%s puts a query together by fmt: values go in by their numbers", path)
				}
			}
		}
	}
}

func written(t *testing.T, path, word string) {
	if files, bounded := words[word]; bounded && !slices.Contains(files, path) {
		t.Errorf("%s has %s", path, word)
	}
}

// query says whether a call runs SQL that fmt made.
func query(c *ast.CallExpr) bool {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"QueryContext", "QueryRowContext", "ExecContext", "PrepareContext"}, s.Sel.Name) || len(c.Args) < 2 {
		return false
	}
	made, ok := c.Args[1].(*ast.CallExpr)
	if !ok {
		return false
	}
	by, ok := made.Fun.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(by.Sel.Name, "Sprint")
}
