package main

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// visitor is a browser without scripts: it follows links and sends forms as they stand in the page.
type visitor struct {
	t      testing.TB
	client *http.Client
	base   string

	url    *url.URL
	status int
	header http.Header
	body   []byte
	doc    *html.Node
}

func newVisitor(t testing.TB, base string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	t.Cleanup(tr.CloseIdleConnections)
	return &visitor{t: t, base: base, client: &http.Client{Jar: jar, Transport: tr, Timeout: 60 * time.Second}}
}

// get opens a path of the site, or the address of a link in the page.
func (v *visitor) get(ref string) *visitor {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodGet, v.resolve(ref), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(req)
}

func (v *visitor) resolve(ref string) string {
	v.t.Helper()
	base := v.url
	if base == nil {
		var err error
		if base, err = url.Parse(v.base); err != nil {
			v.t.Fatal(err)
		}
	}
	u, err := base.Parse(ref)
	if err != nil {
		v.t.Fatal(err)
	}
	return u.String()
}

func (v *visitor) do(req *http.Request) *visitor {
	v.t.Helper()
	if err := v.try(req); err != nil {
		v.t.Fatal(err)
	}
	return v
}

// try is do for an answer that may not come.
func (v *visitor) try(req *http.Request) error {
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	v.url, v.status, v.header, v.body, v.doc = res.Request.URL, res.StatusCode, res.Header, body, nil
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		v.doc, err = html.Parse(bytes.NewReader(body))
	}
	return err
}

// want fails unless the last answer has this status.
func (v *visitor) want(status int) *visitor {
	v.t.Helper()
	if v.status != status {
		v.t.Fatalf("%s: status %d, not %d: %s", v.url, v.status, status, strings.Join(v.texts("[role=alert]"), " "))
	}
	return v
}

var (
	simple = regexp.MustCompile(`^([a-z0-9]*)((?:\[[^\]]+\])*)$`)
	inAttr = regexp.MustCompile(`\[([a-z-]+)(?:="?([^"\]]*)"?)?\]`)
)

// all finds the elements of one simple selector: tag[attr][attr=value].
func (v *visitor) all(selector string) []*html.Node { return allIn(v.t, v.doc, selector) }

func allIn(t testing.TB, root *html.Node, selector string) (out []*html.Node) {
	t.Helper()
	m := simple.FindStringSubmatch(selector)
	if m == nil {
		t.Fatalf("not a simple selector: %s", selector)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (m[1] == "" || n.Data == m[1]) && hasAll(n, m[2]) {
			out = append(out, n)
		}
	}
	return out
}

func hasAll(n *html.Node, conditions string) bool {
	for _, c := range inAttr.FindAllStringSubmatch(conditions, -1) {
		got, ok := attribute(n, c[1])
		if !ok || strings.Contains(c[0], "=") && got != c[2] {
			return false
		}
	}
	return true
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, key string) string {
	s, _ := attribute(n, key)
	return s
}

// one is the first element of a selector; without one the test ends.
func (v *visitor) one(selector string) *html.Node {
	v.t.Helper()
	found := v.all(selector)
	if len(found) == 0 {
		v.t.Fatalf("%s has no %s", v.url, selector)
	}
	return found[0]
}

func (v *visitor) has(selector string) bool { return v.doc != nil && len(v.all(selector)) > 0 }

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (v *visitor) texts(selector string) (out []string) {
	if v.doc == nil {
		return nil
	}
	for _, n := range v.all(selector) {
		out = append(out, text(n))
	}
	return out
}

// says fails unless an element of the selector has these words.
func (v *visitor) says(selector, words string) {
	v.t.Helper()
	all := v.texts(selector)
	for _, s := range all {
		if strings.Contains(s, words) {
			return
		}
	}
	v.t.Fatalf("%s: no %s says %q; they say %q", v.url, selector, words, all)
}

// follow goes where a link of the selector leads.
func (v *visitor) follow(selector string) *visitor {
	v.t.Helper()
	return v.get(attr(v.one(selector), "href"))
}

// row is the UID of the mail with this subject in the list on the page, "" if there is none.
func (v *visitor) row(subject string) string {
	for _, n := range v.all("[data-uid]") {
		if strings.Contains(text(n), subject) {
			return attr(n, "data-uid")
		}
	}
	return ""
}

// open follows the link of the mail with this subject.
func (v *visitor) open(subject string) *visitor {
	v.t.Helper()
	for _, n := range v.all("[data-uid]") {
		if strings.Contains(text(n), subject) {
			return v.get(attr(allIn(v.t, n, "a[data-message-link]")[0], "href"))
		}
	}
	v.t.Fatalf("%s lists no %q but %q", v.url, subject, v.texts("[data-uid]"))
	return v
}

// file is something to be put into a form's file field.
type file struct {
	name string
	body []byte
}

// form is a form of the page with what is to be typed into it.
type form struct {
	v      *visitor
	node   *html.Node
	action string // of the button, "" for the form's own
	values url.Values
	files  map[string][]file
}

// formAround finds the form in which the first element of a selector stands.
func (v *visitor) formAround(selector string) *form {
	v.t.Helper()
	for n := v.one(selector); n != nil; n = n.Parent {
		if n.Data == "form" {
			return v.filled(n)
		}
	}
	v.t.Fatalf("%s: %s stands in no form", v.url, selector)
	return nil
}

// form finds the first form of a selector, filled as the page fills it.
func (v *visitor) form(selector string) *form {
	v.t.Helper()
	return v.filled(v.one(selector))
}

func (v *visitor) filled(node *html.Node) *form {
	f := &form{v: v, node: node, values: url.Values{}, files: map[string][]file{}}
	for n := range f.node.Descendants() {
		name := attr(n, "name")
		if _, off := attribute(n, "disabled"); n.Type != html.ElementNode || name == "" || off {
			continue
		}
		switch n.Data {
		case "input":
			f.input(n, name)
		case "textarea":
			f.values.Add(name, strings.TrimPrefix(rawText(n), "\n"))
		case "select":
			f.values.Add(name, chosen(v.t, n))
		}
	}
	return f
}

func rawText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		b.WriteString(d.Data)
	}
	return b.String()
}

func (f *form) input(n *html.Node, name string) {
	switch attr(n, "type") {
	case "submit", "file", "button", "image":
	case "checkbox", "radio":
		if _, on := attribute(n, "checked"); on {
			f.values.Add(name, attr(n, "value"))
		}
	default:
		f.values.Add(name, attr(n, "value"))
	}
}

func chosen(t testing.TB, sel *html.Node) string {
	options := allIn(t, sel, "option")
	for _, o := range options {
		if _, on := attribute(o, "selected"); on {
			return attr(o, "value")
		}
	}
	if len(options) == 0 {
		return ""
	}
	return attr(options[0], "value")
}

func (f *form) set(name string, values ...string) *form {
	f.values[name] = values
	return f
}

func (f *form) attach(name string, files ...file) *form {
	f.files[name] = append(f.files[name], files...)
	return f
}

// press sends the form by the button with this name and value, which must stand in it.
func (f *form) press(name, value string) *visitor {
	f.v.t.Helper()
	if name != "" {
		var found *html.Node
		buttons := allIn(f.v.t, f.node, "button")
		if id := attr(f.node, "id"); id != "" { // a button may stand elsewhere
			buttons = append(buttons, f.v.all(`button[form="`+id+`"]`)...)
		}
		for _, n := range buttons {
			if attr(n, "name") == name && attr(n, "value") == value {
				found = n
			}
		}
		if found != nil {
			f.action = attr(found, "formaction")
		}
		if found == nil {
			f.v.t.Fatalf("%s: the form has no button %s=%s", f.v.url, name, value)
		}
		f.values.Set(name, value)
	}
	return f.v.do(f.request())
}

func (f *form) request() *http.Request {
	f.v.t.Helper()
	target := f.v.resolve(cmp.Or(f.action, attr(f.node, "action")))
	if !strings.EqualFold(attr(f.node, "method"), "post") {
		u, _, _ := strings.Cut(target, "?")
		req, err := http.NewRequest(http.MethodGet, u+"?"+f.values.Encode(), nil)
		if err != nil {
			f.v.t.Fatal(err)
		}
		return req
	}
	body, kind := io.Reader(strings.NewReader(f.values.Encode())), "application/x-www-form-urlencoded"
	if attr(f.node, "enctype") == "multipart/form-data" {
		body, kind = f.multipart()
	}
	req, err := http.NewRequest(http.MethodPost, target, body)
	if err != nil {
		f.v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}

func (f *form) multipart() (io.Reader, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range f.values {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				f.v.t.Fatal(err)
			}
		}
	}
	for name, files := range f.files {
		for _, file := range files {
			part, err := w.CreateFormFile(name, file.name)
			if err != nil {
				f.v.t.Fatal(err)
			}
			if _, err := part.Write(file.body); err != nil {
				f.v.t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		f.v.t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}
