package mailclient

import "testing"

func TestABoundedMapForgetsTheOldest(t *testing.T) {
	var b bounded[int, string]
	for i, v := range []string{"a", "b", "c", "d"} {
		b.put(i, v, 3)
	}
	b.put(1, "B", 3) // known: nothing has to go
	for k, want := range []string{"", "B", "c", "d"} {
		if v, ok := b.get(k); v != want || ok != (want != "") {
			t.Errorf("%d is %q, %v", k, v, ok)
		}
	}
}
