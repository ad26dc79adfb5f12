package mailclient

import "time"

// SearchFor sets how long a search over all mailboxes may take, and gives what sets it back.
func SearchFor(all, rows time.Duration) (back func()) {
	wasAll, wasRows := searchAllTime, hitsTime
	searchAllTime, hitsTime = all, rows
	return func() { searchAllTime, hitsTime = wasAll, wasRows }
}

// ProbeAfter sets how long one who watches leaves a server that cannot be used alone, where that would be an hour else.
func ProbeAfter(d time.Duration) (back func()) {
	was, wasProbe := backoff, probeTime
	backoff, probeTime = []time.Duration{10 * time.Millisecond, time.Hour}, d
	return func() { backoff, probeTime = was, wasProbe }
}
