package templates

import (
	"html/template"
	"strings"
	"sync"
)

// maxFragments is how many each of the two generations of a store of fragments holds.
const maxFragments = 2000

// fragments keeps pieces of pages as HTML: a list has fifty rows, the folders stand on every page, and mostly they are
// those of the page before. Rendering them is most of the time that a page takes.
type fragments[T comparable] struct {
	name string // of the template
	set  *template.Template

	mu       sync.Mutex
	new, old map[T]template.HTML
}

// all renders one after the other.
func (c *fragments[T]) all(list []T) (template.HTML, error) {
	var b strings.Builder
	for _, v := range list {
		h, err := c.html(v)
		if err != nil {
			return "", err
		}
		if b.Len() == 0 {
			b.Grow(len(h) * (len(list) + 1))
		}
		b.WriteString(string(h))
	}
	return template.HTML(b.String()), nil
}

// html renders one. What it keeps was written by its template and escaped there, for the place of an element within
// an element: that is why it may stand as it is.
func (c *fragments[T]) html(v T) (template.HTML, error) {
	if h, ok := c.get(v); ok {
		return h, nil
	}
	var b strings.Builder
	if err := c.set.ExecuteTemplate(&b, c.name, v); err != nil {
		return "", err
	}
	h := template.HTML(b.String())
	c.put(v, h)
	return h, nil
}

func (c *fragments[T]) get(v T) (template.HTML, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.new[v]
	if ok {
		return h, true
	}
	if h, ok = c.old[v]; ok {
		c.keep(v, h)
	}
	return h, ok
}

func (c *fragments[T]) put(v T, h template.HTML) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(v, h)
}

// keep puts a fragment into the new generation; a full one becomes the old, which is forgotten.
func (c *fragments[T]) keep(v T, h template.HTML) {
	if c.new == nil || len(c.new) >= maxFragments {
		c.new, c.old = map[T]template.HTML{}, c.new
	}
	c.new[v] = h
}
