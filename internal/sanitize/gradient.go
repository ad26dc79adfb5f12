package sanitize

// imageOf reads what a background may show: nothing, the address of one picture, or a plain gradient.
func imageOf(vals []token) ([]piece, bool) {
	vals = trim(vals)
	if len(vals) == 1 && vals[0].kind == function {
		switch name := vals[0].lower(); name {
		case "linear-gradient", "radial-gradient":
			return gradient(name, vals[0].args)
		case "url": // url( "…" ) with a space is a function to the tokenizer
			if a := trim(vals[0].args); len(a) == 1 && a[0].kind == quoted && a[0].text != "" {
				return []piece{{url: a[0].text}}, true
			}
		}
		return nil, false
	}
	return properties["background-image"].read(vals)
}

// gradientWords say where a gradient goes.
var gradientWords = set("to top bottom left right center at circle ellipse closest-side farthest-side closest-corner farthest-corner")

// gradient writes a gradient of at most 16 colours.
func gradient(name string, args []token) ([]piece, bool) {
	out := []piece{{text: name + "("}}
	colors := 0
	for i, t := range trim(args) {
		var p piece
		c, isColor := colorOf(t)
		switch {
		case isColor:
			p.color = &c
			colors++
		case t.kind == space && i > 0:
			p.text = " "
		case t.is(","):
			p.text = ","
		case t.kind == word && gradientWords[t.lower()]:
			p.text = t.lower()
		case t.kind == percent:
			p.text = num(clamp(t.n, -100, 200)) + "%"
		case t.kind == length && angles[t.unit] != 0:
			p.text = num(clamp(t.n, -3600, 3600)) + t.unit
		case t.kind == length && units[t.unit] != 0:
			p.text = num(clamp(t.n, -2000, 2000)) + t.unit
		case t.kind == number && t.n == 0:
			p.text = "0"
		default:
			return nil, false
		}
		out = append(out, p)
	}
	return append(out, piece{text: ")"}), colors >= 2 && colors <= 16
}

// mean is the colour that a gradient has on the whole.
func mean(colors []rgba) rgba {
	var r, g, b float64
	for _, c := range colors {
		c = c.over(sheetLight)
		r, g, b = r+float64(c.r), g+float64(c.g), b+float64(c.b)
	}
	n := 255 * float64(len(colors))
	return rgb(r/n, g/n, b/n)
}
