package message

import (
	"encoding/binary"
	"unicode/utf16"
)

// Types of MAPI properties (MS-OXCDATA 2.11.1) that have a form of their own.
const (
	propString  = 0x001e
	propUnicode = 0x001f
	propBinary  = 0x0102
	propObject  = 0x000d
	propMany    = 0x1000
)

type tnefProp struct {
	id, kind uint16
	value    []byte
}

// propReader goes over a list of MAPI properties (MS-OXTNEF 2.1.3.4). Past the end it gives zeros and says bad.
type propReader struct {
	b   []byte
	bad bool
}

func (r *propReader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *propReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// padded takes n bytes and what fills them up to a multiple of four.
func (r *propReader) padded(n uint32) []byte {
	out := r.take(n)
	if pad := (4 - n%4) % 4; pad > 0 && uint64(pad) <= uint64(len(r.b)) {
		r.take(pad)
	}
	return out
}

// readProps reads as many properties as make sense.
func readProps(b []byte) (out []tnefProp) {
	r := propReader{b: b}
	count := min(r.u32(), maxTNEFProps)
	for range count {
		p, ok := r.prop()
		if !ok {
			break
		}
		out = append(out, p)
	}
	return out
}

func (r *propReader) prop() (p tnefProp, ok bool) {
	head := r.u32()
	p.kind, p.id = uint16(head), uint16(head>>16)
	if p.id >= 0x8000 {
		r.name()
	}
	values := uint32(1)
	kind := p.kind &^ propMany
	variable := kind == propString || kind == propUnicode || kind == propBinary || kind == propObject
	if p.kind&propMany != 0 || variable {
		values = min(r.u32(), maxTNEFProps)
	}
	for i := uint32(0); i < values && !r.bad; i++ {
		var v []byte
		if variable {
			v = r.padded(r.u32())
		} else if v = r.padded(propSize(kind)); propSize(kind) == 0 {
			return p, false
		}
		if i == 0 {
			p.value = v
		}
	}
	p.kind = kind
	return p, !r.bad
}

// name skips the name of a named property.
func (r *propReader) name() {
	r.take(16)
	if r.u32() == 0 {
		r.u32()
		return
	}
	r.padded(r.u32())
}

// propSize is how long a value of a fixed type is; 0 for types that are not known.
func propSize(kind uint16) uint32 {
	switch kind {
	case 0x0002, 0x000b: // short and boolean, filled up
		return 2
	case 0x0003, 0x0004, 0x000a:
		return 4
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040:
		return 8
	case 0x0048:
		return 16
	}
	return 0
}

// utf16LE decodes UTF-16 up to a NUL.
func utf16LE(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
