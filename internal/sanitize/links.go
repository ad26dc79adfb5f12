package sanitize

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// anchor writes a link, or what it holds when it leads nowhere that may be gone to.
func (w *walker) anchor(to, n *html.Node, sc scope) {
	href := ""
	if !sc.link {
		href = w.target(attr(n, "href"), func() string { return textOf(n) })
	}
	if href == "" {
		if sc.link || !w.flat && onlyParts[to.Data] {
			w.children(to, n, sc)
			return
		}
		w.into(element("span"), to, n, sc)
		return
	}
	if w.links++; w.links > maxLinks {
		w.blocked.Cut = true
		w.children(to, n, sc)
		return
	}
	e := element("a")
	e.Attr = make([]html.Attribute, 0, 6)
	w.href(e, href)
	sc.link = true
	w.into(e, to, n, sc)
}

// href writes where a link goes, and that the place learns nothing of where from.
func (w *walker) href(e *html.Node, to string) {
	put(e, "href", to)
	if w.profile != view || strings.HasPrefix(to, "#") {
		return
	}
	put(e, "target", "_blank")
	put(e, "rel", "noopener noreferrer nofollow")
	put(e, "referrerpolicy", "no-referrer")
}

// target is where a link of a mail with this text may go; "" for nowhere.
func (w *walker) target(href string, text func() string) string {
	s := stripURL(href)
	if strings.HasPrefix(s, "#") {
		if w.profile == view && nameable(s[1:]) {
			return "#" + w.own(s[1:])
		}
		return ""
	}
	if w.o.NoLinks {
		return ""
	}
	if strings.HasPrefix(strings.ToLower(s), "www.") {
		s = "https://" + s
	}
	switch schemeOfURL(s) {
	case "mailto":
		m, ok := mailto(s)
		if ok && w.profile == view && !w.same {
			m = "/compose?mailto=" + url.QueryEscape(m)
		}
		return only(m, ok)
	case "tel", "sms":
		return only(dial(s))
	}
	to, ok := webURL(s)
	if !ok {
		return ""
	}
	if w.profile == view && !w.same && lies(text(), to) {
		if w.o.Leave == nil {
			return ""
		}
		return w.o.Leave(to.url)
	}
	return to.url
}

func only(s string, ok bool) string {
	if ok {
		return s
	}
	return ""
}

// mapLinks writes the links of a linked picture as a list of words: the picture itself stands where it is.
func (w *walker) mapLinks(to, n *html.Node, sc scope) {
	if sc.link || onlyParts[to.Data] {
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode || c.Data != "area" {
			continue
		}
		words := shortText(attr(c, "alt"))
		href := w.target(attr(c, "href"), func() string { return words })
		if w.links++; href == "" || w.links > maxLinks || w.stop() {
			continue
		}
		if words == "" {
			_, words, _ = strings.Cut(href, "://")
			words, _, _ = strings.Cut(words, "/")
		}
		if words == "" {
			continue
		}
		e := element("a")
		w.href(e, href)
		addText(e, words)
		to.AppendChild(e)
		addText(to, " ")
	}
}
