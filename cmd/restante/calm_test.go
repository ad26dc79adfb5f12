package main

import (
	"runtime"
	"testing"
)

// TestMemoryIsGivenBackOnceItIsQuiet: not while much is made, and not again for little.
func TestMemoryIsGivenBackOnceItIsQuiet(t *testing.T) {
	q := &calm{}
	make20 := func() {
		b := make([]byte, 20<<20)
		runtime.KeepAlive(b)
	}
	q.look()
	make20()
	if q.look() {
		t.Error("given back while something happens")
	}
	if !q.look() {
		t.Error("not given back once it is quiet")
	}
	if q.look() {
		t.Error("given back again")
	}
}
