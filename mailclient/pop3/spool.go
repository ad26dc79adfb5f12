package pop3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// spare is how much of the disk the spool leaves free (P17).
const spare = 500 << 20

// Dir is a spool in a directory of its own, which it makes.
type Dir string

const (
	wholeSuffix = ".mail"
	begunSuffix = ".part"
)

func (d Dir) path(id int64, suffix string) string {
	return filepath.Join(string(d), strconv.FormatInt(id, 10)+suffix)
}

// Create is part of Spool.
func (d Dir) Create(id int64) (Spooling, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.path(id, begunSuffix), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &spooling{File: f, whole: d.path(id, wholeSuffix)}, nil
}

type spooling struct {
	*os.File
	whole string
}

// Commit is part of Spooling.
func (s *spooling) Commit() error {
	err := errors.Join(s.Sync(), s.Close())
	if err == nil {
		err = os.Rename(s.Name(), s.whole)
	}
	return err
}

// Abort is part of Spooling.
func (s *spooling) Abort() { _, _ = s.Close(), os.Remove(s.Name()) }

// Open is part of Spool.
func (d Dir) Open(id int64) (io.ReadCloser, int64, error) {
	f, err := os.Open(d.path(id, wholeSuffix))
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

// Remove is part of Spool.
func (d Dir) Remove(id int64) error { return missingIsFine(os.Remove(d.path(id, wholeSuffix))) }

// IDs is part of Spool.
func (d Dir) IDs() (ids []int64, err error) {
	all, err := os.ReadDir(string(d))
	if err != nil {
		return nil, missingIsFine(err)
	}
	for _, e := range all {
		if strings.HasSuffix(e.Name(), begunSuffix) {
			if err := os.Remove(filepath.Join(string(d), e.Name())); err != nil {
				return nil, fmt.Errorf("spool: %w", err)
			}
		}
		name, ok := strings.CutSuffix(e.Name(), wholeSuffix)
		if id, err := strconv.ParseInt(name, 10, 64); ok && err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Full is part of Spool.
func (d Dir) Full() bool {
	var st syscall.Statfs_t
	for dir := string(d); ; dir = filepath.Dir(dir) {
		err := syscall.Statfs(dir, &st)
		if err == nil {
			return st.Bavail*uint64(st.Bsize) < spare
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return false
		}
	}
}

func missingIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
