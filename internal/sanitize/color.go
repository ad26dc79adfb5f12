package sanitize

import (
	"math"
	"strconv"
	"strings"
)

// rgba is a colour in sRGB, in the 8 bits a value that are written.
type rgba struct{ r, g, b, a uint8 }

// grid takes a value from 0 to 1 to 8 bits.
func grid(v float64) uint8 {
	if math.IsNaN(v) {
		return 0
	}
	return uint8(math.Round(math.Max(0, math.Min(1, v)) * 255))
}

func rgb(r, g, b float64) rgba { return rgba{grid(r), grid(g), grid(b), 255} }

func hex(s string) rgba {
	c, _ := hexColor(s)
	return c
}

// hexColor reads 3, 4, 6 or 8 hexadecimal digits.
func hexColor(s string) (rgba, bool) {
	if len(s) == 3 || len(s) == 4 {
		var b strings.Builder
		for _, r := range s {
			b.WriteRune(r)
			b.WriteRune(r)
		}
		s = b.String()
	}
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 6 && len(s) != 8 {
		return rgba{}, false
	}
	if len(s) == 6 {
		n = n<<8 | 0xff
	}
	return rgba{uint8(n >> 24), uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

// String writes the colour in CSS.
func (c rgba) String() string {
	const digits = "0123456789abcdef"
	if c.a == 0 {
		return "transparent"
	}
	b := []byte{'#'}
	for _, v := range [...]uint8{c.r, c.g, c.b, c.a} {
		b = append(b, digits[v>>4], digits[v&15])
	}
	if c.a == 255 {
		b = b[:7]
	}
	return string(b)
}

// over is c seen before an opaque ground.
func (c rgba) over(ground rgba) rgba {
	a := float64(c.a) / 255
	mix := func(x, y uint8) float64 { return (float64(x)*a + float64(y)*(1-a)) / 255 }
	return rgb(mix(c.r, ground.r), mix(c.g, ground.g), mix(c.b, ground.b))
}

func linear(v uint8) float64 { return linears[v] }

var linears = func() (out [256]float64) {
	for i := range out {
		out[i] = toLinear(float64(i) / 255)
	}
	return out
}()

func toLinear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func gamma(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// luminance is WCAG 2's relative luminance.
func (c rgba) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// contrast is WCAG 2's ratio of two opaque colours, 1 to 21.
func contrast(a, b rgba) float64 {
	x, y := a.luminance(), b.luminance()
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// oklch gives lightness 0 to 1, chroma, and hue in radians (Björn Ottosson's OKLab, in polar form; CSS Color 4).
func (c rgba) oklch() (l, chroma, hue float64) {
	r, g, b := linear(c.r), linear(c.g), linear(c.b)
	x := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	y := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	z := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	l = 0.2104542553*x + 0.7936177850*y - 0.0040720468*z
	p := 1.9779984951*x - 2.4285922050*y + 0.4505937099*z
	q := 0.0259040371*x + 0.7827717662*y - 0.8086757660*z
	return l, math.Hypot(p, q), math.Atan2(q, p)
}

// oklab gives the colour of OKLab values, which may lie outside of sRGB.
func oklab(l, p, q float64) (r, g, b float64) {
	cube := func(v float64) float64 { return v * v * v }
	x := cube(l + 0.3963377774*p + 0.2158037573*q)
	y := cube(l - 0.1055613458*p - 0.0638541728*q)
	z := cube(l - 0.0894841775*p - 1.2914855480*q)
	return gamma(4.0767416621*x - 3.3077115913*y + 0.2309699292*z),
		gamma(-1.2684380046*x + 2.6097574011*y - 0.3413193965*z),
		gamma(-0.0041960863*x - 0.7034186147*y + 1.7076147010*z)
}

// fromOKLCH takes chroma back until the colour lies in sRGB.
func fromOKLCH(l, chroma, hue float64) rgba {
	inside := func(v float64) bool { return v >= -0.0005 && v <= 1.0005 }
	for i := 0; ; i++ {
		r, g, b := oklab(l, chroma*math.Cos(hue), chroma*math.Sin(hue))
		if inside(r) && inside(g) && inside(b) || i == 40 || chroma < 0.0005 {
			return rgb(r, g, b)
		}
		chroma *= 0.9
	}
}

// fromLab gives the colour of CIE Lab values with white point D50 (CSS Color 4, 10).
func fromLab(l, a, b float64) rgba {
	f := func(t float64) float64 {
		if t*t*t > 216.0/24389 {
			return t * t * t
		}
		return (116*t - 16) * 27 / 24389
	}
	y := (l + 16) / 116
	x, z := f(y+a/500)*0.9642957, f(y-b/200)*0.8251046
	y = f(y)
	return rgb(gamma(3.1341359*x-1.6172206*y-0.4906286*z), gamma(-0.9787684*x+1.9161415*y+0.0334540*z),
		gamma(0.0719453*x-0.2289914*y+1.4052427*z))
}

// fromHSL takes hue in degrees, the others 0 to 1.
func fromHSL(h, s, l float64) rgba {
	s, l = math.Max(0, math.Min(1, s)), math.Max(0, math.Min(1, l))
	f := func(n float64) float64 {
		k := math.Mod(n+h/30, 12)
		if k < 0 {
			k += 12
		}
		return l - s*math.Min(l, 1-l)*math.Max(-1, math.Min(math.Min(k-3, 9-k), 1))
	}
	return rgb(f(0), f(8), f(4))
}

// fromHWB takes hue in degrees, white and black 0 to 1.
func fromHWB(h, white, black float64) rgba {
	if sum := white + black; sum >= 1 {
		return rgb(white/sum, white/sum, white/sum)
	}
	c := fromHSL(h, 1, 0.5)
	at := func(v uint8) float64 { return float64(v)/255*(1-white-black) + white }
	return rgb(at(c.r), at(c.g), at(c.b))
}
