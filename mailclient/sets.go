package mailclient

import (
	"slices"
	"strconv"
	"strings"
)

const (
	maxSet     = 8000   // bytes of a UID set on the wire (L5)
	maxCovered = 20_000 // mails in one: what the server says of them is held at once
)

// uidSets writes UIDs as sets, ranges joined, each at most maxSet bytes long and of at most maxCovered mails.
func uidSets(uids []uint32) []string {
	uids = slices.Clone(uids)
	slices.Sort(uids)
	uids = slices.Compact(uids)
	var sets []string
	var b strings.Builder
	covered := 0
	for i := 0; i < len(uids); {
		j := i
		for j+1 < len(uids) && uids[j+1] == uids[j]+1 && j+1-i < maxCovered {
			j++
		}
		piece := strconv.FormatUint(uint64(uids[i]), 10)
		if j > i {
			piece += ":" + strconv.FormatUint(uint64(uids[j]), 10)
		}
		if covered += j - i + 1; b.Len() > 0 && (b.Len()+1+len(piece) > maxSet || covered > maxCovered) {
			sets = append(sets, b.String())
			b.Reset()
			covered = j - i + 1
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(piece)
		i = j + 1
	}
	if b.Len() > 0 {
		sets = append(sets, b.String())
	}
	return sets
}

// uidsOf reads a set in the order it is written; a range that falls counts up (A9). At most limit UIDs; 0 is none.
func uidsOf(set string, limit int) []uint32 {
	var out []uint32
	for _, piece := range strings.Split(strings.TrimSpace(set), ",") {
		a, z, isRange := strings.Cut(piece, ":")
		lo, err := strconv.ParseUint(a, 10, 32)
		if err != nil {
			continue
		}
		hi := lo
		if isRange {
			if hi, err = strconv.ParseUint(z, 10, 32); err != nil {
				continue
			}
		}
		if lo > hi {
			lo, hi = hi, lo
		}
		for u := lo; u <= hi && len(out) < limit; u++ {
			if u != 0 {
				out = append(out, uint32(u))
			}
		}
	}
	return out
}

// copied reads the arguments of COPYUID into pairs; nothing when they do not pair.
func copied(args string) (validity uint32, pairs map[uint32]uint32) {
	f := strings.Fields(args)
	if len(f) != 3 {
		return 0, nil
	}
	v, err := strconv.ParseUint(f[0], 10, 32)
	from, to := uidsOf(f[1], 1_000_000), uidsOf(f[2], 1_000_000)
	if err != nil || len(from) != len(to) || len(from) == 0 {
		return 0, nil
	}
	pairs = make(map[uint32]uint32, len(from))
	for i := range from {
		pairs[from[i]] = to[i]
	}
	return uint32(v), pairs
}
