package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// aliveSuffix is that of a file beside the spools which a node keeps locked as long as its process lives.
const aliveSuffix = ".alive"

// live shows that this node lives.
func (q *Queue) live() error {
	if q.imports.Spool == "" {
		return nil
	}
	if err := os.MkdirAll(q.imports.Spool, 0o700); err != nil {
		return err
	}
	path := filepath.Join(q.imports.Spool, q.node)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = os.Rename(path, path+aliveSuffix) // only now may others take it for a sign
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	q.alive = f
	return nil
}

// leave takes the sign of life away, of a node that holds nothing any more.
func (q *Queue) leave() error {
	if q.alive == nil {
		return nil
	}
	err := errors.Join(os.Remove(filepath.Join(q.imports.Spool, q.node+aliveSuffix)), q.alive.Close())
	q.alive = nil
	return err
}

// bury lets go of the sources of nodes that were killed in this data directory, so that nobody waits for the end of
// their lease: the system has taken the lock away with the process.
func (q *Queue) bury(ctx context.Context) error {
	if q.imports.Spool == "" {
		return nil
	}
	files, err := os.ReadDir(q.imports.Spool)
	for _, f := range files {
		if node, ok := strings.CutSuffix(f.Name(), aliveSuffix); ok && node != q.node {
			err = errors.Join(err, q.buryOne(ctx, filepath.Join(q.imports.Spool, f.Name()), node))
		}
	}
	return err
}

func (q *Queue) buryOne(ctx context.Context, path, node string) (err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) { // it lives
			return nil
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := q.store.LetGoOfSources(ctx, node); err != nil {
		return err
	}
	return os.Remove(path)
}
