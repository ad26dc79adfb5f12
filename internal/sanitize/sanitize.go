// Package sanitize turns foreign HTML, CSS and text into documents that may be
// shown: it reads as a browser reads, builds a new tree from lists of what is
// allowed, writes it with its own writer, and reads its own output once more to
// see that it means what was written. Nothing may edit what it gives out. It
// fetches nothing and knows no requests, users or mail servers.
// Start at Document; the lists are in lists.go, css_lists.go and attrs.go.
package sanitize

import (
	"context"
	"slices"
	"strings"
	"time"
)

// maxTime is how long one document may take.
const maxTime = 2 * time.Second

// Part is one piece of a mail: exactly one field is set.
type Part struct {
	HTML  string // foreign HTML, already decoded to UTF-8
	Text  string // foreign plain text
	Image string // the URL, on our own site, of a picture of the mail
}

// Options say how a mail is shown.
type Options struct {
	// Theme is light, dark, auto (as the reader's system) or original (colours as sent, on white). "" means light.
	Theme string
	// Part gives our own URL of the part of this mail that ref names ("cid:…", or a Content-Location), "" when there is none.
	Part func(ref string) string
	// Remote gives our own URL for a picture of another site (absolute http or https). nil blocks them all.
	Remote func(url string) string
	// Leave gives our own URL of the page that asks before a lying link is followed. nil makes such links plain text.
	Leave func(url string) string
	// NoLinks leaves no link in, but to places within the mail: their words stand as text.
	NoLinks bool
	// Quoted are the words for the folded quote, for those who hear the page. "" means English.
	Quoted string
}

// Blocked counts what was kept out.
type Blocked struct {
	Images    int      // pictures of other sites, for want of Options.Remote
	Trackers  int      // pictures too small to be seen, kept out always
	TrackedBy []string // who would have counted by them: names of services, or hosts, each once
	Forms     bool     // there was a form
	Cut       bool     // a limit of size, depth or time was reached; what is shown is not all
	Plain     bool     // the HTML could not be written so that it is read alike; its text is shown
}

// Safe is a document that only this package can make.
type Safe struct {
	html    string
	blocked Blocked
}

// String is the document, complete, in UTF-8.
func (s Safe) String() string { return s.html }

// Blocked says what was kept out of it.
func (s Safe) Blocked() Blocked { return s.blocked }

// Document makes one page of the parts of a mail, in their order, each cleaned alone. It never fails: beyond its
// limits (2 MB a part, 4 MB in all, two seconds, or the end of ctx) it gives what it could.
func Document(ctx context.Context, parts []Part, o Options) Safe { return Make(ctx, parts, o).Read() }

// Made is a document that is written, and not yet read once more: of it can be told only what was kept out.
type Made struct {
	theme  string
	parts  []*madePart
	cancel context.CancelFunc
}

type madePart struct {
	w    *walker
	html string
	read func() string // gives the HTML that reads as it was made; nil where none can read otherwise
}

// Make is the first part of Document, and the longer one; Read must follow it.
func Make(ctx context.Context, parts []Part, o Options) *Made {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	m := &Made{theme: o.Theme, cancel: cancel}
	for i, p := range parts {
		if p != (Part{}) {
			made := &madePart{w: newWalker(ctx, o, i)}
			made.html, made.read = made.w.part(p)
			m.parts = append(m.parts, made)
		}
	}
	return m
}

// Blocked says what was kept out: the same as of the document, but for one that turns out to read otherwise than it
// was made.
func (m *Made) Blocked() (b Blocked) {
	for _, p := range m.parts {
		b.add(p.w.blocked)
	}
	return b
}

// Read gives the document, once it has been seen to read as it was made.
func (m *Made) Read() Safe {
	defer m.cancel()
	var bodies, styles []string
	budget := maxOutput
	for _, p := range m.parts {
		if p.read != nil {
			p.html = p.read()
		}
		w := p.w
		if len(p.html)+len(w.css) > budget {
			w.blocked.Cut, p.html, w.css = true, "", ""
		}
		budget -= len(p.html) + len(w.css)
		if w.css != "" {
			styles = append(styles, "<style>\n"+w.css+"</style>")
		}
		bodies = append(bodies, p.html)
	}
	body := strings.Join(bodies, "\n<hr class=\"between\">\n") // one, as most letters have, is not copied
	dir := ""
	if len(m.parts) > 0 && m.parts[0].w.rightToLeft {
		dir = ` dir="rtl"`
	}
	return Safe{html: shell(m.theme, dir, strings.Join(styles, ""), body), blocked: m.Blocked()}
}

func (b *Blocked) add(o Blocked) {
	b.Images += o.Images
	b.Trackers += o.Trackers
	for _, by := range o.TrackedBy {
		if !slices.Contains(b.TrackedBy, by) {
			b.TrackedBy = append(b.TrackedBy, by)
		}
	}
	b.Forms, b.Cut, b.Plain = b.Forms || o.Forms, b.Cut || o.Cut, b.Plain || o.Plain
}

func schemeOf(theme string) string {
	switch theme {
	case "dark":
		return "dark"
	case "auto":
		return "light dark"
	}
	return "light"
}

// shell is our own page around cleaned parts; its styles use classes without "m-", which no mail can have.
func shell(theme, dir, styles, body string) string {
	return `<!DOCTYPE html>
<html` + dir + `><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title></title><style>
:root{color-scheme:` + schemeOf(theme) + `}
body{margin:0;padding:16px;overflow-wrap:break-word;color:light-dark(#192029,#e8e6e0);background:light-dark(#fdfcfa,#11151b);font:16px/1.5 system-ui,sans-serif}
body::after{content:"";display:block;clear:both}
a{color:light-dark(#1b549b,#8fc3f5)}
img{max-width:100%}
table{max-width:100%}
pre{overflow-x:auto}
.text{white-space:pre-wrap}
.text blockquote{margin:0;padding-left:12px;border-left:2px solid light-dark(#bdbab3,#474e57);color:light-dark(#474e57,#bdbab3)}
.sig{color:light-dark(#5e646d,#a19e96)}
.blocked{display:inline-block;min-width:16px;min-height:16px;max-width:100%;border:1px dashed light-dark(#bdbab3,#474e57);box-sizing:border-box;overflow:hidden}
.between{border:0;border-top:1px solid light-dark(#d8d5cd,#2b3038);margin:16px 0}
.picture{display:block;max-width:100%;height:auto}
.note{color:light-dark(#5e646d,#a19e96);font-size:14px}
details.quoted>summary{display:inline-block;list-style:none;cursor:pointer;margin:8px 0;padding:0 12px;border-radius:999px;background:light-dark(#ebe8e1,#232830);color:light-dark(#474e57,#bdbab3)}
@media (max-width:480px),(max-device-width:480px){body{padding:8px 0}}
@media (pointer:coarse){details.quoted>summary{padding:10px 20px}}
@media print{:root{color-scheme:light}body{padding:0}details.quoted>summary{display:none}details.quoted::details-content{content-visibility:visible;block-size:auto}}
` + paper(theme) + `</style>` + styles + `</head><body>
` + body + "\n</body></html>\n"
}

// paper is the white sheet on which a letter's own colours are shown.
func paper(theme string) string {
	if theme == "original" {
		return "body{padding:16px;color:#192029;background:#fff;border-radius:8px}\n"
	}
	return ""
}
