// Package index is the one door for lists: from a header index, one SQLite file an account, where it knows a mailbox, and
// from IMAP where it does not yet. What fills the index follows behind, and what the server says corrects it. While the
// server cannot be used, what is here shows: the folder tree (tree.go), lists (down.go), mails that were opened lately
// (shown.go), and acts that wait as if they were done (held.go). Mails are found by their headers (texts.go), and where the admin lets
// texts be kept by these too (bodies.go). The files are a cache: they may be deleted at any
// moment. Start at Open and Mail.
package index

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"restante/mailclient"
)

const (
	maxOpen  = 256                 // files at once
	idleTime = 10 * time.Minute    // then a file is closed
	ageTime  = 90 * 24 * time.Hour // then a file that nobody used is removed
)

// Index are the header indexes of all accounts. It is safe for use by many goroutines.
type Index struct {
	dir     string
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	files    map[int64]*file
	hosts    map[string]chan struct{} // one filler each
	policies map[int64]Policy         // of texts, by account
	removed  map[int64]bool           // accounts of which what still runs writes nothing down
}

// Open makes the index of a directory, which it makes when it is first needed. Close ends what runs behind.
func Open(dir string, log *slog.Logger) *Index {
	ix := &Index{dir: dir, log: log, files: map[int64]*file{}, hosts: map[string]chan struct{}{}, policies: map[int64]Policy{}, removed: map[int64]bool{}}
	ix.ctx, ix.stop = context.WithCancel(context.Background())
	ix.running.Go(ix.tidying)
	return ix
}

// Close ends what fills and follows, and closes the files.
func (ix *Index) Close() {
	ix.stop()
	ix.mu.Lock()
	ix.closed = true
	ix.mu.Unlock()
	ix.running.Wait()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for id, f := range ix.files {
		f.close()
		delete(ix.files, id)
	}
}

// behind runs do with a file held open, until it ends or the index closes. false when it is closed already.
func (ix *Index) behind(f *file, do func(ctx context.Context)) bool {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.closed || f.gone {
		return false
	}
	f.users++
	ix.running.Go(func() {
		defer ix.release(f)
		do(ix.ctx)
	})
	return true
}

// Mail is the mail of an account, lists by way of the index. owner tells accounts apart that are one by their id and yet
// stand for another mailbox, such as one whose server was changed: user and server in one text.
func (ix *Index) Mail(account int64, owner string, session *mailclient.Session) *Mail {
	if ix != nil {
		ix.mu.Lock()
		defer ix.mu.Unlock()
		delete(ix.removed, account) // or another that has its number
	}
	return &Mail{Session: session, ix: ix, account: account, owner: owner}
}

// Remove takes away what is kept of an account that is no more: what is still under way for it begins nothing anew.
func (ix *Index) Remove(account int64) error {
	if ix == nil {
		return nil
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.remove(account)
}

// remove takes away what is kept of an account. ix.mu is held.
func (ix *Index) remove(account int64) error {
	delete(ix.policies, account)
	ix.removed[account] = true
	if f := ix.files[account]; f != nil {
		f.gone = true
		delete(ix.files, account)
		if f.users == 0 {
			f.close()
		}
	}
	path := ix.path(account)
	return errors.Join(erase(path), erase(bodiesPath(path)))
}

// DropTexts removes the texts that are kept of all accounts, and keeps none until KeepTexts says otherwise.
func (ix *Index) DropTexts() (err error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	clear(ix.policies)
	for _, f := range ix.files {
		f.opening.Lock()
		err = errors.Join(err, ix.dropBodies(f))
		f.opening.Unlock()
	}
	left, _ := filepath.Glob(filepath.Join(ix.dir, "*"+textsEnd))
	for _, path := range left {
		err = errors.Join(err, erase(path))
	}
	return err
}

// Keep removes the files of all accounts but these, and those that nobody has used for long.
func (ix *Index) Keep(accounts []int64) error {
	kept := map[int64]bool{}
	for _, id := range accounts {
		kept[id] = true
	}
	names, err := os.ReadDir(ix.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, e := range names {
		base, own := strings.CutSuffix(e.Name(), ".db")
		base, texts := strings.CutSuffix(base, textsEnd) // which may be all that is left
		id, bad := strconv.ParseInt(base, 10, 64)
		if own == texts || bad != nil {
			continue
		}
		info, e := e.Info()
		if !kept[id] || own && e == nil && time.Since(info.ModTime()) > ageTime {
			err = errors.Join(err, ix.remove(id))
		}
	}
	return err
}

func (ix *Index) path(account int64) string {
	return filepath.Join(ix.dir, strconv.FormatInt(account, 10)+".db")
}

// erase takes away a file with what SQLite has beside it.
func erase(path string) (err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if e := os.Remove(path + suffix); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// use gives the file of an account, and what gives it back. nil where it cannot be had: the lists come from IMAP then.
func (ix *Index) use(account int64, owner string) (*file, func()) {
	if ix == nil {
		return nil, nil
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.closed || ix.removed[account] {
		return nil, nil
	}
	f := ix.files[account]
	if f != nil && (f.owner != owner || f.missing()) {
		f.gone = true
		delete(ix.files, account)
		if f.users == 0 {
			f.close()
		}
		f = nil
	}
	if f == nil {
		var err error
		if f, err = openFile(ix.path(account), owner); err != nil {
			ix.log.Warn("index cannot be opened", "account", account, "err", err.Error())
			return nil, nil
		}
		ix.files[account] = f
	}
	f.users++
	f.used = time.Now()
	ix.spare()
	return f, func() { ix.release(f) }
}

// release gives a file back.
func (ix *Index) release(f *file) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if f.users--; f.users == 0 && f.gone {
		f.close()
	}
}

// spare closes the file that was not used for longest where there are too many. ix.mu is held.
func (ix *Index) spare() {
	for len(ix.files) > maxOpen {
		var oldest int64
		for id, f := range ix.files {
			if f.users == 0 && (oldest == 0 || f.used.Before(ix.files[oldest].used)) {
				oldest = id
			}
		}
		if oldest == 0 {
			return
		}
		ix.files[oldest].close()
		delete(ix.files, oldest)
	}
}

// spoilt takes a file out of use that SQLite cannot make sense of, and off the disk.
func (ix *Index) spoilt(f *file, err error) {
	if err == nil || ix.ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if f.gone {
		return
	}
	f.gone = true
	for id, have := range ix.files {
		if have == f {
			delete(ix.files, id)
			ix.log.Warn("index is begun anew", "account", id, "err", err.Error(), "removed", erase(f.path) == nil)
		}
	}
}

// tidying closes files that are idle.
func (ix *Index) tidying() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ix.ctx.Done():
			return
		case <-tick.C:
		}
		for _, f := range ix.idle() {
			f.shrink(ix.ctx)
			f.close()
		}
	}
}

// idle takes the files that nobody has used for a while out of those that are open.
func (ix *Index) idle() (out []*file) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for id, f := range ix.files {
		if f.users == 0 && time.Since(f.used) > idleTime {
			out = append(out, f)
			delete(ix.files, id)
		}
	}
	return out
}

// filler waits until nobody else fills an index from a host. What it gives lets the next one in.
func (ix *Index) filler(ctx context.Context, host string) (leave func(), err error) {
	ix.mu.Lock()
	seat := ix.hosts[host]
	if seat == nil {
		seat = make(chan struct{}, 1)
		ix.hosts[host] = seat
	}
	ix.mu.Unlock()
	select {
	case seat <- struct{}{}:
		return func() { <-seat }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
