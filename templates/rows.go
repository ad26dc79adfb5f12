package templates

import (
	"html/template"
	"strings"
	"sync"
)

// maxRendered is how many rows each of the two generations of a rowCache holds.
const maxRendered = 500

// rowCache keeps rows of lists as HTML: a page has fifty of them, and mostly they are those of the page before.
// Rendering them is most of the time that a page takes.
type rowCache struct {
	set *template.Template // in one language

	mu       sync.Mutex
	new, old map[Row]template.HTML
}

// html renders a row. What it keeps was written by the template "row" and escaped there, for the place of an element
// in a list: that is why it may stand as it is.
func (c *rowCache) html(r Row) (template.HTML, error) {
	if h, ok := c.get(r); ok {
		return h, nil
	}
	var b strings.Builder
	if err := c.set.ExecuteTemplate(&b, "row", r); err != nil {
		return "", err
	}
	h := template.HTML(b.String())
	c.put(r, h)
	return h, nil
}

func (c *rowCache) get(r Row) (template.HTML, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.new[r]
	if ok {
		return h, true
	}
	if h, ok = c.old[r]; ok {
		c.keep(r, h)
	}
	return h, ok
}

func (c *rowCache) put(r Row, h template.HTML) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(r, h)
}

// keep puts a row into the new generation; a full one becomes the old, which is forgotten.
func (c *rowCache) keep(r Row, h template.HTML) {
	if c.new == nil || len(c.new) >= maxRendered {
		c.new, c.old = map[Row]template.HTML{}, c.new
	}
	c.new[r] = h
}
