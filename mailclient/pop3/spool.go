package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
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

// Dir is a spool in a directory of its own, which it makes. Its files are not forced to the disk, for the source has the
// mails still and the target's server forces its own there: each ends in the sum of what is before, by which IDs knows one
// that a power cut has torn.
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
	return &spooling{file: f, sum: newSum(), whole: d.path(id, wholeSuffix)}, nil
}

// newSum makes the sum of a mail, which stands in sumSize bytes behind it.
func newSum() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }

const sumSize = crc64.Size

type spooling struct {
	file  *os.File
	sum   hash.Hash
	whole string
}

// Write is part of Spooling.
func (s *spooling) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	s.sum.Write(b[:n])
	return n, err
}

// Commit is part of Spooling.
func (s *spooling) Commit() error {
	_, err := s.file.Write(s.sum.Sum(nil))
	if err = errors.Join(err, s.file.Close()); err == nil {
		err = os.Rename(s.file.Name(), s.whole)
	}
	return err
}

// Abort is part of Spooling.
func (s *spooling) Abort() { _, _ = s.file.Close(), os.Remove(s.file.Name()) }

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
	size := max(0, st.Size()-sumSize)
	return &spooled{io.LimitReader(f, size), f}, size, nil
}

// spooled reads a mail in the spool without its sum.
type spooled struct {
	io.Reader
	io.Closer
}

// Sync is part of Spool.
func (d Dir) Sync(id int64) error {
	f, err := os.OpenFile(d.path(id, wholeSuffix), os.O_WRONLY, 0)
	if err != nil {
		return missingIsFine(err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// torn says whether a file is not as it was written.
func (d Dir) torn(id int64) (bool, error) {
	f, err := os.Open(d.path(id, wholeSuffix))
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	st, err := f.Stat()
	if err != nil || st.Size() < sumSize {
		return true, err
	}
	sum := newSum()
	if _, err := io.CopyN(sum, f, st.Size()-sumSize); err != nil {
		return false, err
	}
	said, err := io.ReadAll(f)
	return !bytes.Equal(said, sum.Sum(nil)), err
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
		id, err := strconv.ParseInt(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		torn, err := d.torn(id)
		if torn && err == nil {
			err = d.Remove(id)
		}
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		if !torn {
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
