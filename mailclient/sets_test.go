package mailclient

import (
	"slices"
	"testing"
)

func TestL5_ASetIsOfSoManyMailsAtMost(t *testing.T) {
	var uids []uint32
	for u := range uint32(50_000) {
		uids = append(uids, 50_000-u)
	}
	uids = append(uids, 60_001)
	if got, want := uidSets(uids), []string{"1:20000", "20001:40000", "40001:50000,60001"}; !slices.Equal(got, want) {
		t.Errorf("sets %q, not %q", got, want)
	}
	if got := uidSets([]uint32{7, 5, 6, 9, 7}); !slices.Equal(got, []string{"5:7,9"}) {
		t.Errorf("sets %q", got)
	}
}
