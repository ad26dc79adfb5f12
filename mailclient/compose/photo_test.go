package compose_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"restante/mailclient/compose"
)

// shot is a picture as a camera writes it: with a place, a device, another picture behind it, and lying on its side.
func shot(t testing.TB) (whole, plain []byte) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		img.Set(i%64, i/64, color.RGBA{uint8(i * 7), uint8(i * 31), uint8(i * 101), 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	plain = b.Bytes()
	segment := func(kind byte, payload string) string {
		n := len(payload) + 2
		return "\xff" + string([]byte{kind, byte(n >> 8), byte(n)}) + payload
	}
	exif := "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x02\x00" + "\x0f\x01\x02\x00\x04\x00\x00\x00CAM\x00" + "\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00" + "\x00\x00\x00\x00GPS 47.1N"
	all := string(plain[:2]) + segment(0xe1, exif) + segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>GPS</x:xmpmeta>") +
		segment(0xe2, "ICC_PROFILE\x00\x01\x01colours") + segment(0xe2, "MPF\x00CAM") + segment(0xed, "Photoshop 3.0\x00GPS") + segment(0xfe, "a comment") +
		string(plain[2:]) + string(plain[:2]) + segment(0xe1, exif) + string(plain[2:])
	return []byte(all), plain
}

func through(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := compose.Photo(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPhotoTellsNoPlace(t *testing.T) {
	whole, plain := shot(t)
	got := through(t, bytes.NewReader(whole))
	for _, telling := range []string{"GPS", "CAM", "xmpmeta", "MPF", "Photoshop"} {
		if bytes.Contains(got, []byte(telling)) {
			t.Errorf("%s is still there", telling)
		}
	}
	for _, kept := range []string{"ICC_PROFILE", "a comment", "MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06"} {
		if !bytes.Contains(got, []byte(kept)) {
			t.Errorf("%q is gone", kept)
		}
	}
	if !bytes.HasSuffix(got, plain[2:]) {
		t.Error("the picture is not what it was")
	}
	if _, err := jpeg.Decode(bytes.NewReader(got)); err != nil {
		t.Error(err)
	}
	if again := through(t, bytes.NewReader(got)); !bytes.Equal(again, got) {
		t.Error("it changes when it goes through once more")
	}
	if slowly := through(t, iotest.OneByteReader(bytes.NewReader(whole))); !bytes.Equal(slowly, got) {
		t.Error("it hangs on how the bytes come")
	}
}

func TestOtherFilesStayAsTheyAre(t *testing.T) {
	_, plain := shot(t)
	for _, file := range []string{"", "x", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xffnonsense", "\xff\xd8\xff\xe1\x00\x00rest", "GIF89a", strings.Repeat("text ", 100_000), string(plain), string(plain[:len(plain)/2])} {
		if got := through(t, strings.NewReader(file)); string(got) != file {
			t.Errorf("%.20q became %.20q", file, got)
		}
	}
}

func TestAPhotoThatBreaksOffIsAnError(t *testing.T) {
	whole, _ := shot(t)
	for _, n := range []int{2, 30, 300, len(whole) - 10} {
		broken := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(io.ErrUnexpectedEOF))
		if err := compose.Photo(io.Discard, broken); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// FuzzPhoto: nothing grows, and what went through once does not change again.
func FuzzPhoto(f *testing.F) {
	whole, plain := shot(f)
	f.Add(whole)
	f.Add(plain)
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		once := through(t, bytes.NewReader(b))
		if len(once) > len(b)+36*bytes.Count(b, []byte("Exif")) {
			t.Errorf("%d bytes became %d", len(b), len(once))
		}
		if twice := through(t, bytes.NewReader(once)); len(twice) > len(once)+36 {
			t.Errorf("%d bytes became %d", len(once), len(twice))
		}
	})
}
