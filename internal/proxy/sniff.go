package proxy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	_ "image/gif"  // reads the head of a GIF
	_ "image/jpeg" // reads the head of a JPEG
	_ "image/png"  // reads the head of a PNG

	_ "golang.org/x/image/webp" // reads the head of a WebP
)

const (
	maxPixels = 50_000_000
	maxSide   = 16384
	maxFrames = 500
)

// sniff names the type of a picture by its first bytes, and refuses other things, huge pictures and endless films.
func sniff(b []byte) (string, error) {
	kind := magic(b)
	if kind == "" {
		return "", fmt.Errorf("%w: none of the known kinds", errPicture)
	}
	w, h := 0, 0
	if kind == "image/avif" {
		w, h = avifSize(b)
	} else {
		c, _, err := image.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			return "", fmt.Errorf("%w: %w", errPicture, err)
		}
		w, h = c.Width, c.Height
	}
	if w <= 0 || h <= 0 || w > maxSide || h > maxSide || w*h > maxPixels {
		return "", fmt.Errorf("%w: %d by %d points", errPicture, w, h)
	}
	if n := frames(kind, b); n > maxFrames {
		return "", fmt.Errorf("%w: %d frames", errPicture, n)
	}
	return kind, nil
}

func magic(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "image/gif"
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	case len(b) > 12 && string(b[4:8]) == "ftyp" && (string(b[8:12]) == "avif" || string(b[8:12]) == "avis"):
		return "image/avif"
	}
	return ""
}

// avifSize reads the largest "ispe" property (ISO/IEC 23008-12, 6.5.3): box size, "ispe", version, width, height.
func avifSize(b []byte) (w, h int) {
	head := b[:min(len(b), 64<<10)]
	for {
		i := bytes.Index(head, []byte("ispe"))
		if i < 0 || len(head) < i+16 {
			return w, h
		}
		w = max(w, int(binary.BigEndian.Uint32(head[i+8:])))
		h = max(h, int(binary.BigEndian.Uint32(head[i+12:])))
		head = head[i+16:]
	}
}

// frames counts pictures by the containers' own marks, without decoding any.
func frames(kind string, b []byte) int {
	switch kind {
	case "image/gif":
		return gifFrames(b)
	case "image/png":
		head, _, _ := bytes.Cut(b, []byte("IDAT")) // the animation's head comes before the first picture
		if i := bytes.Index(head, []byte("acTL")); i > 0 && len(b) >= i+8 {
			return int(binary.BigEndian.Uint32(b[i+4:]))
		}
	case "image/webp":
		return bytes.Count(b, []byte("ANMF"))
	}
	return 1
}

// gifFrames walks the blocks of a GIF (GIF89a, section 18 to 26).
func gifFrames(b []byte) (n int) {
	if len(b) < 13 {
		return 0
	}
	i := 13
	if b[10]&0x80 != 0 {
		i += 3 << (b[10]&7 + 1)
	}
	for i < len(b) {
		switch b[i] {
		case 0x21: // extension: label, then sub-blocks
			i += 2
		case 0x2c: // image: descriptor, perhaps a palette, code size, then sub-blocks
			if n++; i+9 >= len(b) {
				return n
			}
			if f := b[i+9]; f&0x80 != 0 {
				i += 3 << (f&7 + 1)
			}
			i += 11
		default: // trailer, or junk that no viewer reads
			return n
		}
		for i < len(b) && b[i] != 0 {
			i += int(b[i]) + 1
		}
		i++
	}
	return n
}
