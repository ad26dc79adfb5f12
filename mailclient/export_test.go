package mailclient

import "time"

// SearchFor sets how long a search over all mailboxes may take, and gives what sets it back.
func SearchFor(all, rows time.Duration) (back func()) {
	wasAll, wasRows := searchAllTime, hitsTime
	searchAllTime, hitsTime = all, rows
	return func() { searchAllTime, hitsTime = wasAll, wasRows }
}
