package store

import "time"

// At sets the clock of a store, for tests of what time does.
func (s *Store) At(t time.Time) { s.now = func() time.Time { return t } }
