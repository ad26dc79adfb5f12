package static

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// oklch is a colour as the tokens name it.
type oklch struct{ l, c, h float64 }

// luminance is the relative luminance of WCAG 2, by way of linear sRGB clipped to its gamut.
func (o oklch) luminance() float64 {
	a, b := o.c*math.Cos(o.h*math.Pi/180), o.c*math.Sin(o.h*math.Pi/180)
	l, m, s := cube(o.l+0.3963377774*a+0.2158037573*b), cube(o.l-0.1055613458*a-0.0638541728*b), cube(o.l-0.0894841775*a-1.2914855480*b)
	red := clip(4.0767416621*l - 3.3077115913*m + 0.2309699292*s)
	green := clip(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s)
	blue := clip(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s)
	return 0.2126*red + 0.7152*green + 0.0722*blue
}

func cube(x float64) float64 { return x * x * x }
func clip(x float64) float64 { return math.Min(1, math.Max(0, x)) }

func contrast(x, y oklch) float64 {
	a, b := x.luminance(), y.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

var token = regexp.MustCompile(`(--[a-z0-9-]+):\s*light-dark\(\s*oklch\(([\d.]+)%\s+([\d.]+)\s+([\d.]+)\)\s*,\s*oklch\(([\d.]+)%\s+([\d.]+)\s+([\d.]+)\)\s*\)`)

// tokens reads the colours of the stylesheet: by name, by day and by night.
func tokens(t *testing.T) map[string][2]oklch {
	t.Helper()
	css, err := os.ReadFile("css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][2]oklch{}
	for _, m := range token.FindAllStringSubmatch(string(css), -1) {
		n := make([]float64, 6)
		for i := range n {
			if n[i], err = strconv.ParseFloat(m[i+2], 64); err != nil {
				t.Fatal(err)
			}
		}
		out[m[1]] = [2]oklch{{n[0] / 100, n[1], n[2]}, {n[3] / 100, n[4], n[5]}}
	}
	return out
}

// TestContrast recomputes what each colour of text and edge has against the grounds that it stands on.
func TestContrast(t *testing.T) {
	all := tokens(t)
	grounds := []string{"--paper", "--sheet", "--raised", "--sunk", "--hover"}
	for _, c := range []struct {
		front string
		least float64
		on    []string
	}{
		{"--ink", 4.5, append(grounds, "--act-tint", "--mark", "--warn-tint", "--info-tint")}, {"--ink-2", 4.5, grounds}, {"--ink-3", 4.5, []string{"--paper", "--sheet", "--raised", "--hover"}},
		{"--act", 4.5, grounds}, {"--on-act", 4.5, []string{"--act", "--act-hover"}}, {"--act-ink", 4.5, []string{"--act-tint"}}, {"--link", 4.5, grounds},
		{"--danger", 4.5, grounds}, {"--on-danger", 4.5, []string{"--danger"}}, {"--danger-ink", 4.5, []string{"--danger-tint"}}, {"--warn", 4.5, []string{"--warn-tint"}}, {"--info", 4.5, []string{"--info-tint"}},
		{"--flag", 3, []string{"--paper", "--sheet", "--raised", "--hover"}}, {"--line-strong", 3, []string{"--paper", "--sheet", "--raised"}}, {"--focus", 3, grounds},
	} {
		for _, ground := range c.on {
			for i, theme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s on %s, %s", c.front, ground, theme), func(t *testing.T) {
					front, ok := all[c.front]
					back, ok2 := all[ground]
					if !ok || !ok2 {
						t.Fatal("no such colour")
					}
					if got := contrast(front[i], back[i]); got < c.least {
						t.Errorf("contrast %.2f is under %.1f", got, c.least)
					}
				})
			}
		}
	}
}
