package sanitize

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// image writes a picture: ours by its part, another site's by the proxy when that is allowed, else a frame of its size.
func (w *walker) image(to, n *html.Node, sc scope) {
	if onlyParts[to.Data] {
		return
	}
	if w.images++; w.images > maxImages {
		w.blocked.Cut = true
		return
	}
	src := attr(n, "src")
	if by := w.tracker(n, src); by != "" {
		w.keepOut(by)
		return
	}
	u, remote := w.picture(src)
	if u == "" {
		if remote && w.profile != quote {
			w.blocked.Images++
		}
		w.placeholder(to, n, sc, remote)
		return
	}
	e := element("img")
	e.Attr = make([]html.Attribute, 0, 9)
	put(e, "src", u)
	alt := shortText(attr(n, "alt"))
	put(e, "alt", alt)
	if w.profile == view {
		put(e, "referrerpolicy", "no-referrer")
		put(e, "loading", "lazy")
		put(e, "decoding", "async")
	}
	w.into(e, to, n, sc)
	w.keepRatio(e, n)
}

// keepRatio lets a picture of a fixed size become lower where it becomes narrower, as the page around the letter makes
// all that are too wide. What the letter says of its height stays.
func (w *walker) keepRatio(e, n *html.Node) {
	width, height := attr(e, "width"), attr(e, "height")
	if x, err := strconv.Atoi(width); err != nil || x <= 100 || w.profile != view || w.flat {
		return
	}
	if y, err := strconv.Atoi(height); err != nil || y <= 2 {
		return
	}
	day, _ := w.cascade(w.sheet.matching(n), nil, w.inlineDecls(n))
	const free = "height:initial"
	if d, ok := day.of("height"); ok && d.text() != "initial" {
		return
	}
	style := free + ";aspect-ratio:" + width + "/" + height
	for i, a := range e.Attr {
		if a.Key == "style" {
			e.Attr[i].Val = strings.TrimSuffix(strings.TrimSuffix(a.Val, free), ";")
			if e.Attr[i].Val != "" {
				style = e.Attr[i].Val + ";" + style
			}
			e.Attr[i].Val = style
			return
		}
	}
	put(e, "style", style)
}

// picture gives the address under which a picture may be shown, "" for none, and whether it was another site's.
func (w *walker) picture(src string) (u string, remote bool) {
	s := stripURL(src)
	switch scheme := schemeOfURL(s); scheme {
	case "cid":
		return w.ownPart("cid:" + s[4:]), false
	case "data":
		u, size, ok := dataImage(s)
		if w.data += size; !ok || w.data > maxDataAll {
			return "", false
		}
		return u, false
	}
	if u := w.ownPart(s); u != "" {
		return u, false
	}
	to, ok := webURL(s)
	if !ok {
		return "", false
	}
	if w.o.Remote == nil {
		return "", true
	}
	return w.o.Remote(to.url), true
}

// ownPart asks for a part of this mail, by its name as written and as meant.
func (w *walker) ownPart(ref string) string {
	if w.o.Part == nil || ref == "" || ref == "cid:" || len(ref) > maxValue {
		return ""
	}
	if u := w.o.Part(ref); u != "" {
		return u
	}
	if meant, err := url.PathUnescape(ref); err == nil && meant != ref {
		return w.o.Part(meant)
	}
	return ""
}

// placeholder stands for a picture that is not shown, in its size, with its words.
func (w *walker) placeholder(to, n *html.Node, sc scope, remote bool) {
	alt := shortText(attr(n, "alt"))
	if w.profile != view {
		if alt != "" {
			w.addText(to, "["+alt+"]", sc)
		}
		return
	}
	if !remote && alt == "" {
		return
	}
	e := element("span")
	if remote {
		put(e, "class", "blocked")
	}
	if alt != "" {
		put(e, "title", alt)
		addText(e, alt)
	}
	to.AppendChild(e)
	if size := placeSize(n); size != "" && remote {
		put(e, "style", size)
	}
}

// placeSize is the style that keeps a picture's place. It gives way on a narrow page, as the picture would.
func placeSize(n *html.Node) string {
	var size []string
	px := map[string]int{}
	for _, key := range []string{"width", "height"} {
		v, ok := dimension(attr(n, key), true)
		switch {
		case !ok:
		case strings.HasSuffix(v, "%"):
			size = append(size, key+":"+v)
		default:
			x, _ := strconv.Atoi(v)
			px[key] = min(x, 2000)
		}
	}
	w, h := px["width"], px["height"]
	if w > 0 {
		size = append(size, fmt.Sprintf("width:min(%dpx,100%%)", w))
	}
	switch {
	case w > 0 && h > 0:
		size = append(size, fmt.Sprintf("aspect-ratio:%d/%d", w, h))
	case h > 0:
		size = append(size, fmt.Sprintf("height:%dpx", h))
	}
	return strings.Join(size, ";")
}
