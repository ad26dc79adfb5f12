// Package picture makes small copies of pictures that came with mails, the right way up and without what the camera
// wrote beside them. It decodes nothing before its size is known and paid for. Start at Small.
package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // read, the first of their pictures
	"image/jpeg"
	"image/png"
	"io"

	_ "golang.org/x/image/webp" // read

	"restante/mailclient/compose"
)

const (
	maxSide   = 30_000    // points
	maxMemory = 256 << 20 // bytes of the decoded picture
	// MaxFile is how long a picture may be to be made smaller, in bytes.
	MaxFile = 32 << 20
)

// ErrPicture means that a file is no picture that can be made smaller: of another kind, damaged, or far too large.
var ErrPicture = errors.New("no picture to be made smaller")

// ErrUnread means that a file is a picture of a bounded size, of a sort that browsers know and this package does not, such
// as a film in WebP; or that it is damaged further behind.
var ErrUnread = errors.New("a picture that cannot be made smaller")

// slots are pictures being made at once: each may need maxMemory.
var slots = make(chan struct{}, 2)

// Small writes a copy of a JPEG, PNG, GIF or WebP picture that fits into a square of side points, as JPEG or, where it
// is transparent, as PNG; kind is which. A smaller one keeps its size.
func Small(ctx context.Context, w io.Writer, file []byte, side int) (kind string, err error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxSide || c.Height > maxSide || int64(c.Width)*int64(c.Height)*depth(file, format, c.ColorModel) > maxMemory {
		return "", fmt.Errorf("%w: %d by %d points", ErrPicture, c.Width, c.Height)
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	src, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnread, err)
	}
	out := upright(reduced(src, side), compose.Orientation(file))
	if out.Opaque() {
		return "image/jpeg", jpeg.Encode(w, out, &jpeg.Options{Quality: 85})
	}
	return "image/png", png.Encode(w, out)
}

// depth is how many bytes a point takes while it is decoded.
func depth(file []byte, format string, m color.Model) int64 {
	switch {
	case format == "jpeg" && progressive(file): // all of it is kept before any of it is done
		return 15
	case format == "jpeg" && m == color.YCbCrModel:
		return 3
	case m == color.RGBA64Model, m == color.NRGBA64Model, m == color.Gray16Model:
		return 8
	case format == "gif":
		return 2
	}
	return 5
}

// progressive says whether a JPEG comes in several goes over the whole picture (ITU T.81 B.2.2: SOF2).
func progressive(b []byte) bool {
	for at := 2; at+4 <= len(b) && b[at] == 0xff && b[at+1] != 0xda; at += 2 + int(b[at+2])<<8 + int(b[at+3]) {
		if b[at+1] == 0xc2 {
			return true
		}
	}
	return false
}

// reduced is src within a square of side points: each point the mean of those that it stands for.
func reduced(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if longer := max(w, h); longer > side {
		w, h = max(w*side/longer, 1), max(h*side/longer, 1)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(out, out.Bounds(), src, b.Min, draw.Src)
		return out
	}
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()/h+2))
	for y := range h {
		top, bottom := y*b.Dy()/h, max((y+1)*b.Dy()/h, y*b.Dy()/h+1)
		draw.Draw(strip, image.Rect(0, 0, b.Dx(), bottom-top), src, image.Pt(b.Min.X, b.Min.Y+top), draw.Src)
		for x := range w {
			left, right := x*b.Dx()/w, max((x+1)*b.Dx()/w, x*b.Dx()/w+1)
			mean(out.Pix[out.PixOffset(x, y):], strip, left, right, bottom-top)
		}
	}
	return out
}

// mean puts the mean of a block of strip into dst.
func mean(dst []byte, strip *image.RGBA, left, right, rows int) {
	var sum [4]int
	for y := range rows {
		row := strip.Pix[strip.PixOffset(left, y):strip.PixOffset(right, y)]
		for i := 0; i+3 < len(row); i += 4 {
			sum[0] += int(row[i])
			sum[1] += int(row[i+1])
			sum[2] += int(row[i+2])
			sum[3] += int(row[i+3])
		}
	}
	n := (right - left) * rows
	for i, s := range sum {
		dst[i] = byte((s + n/2) / n)
	}
}

// upright turns a picture as Exif says that it lies (Exif 2.3, 4.6.4: tag 0112).
func upright(in *image.RGBA, lies byte) *image.RGBA {
	if lies < 2 || lies > 8 {
		return in
	}
	w, h := in.Rect.Dx(), in.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if lies >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			at := [...]image.Point{2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y}, 5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x}}[lies]
			copy(out.Pix[out.PixOffset(at.X, at.Y):][:4], in.Pix[in.PixOffset(x, y):][:4])
		}
	}
	return out
}
