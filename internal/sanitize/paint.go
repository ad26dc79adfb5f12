package sanitize

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// colors writes the colours of a node, by day as sent and by night so that its text can be read, and puts into out
// what its children have behind and before them.
func (w *walker) colors(n *html.Node, name string, day, night looks, sc scope, out *scope) (parts []string) {
	own := w.themed && w.sheet.schemed
	ground, changed := w.ground(n, day, night, sc, out, own)
	out.text = w.ink(name, day, night, sc, out, own)
	if w.profile != view {
		return w.plainColors(day, ground, changed)
	}
	if changed {
		parts = append(parts, "background-color:"+ground.String())
	}
	inherited := sc.text
	if name == "a" {
		inherited = shade{linkLight, linkDark}
		if !w.themed {
			inherited.night = linkLight
		}
	}
	if out.text != inherited {
		parts = append(parts, "color:"+out.text.String())
	}
	return parts
}

// plainColors are the colours as a person chose them, for sending. A quote stands on another ground, by day or night,
// and has none: white letters would be lost on it.
func (w *walker) plainColors(day looks, ground shade, changed bool) (parts []string) {
	if w.profile == quote {
		return nil
	}
	if changed {
		parts = append(parts, "background-color:"+ground.day.String())
	}
	color, _ := day.of("color")
	if c, ok := color.color(); ok {
		parts = append(parts, "color:"+c.String())
	}
	return parts
}

// colorIn is the colour that a property has, if it has one of its own.
func colorIn(l looks, prop string, current rgba) (rgba, bool) {
	d, ok := l.of(prop)
	if !ok {
		return rgba{}, false
	}
	if d.text() == "currentcolor" {
		return current, true
	}
	return d.color()
}

// ground settles what is behind a node. What is written may be transparent; what out holds is opaque.
func (w *walker) ground(n *html.Node, day, night looks, sc scope, out *scope, own bool) (written shade, changed bool) {
	bg, has := colorIn(day, "background-color", sc.text.day)
	has = has && bg.a > 0
	if has {
		written = shade{bg, bg}
		out.ground.day = bg.over(sc.ground.day)
	}
	nb, _ := colorIn(night, "background-color", sc.text.night)
	own = own && nb != bg // the letter has a night of its own for this node
	switch {
	case !w.themed:
		out.ground.night = out.ground.day
	case own:
		out.ground.night, out.keep = nb.over(sc.ground.night), false
		written.night, has = nb, true
	case has && sc.keep:
		out.ground.night = out.ground.day
		written.night = out.ground.night
	case has:
		w.nightGround(n, day, sc, out)
		written.night = out.ground.night
	}
	if w.themed && !own && w.pictured(day, sc, out) {
		written.night, has = out.ground.night, true
	}
	return written, has
}

// nightGround maps a background. One that stays keeps its text too.
func (w *walker) nightGround(n *html.Node, day looks, sc scope, out *scope) {
	if !stays(out.ground.day) {
		out.keep = false
		out.ground.night = w.darken(out.ground.day)
		return
	}
	ink, ok := colorIn(day, "color", sc.text.day)
	if !ok {
		ink = sc.text.day
	}
	w.peeked = true
	ink, _ = w.firstInk(n, ink, 0)
	out.ground.night = settle(out.ground.day, ink.over(out.ground.day))
}

// maxPeeks is how many nodes may be looked at to see what text stands on strong grounds.
const maxPeeks = 5000

// firstInk is the colour of the first text below n, which has ink itself.
func (w *walker) firstInk(n *html.Node, ink rgba, depth int) (rgba, bool) {
	for c := n.FirstChild; c != nil && depth < 20; c = c.NextSibling {
		if c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" {
			return ink, true
		}
		if w.peeks++; w.peeks > maxPeeks {
			return ink, true
		}
		if c.Type != html.ElementNode || c.Namespace != "" || killed[c.Data] {
			continue
		}
		day, _ := w.cascade(w.sheet.matching(c), hints(c), w.inlineDecls(c))
		below, ok := colorIn(day, "color", ink)
		if !ok {
			below = ink
			if c.Data == "a" {
				below = w.linkDay
			}
		}
		if found, ok := w.firstInk(c, below, depth+1); ok {
			return found, true
		}
	}
	return ink, false
}

// pictured says whether a picture or gradient is behind the node; then all below it keeps its colours, on a ground
// of its own by night where it had none. A pale gradient is darkened, and what stands on it must be told from the
// lightest that comes of it.
func (w *walker) pictured(l looks, sc scope, out *scope) bool {
	d, ok := l.of("background-image")
	if !ok || d.text() == "none" {
		return false
	}
	if cs := d.colors(); len(cs) > 0 {
		if out.ground.day = mean(cs); !sc.keep && pale(cs) {
			out.keep = false
			out.ground.night = w.darken(slices.MinFunc(cs, func(a, b rgba) int {
				return cmp.Compare(a.over(sheetLight).luminance(), b.over(sheetLight).luminance())
			}).over(sheetLight))
			return true
		}
	} else if w.background(d.picture()) == "" {
		return false
	}
	out.keep = true
	out.ground.night = out.ground.day
	return true
}

// ink settles the colour of text.
func (w *walker) ink(name string, day, night looks, sc scope, out *scope, own bool) shade {
	base := sc.text
	if name == "a" {
		base = shade{w.linkDay, w.nightInk(w.linkDay)}
	}
	c, explicit := colorIn(day, "color", sc.text.day)
	if explicit {
		base = shade{c, w.nightInk(c)}
	} else if name != "a" {
		base.night = w.nightInk(base.day)
	}
	switch {
	case !w.themed:
		return shade{base.day, base.day}
	case own && hasOwn(day, night, sc):
		base.night, _ = colorIn(night, "color", sc.text.night)
	case own && !explicit && name != "a" && !out.keep && !stays(out.ground.day):
		base.night = sc.text.night
	case out.keep || stays(out.ground.day):
		base.night = base.day
	}
	if base.day.a == 0 {
		base.night = base.day
		return base
	}
	if contrast(base.day.over(out.ground.day), out.ground.day) < unseen && (explicit || base.day == sc.text.day && w.unseen(sc)) {
		base.night = out.ground.night
		return base
	}
	base.night = w.push(base.night.over(out.ground.night), out.ground.night)
	return base
}

// hasOwn says whether the letter has a colour of text of its own for the night.
func hasOwn(day, night looks, sc scope) bool {
	d, _ := colorIn(day, "color", sc.text.day)
	n, ok := colorIn(night, "color", sc.text.night)
	return ok && n != d
}

// nightInk maps the colour of text; those of our own page have their own night.
func (w *walker) nightInk(c rgba) rgba {
	switch c {
	case inkLight:
		return inkDark
	case linkLight:
		return linkDark
	}
	return w.darken(c)
}

// darken is darken with a memory.
func (w *walker) darken(c rgba) rgba {
	if night, ok := w.nights[c]; ok {
		return night
	}
	night := darken(c)
	if len(w.nights) < 10_000 {
		w.nights[c] = night
	}
	return night
}

// push is push with a memory, as a letter has few colours and many nodes.
func (w *walker) push(text, ground rgba) rgba {
	key := [2]rgba{text, ground}
	if c, ok := w.pushed[key]; ok {
		return c
	}
	c := push(text, ground)
	if len(w.pushed) < 10_000 {
		w.pushed[key] = c
	}
	return c
}
