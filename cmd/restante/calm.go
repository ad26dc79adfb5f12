package main

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	quietTime  = 2 * time.Second // with no more than
	quietBytes = 1 << 20         // made, gives back what
	worthwhile = 16 << 20        // was made before that
)

// calm gives memory back to the machine once there is little to do: after a busy moment half of it is empty, and the
// machine may be a small one.
type calm struct{ made, given uint64 }

// look is to be called every quietTime, and says whether memory was given back.
func (c *calm) look() bool {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	made := sample[0].Value.Uint64()
	little := made-c.made < quietBytes
	if c.made = made; !little || made-c.given < worthwhile {
		return false
	}
	c.given = made
	debug.FreeOSMemory()
	return true
}
