package proxy

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const keepFor = 24 * time.Hour

// cache keeps pictures for a day, in memory or as files of mode 0600 named by a hash of the URL, the longest unused
// ones leaving when it is full. It knows the files of its own life only; older ones are removed at the start.
type cache struct {
	dir string
	max int64
	mu  *sync.Mutex
	use *list.List // of *entry, the last used first
	at  map[string]*list.Element
	sum *int64
}

type entry struct {
	name string
	kind string
	body []byte // nil when the file has it
	size int64
	made time.Time
}

func newCache(dir string, size int64) cache {
	if size == 0 {
		size = 64 << 20
		if dir != "" {
			size = 512 << 20
		}
	}
	if dir != "" {
		dir = filepath.Join(dir, "pictures")
		if os.RemoveAll(dir) != nil || os.MkdirAll(dir, 0o700) != nil {
			dir, size = "", 64<<20 // a directory that cannot be used is no reason to show no pictures
		}
	}
	return cache{dir: dir, max: size, mu: &sync.Mutex{}, use: list.New(), at: map[string]*list.Element{}, sum: new(int64)}
}

func name(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

func (c cache) get(key string) *Image {
	c.mu.Lock()
	el := c.at[name(key)]
	if el != nil && time.Since(el.Value.(*entry).made) > keepFor {
		c.drop(el)
		el = nil
	}
	if el == nil {
		c.mu.Unlock()
		return nil
	}
	c.use.MoveToFront(el)
	c.mu.Unlock()
	e := el.Value.(*entry) // which does not change
	body := e.body
	if body == nil {
		body, _ = os.ReadFile(filepath.Join(c.dir, e.name))
	}
	if int64(len(body)) != e.size {
		c.forget(e.name)
		return nil
	}
	return &Image{Type: e.kind, Body: body}
}

// put keeps a picture; nobody puts another one of the same key meanwhile.
func (c cache) put(key string, img *Image) {
	e := &entry{name: name(key), kind: img.Type, body: img.Body, size: int64(len(img.Body)), made: time.Now()}
	if e.size > c.max/4 {
		return
	}
	c.forget(e.name)
	if c.dir != "" && os.WriteFile(filepath.Join(c.dir, e.name), img.Body, 0o600) == nil {
		e.body = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at[e.name] = c.use.PushFront(e)
	for *c.sum += e.size; *c.sum > c.max; {
		c.drop(c.use.Back())
	}
}

func (c cache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.at[name]; el != nil {
		c.drop(el)
	}
}

func (c cache) drop(el *list.Element) {
	e := c.use.Remove(el).(*entry)
	delete(c.at, e.name)
	*c.sum -= e.size
	if c.dir != "" {
		_ = os.Remove(filepath.Join(c.dir, e.name))
	}
}

// slots bound how many requests run at once, in all and towards one host.
type slots struct {
	all  chan struct{}
	each int
	mu   sync.Mutex
	host map[string]*hostSlots
}

type hostSlots struct {
	free  chan struct{}
	users int
}

func newSlots(all, each int) *slots {
	return &slots{all: make(chan struct{}, all), each: each, host: map[string]*hostSlots{}}
}

// take waits for a slot and gives the function that frees it.
func (s *slots) take(ctx context.Context, host string) (func(), error) {
	s.mu.Lock()
	h := s.host[host]
	if h == nil {
		h = &hostSlots{free: make(chan struct{}, s.each)}
		s.host[host] = h
	}
	h.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(s.host, host)
		}
	}
	for i, ch := range []chan struct{}{h.free, s.all} {
		select {
		case ch <- struct{}{}:
		case <-ctx.Done():
			if i == 1 {
				<-h.free
			}
			leave()
			return nil, ctx.Err()
		}
	}
	return func() { <-s.all; <-h.free; leave() }, nil
}
