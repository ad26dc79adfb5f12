package discover

import "time"

// At sets the clock by which a directory takes what it kept for old.
func (d *Directory) At(t time.Time) { d.found.now = func() time.Time { return t } }
