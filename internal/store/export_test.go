package store

import "time"

// Prepared is how many statements a store keeps prepared.
func (s *Store) Prepared() int {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return len(s.db.known)
}

// At sets the clock of a store, for tests of what time does.
func (s *Store) At(t time.Time) { s.now = func() time.Time { return t } }
