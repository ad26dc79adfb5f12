package demo

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
)

// pdf makes a one-page document with the lines as text, in Helvetica.
func pdf(lines ...string) []byte {
	var text strings.Builder
	text.WriteString("BT /F1 12 Tf 60 780 Td 18 TL\n")
	for _, line := range lines {
		escaped := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(line)
		fmt.Fprintf(&text, "(%s) Tj T*\n", escaped)
	}
	text.WriteString("ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// landscape paints a sky, a sun and rows of hills; the seed decides the hour and the shapes.
func landscape(width, height int, seed uint64) image.Image {
	rng := rand.New(rand.NewPCG(seed, 7))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	top := color.RGBA{uint8(40 + rng.IntN(90)), uint8(90 + rng.IntN(80)), uint8(150 + rng.IntN(90)), 255}
	low := color.RGBA{uint8(220 + rng.IntN(35)), uint8(150 + rng.IntN(80)), uint8(110 + rng.IntN(90)), 255}
	sunX, sunY := float64(width)*(0.2+0.6*rng.Float64()), float64(height)*(0.2+0.2*rng.Float64())
	sun := float64(height) * 0.07
	for y := range height {
		for x := range width {
			c := blend(top, low, float64(y)/float64(height)*1.4)
			if d := math.Hypot(float64(x)-sunX, float64(y)-sunY); d < sun*2 {
				c = blend(color.RGBA{255, 246, 214, 255}, c, math.Max(0, (d-sun)/sun))
			}
			img.SetRGBA(x, y, c)
		}
	}
	for row := range 4 {
		paintHills(img, rng, row)
	}
	return img
}

func paintHills(img *image.RGBA, rng *rand.Rand, row int) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	base := float64(h) * (0.5 + 0.12*float64(row))
	swing, shift := float64(h)*(0.03+0.05*rng.Float64()), rng.Float64()*6
	shade := uint8(110 - row*24)
	c := color.RGBA{shade / 2, shade + 20, shade/2 + 30, 255}
	for x := range w {
		t := float64(x) / float64(w)
		edge := base + swing*math.Sin(shift+t*(5+float64(row)*2)) + swing/3*math.Sin(shift*3+t*23)
		for y := max(0, int(edge)); y < h; y++ {
			img.SetRGBA(x, y, c)
		}
	}
}

func blend(a, b color.RGBA, t float64) color.RGBA {
	t = math.Min(1, math.Max(0, t))
	mix := func(x, y uint8) uint8 { return uint8(float64(x)*(1-t) + float64(y)*t) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// photo is a landscape as a JPEG file.
func photo(name string, width, height int, seed uint64) file {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, landscape(width, height, seed), &jpeg.Options{Quality: 82}) // a buffer takes all
	return file{name: name, media: "image/jpeg", data: b.Bytes()}
}

// drawing is a landscape as a PNG file.
func drawing(name string, width, height int, seed uint64) file {
	var b bytes.Buffer
	_ = png.Encode(&b, landscape(width, height, seed))
	return file{name: name, media: "image/png", data: b.Bytes()}
}

// archive is a zip file of incompressible files, about size bytes in all.
func archive(name string, size int, names ...string) file {
	rng := rand.NewChaCha8([32]byte{3, 5})
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		data := make([]byte, size/len(names))
		_, _ = rng.Read(data)
		w, _ := z.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Store}) // a buffer takes all
		_, _ = w.Write(data)
	}
	_ = z.Close()
	return file{name: name, media: "application/zip", data: b.Bytes()}
}
