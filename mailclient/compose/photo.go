package compose

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// Photo copies a file. From a JPEG picture it leaves out what the camera wrote beside the picture: the place, the time, the
// device, a preview and further pictures (Exif, XMP, IPTC, MPF), all but which way is up, the colours (ICC) and comments.
// The picture itself is not changed. Any other file, and what is no proper JPEG from there on, is copied as it is. The
// error is that of r or w.
func Photo(w io.Writer, r io.Reader) error {
	in := &source{r: r}
	p := &photo{r: bufio.NewReader(in), w: w}
	if start, _ := p.r.Peek(3); bytes.Equal(start, []byte{0xff, 0xd8, 0xff}) {
		p.jpeg()
	}
	if !p.done && p.err == nil {
		_, p.err = p.r.WriteTo(w)
	}
	if in.err != nil && in.err != io.EOF {
		return in.err
	}
	if p.done && p.err == nil { // what comes behind the picture is read, so that its sender is not cut off
		_, p.err = io.Copy(io.Discard, p.r)
	}
	return p.err
}

// source remembers how reading ended: io.ReadFull tells a file that is short as it tells one that broke off.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil {
		s.err = err
	}
	return n, err
}

// photo goes through the segments of a JPEG (ITU T.81 B.1). done says that the picture has ended.
type photo struct {
	r    *bufio.Reader
	w    io.Writer
	done bool
	err  error // of writing
}

func (p *photo) put(b ...byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

// jpeg copies segments until the end of the picture, or until something is none.
func (p *photo) jpeg() {
	for p.err == nil {
		mark, err := p.r.Peek(2)
		if err != nil || mark[0] != 0xff {
			return
		}
		kind := mark[1]
		switch {
		case kind == 0xff: // fill
			_, _ = p.r.Discard(1)
		case kind == 0xd9: // EOI
			p.put(0xff, kind)
			p.done = true
			return
		case kind == 0xd8 || kind == 0x01 || kind >= 0xd0 && kind <= 0xd7: // alone
			_, _ = p.r.Discard(2)
			p.put(0xff, kind)
		default:
			if !p.segment(kind) {
				return
			}
			if kind == 0xda && !p.scan() {
				return
			}
		}
	}
}

// segment copies one with a length, or leaves it out.
func (p *photo) segment(kind byte) bool {
	head, err := p.r.Peek(4)
	if err != nil {
		return false
	}
	n := int(binary.BigEndian.Uint16(head[2:]))
	if n < 2 {
		return false
	}
	all := make([]byte, 2+n)
	got, err := io.ReadFull(p.r, all)
	payload := all[min(4, got):got]
	switch {
	case !tellsMore(kind, payload):
		p.put(all[:got]...)
	case kind == 0xe1 && bytes.HasPrefix(payload, exifHead):
		if up := orientation(payload[len(exifHead):]); up > 1 {
			p.put(upright(up)...)
		}
	}
	return err == nil
}

var exifHead = []byte("Exif\x00\x00")

// tellsMore says whether a segment is about more than the picture: the APPn of all but JFIF, ICC and Adobe's colours.
func tellsMore(kind byte, payload []byte) bool {
	switch {
	case kind < 0xe1 || kind > 0xef || kind == 0xee:
		return false
	case kind == 0xe2:
		return !bytes.HasPrefix(payload, []byte("ICC_PROFILE\x00"))
	}
	return true
}

// orientation is how a picture lies (Exif 2.3, 4.6.4: tag 0112 of the first directory), 0 where it is not said.
func orientation(tiff []byte) byte {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	n := int64(order.Uint16(tiff[at:]))
	for e := at + 2; e+12 <= int64(len(tiff)) && n > 0; e, n = e+12, n-1 {
		if order.Uint16(tiff[e:]) == 0x0112 {
			if v := order.Uint16(tiff[e+8:]); v <= 8 {
				return byte(v)
			}
		}
	}
	return 0
}

// upright is an Exif segment that says nothing but how a picture lies.
func upright(up byte) []byte {
	return append([]byte{0xff, 0xe1, 0, 34}, "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"+string([]byte{up})+"\x00\x00\x00\x00\x00\x00"...)
}

// scan copies the coded picture up to the next marker (T.81 B.1.1.5: FF is followed by 00 in it, or by a restart).
func (p *photo) scan() bool {
	for p.err == nil {
		if b, err := p.r.Peek(2); err != nil {
			p.put(b...)
			_, _ = p.r.Discard(len(b))
			return false
		}
		b, _ := p.r.Peek(p.r.Buffered())
		n := coded(b)
		p.put(b[:n]...)
		_, _ = p.r.Discard(n)
		if n < len(b)-1 {
			return true
		}
	}
	return false
}

// coded is how many bytes at the start of b are of a coded picture. A last FF is yet to be judged.
func coded(b []byte) int {
	for i := 0; i < len(b)-1; i++ {
		if next := b[i+1]; b[i] == 0xff && next != 0 && (next < 0xd0 || next > 0xd7) {
			return i
		}
	}
	if b[len(b)-1] == 0xff {
		return len(b) - 1
	}
	return len(b)
}

// Orientation is how a JPEG picture says that it lies (Exif tag 0112), 0 where it does not.
func Orientation(b []byte) byte {
	for at := 2; bytes.HasPrefix(b, []byte{0xff, 0xd8}) && at+4 <= len(b) && b[at] == 0xff && b[at+1] != 0xda; {
		end := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if end > len(b) {
			return 0
		}
		if payload := b[at+4 : max(end, at+4)]; b[at+1] == 0xe1 && bytes.HasPrefix(payload, exifHead) {
			return orientation(payload[len(exifHead):])
		}
		at = end
	}
	return 0
}
