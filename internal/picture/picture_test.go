package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"restante/internal/picture"
)

// halves is a picture whose left half is red and whose right half is blue.
func halves(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 0, 0, 255}
			if x >= w/2 {
				c = color.NRGBA{0, 0, 255, 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// lying is a JPEG file that says how it lies.
func lying(t *testing.T, img image.Image, how byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string([]byte{how}) + "\x00\x00\x00\x00\x00\x00"
	return append([]byte("\xff\xd8\xff\xe1\x00"+string([]byte{byte(len(exif) + 2)})+exif), b.Bytes()[2:]...)
}

func small(t *testing.T, file []byte, side int) (image.Image, string) {
	t.Helper()
	var b bytes.Buffer
	kind, err := picture.Small(t.Context(), &b, file, side)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("Exif")) {
		t.Error("what the camera wrote goes along")
	}
	img, _, err := image.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img, kind
}

func reddish(c color.Color) bool {
	r, _, b, _ := c.RGBA()
	return r > 0xc000 && b < 0x4000
}

// TestASmallPictureStandsUpright, whichever way the camera was held.
func TestASmallPictureStandsUpright(t *testing.T) {
	for how, red := range map[byte]image.Point{1: {5, 10}, 2: {35, 10}, 3: {35, 10}, 4: {5, 10}, 5: {10, 5}, 6: {10, 5}, 7: {10, 35}, 8: {10, 35}} {
		img, kind := small(t, lying(t, halves(400, 200), how), 40)
		want := image.Pt(40, 20)
		if how >= 5 {
			want = image.Pt(20, 40)
		}
		if kind != "image/jpeg" || img.Bounds().Size() != want || !reddish(img.At(red.X, red.Y)) || reddish(img.At(want.X-1-red.X, want.Y-1-red.Y)) {
			t.Errorf("as %d it is %s of %v", how, kind, img.Bounds().Size())
		}
	}
}

// TestTransparencyIsKept, and what is small already keeps its size.
func TestTransparencyIsKept(t *testing.T) {
	img := halves(30, 20)
	img.SetNRGBA(3, 3, color.NRGBA{})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	out, kind := small(t, b.Bytes(), 40)
	if _, _, _, a := out.At(3, 3).RGBA(); kind != "image/png" || out.Bounds().Dx() != 30 || a != 0 {
		t.Errorf("it is %s, %v, with %d", kind, out.Bounds(), a)
	}
}

// TestABombIsRefusedUnopened: a few bytes that say they are a wall of points.
func TestABombIsRefusedUnopened(t *testing.T) {
	head := []byte("IHDR")
	head = binary.BigEndian.AppendUint32(head, 29_000)
	head = binary.BigEndian.AppendUint32(head, 29_000)
	head = append(head, 8, 6, 0, 0, 0)
	bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(head))
	for name, file := range map[string][]byte{"bomb": bomb, "text": []byte("no picture"), "nothing": nil} {
		if _, err := picture.Small(t.Context(), &bytes.Buffer{}, file, 40); !errors.Is(err, picture.ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, halves(400, 200), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := picture.Small(t.Context(), &bytes.Buffer{}, b.Bytes()[:b.Len()/2], 40); !errors.Is(err, picture.ErrUnread) {
		t.Errorf("cut: %v", err)
	}
}
