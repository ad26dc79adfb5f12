package demo

import "testing"

// TestServersThatCloseAtOnceEnd: however early they are closed.
func TestServersThatCloseAtOnceEnd(t *testing.T) {
	for range 50 {
		s, err := Start(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}
