package sanitize

import (
	"maps"
	"strings"
)

var (
	repeatWords    = set("repeat no-repeat repeat-x repeat-y round space")
	backgroundRest = set("scroll fixed local border-box padding-box content-box none") // read and left out
	weightWords    = set("normal bold bolder lighter")
	trackWords     = set("auto min-content max-content")
	genericFonts   = set("serif sans-serif monospace cursive fantasy system-ui ui-sans-serif ui-serif ui-monospace ui-rounded inherit")
	borderWords    = set("none hidden dotted dashed solid double groove ridge inset outset thin medium thick")
	flexWords      = "normal stretch center start end flex-start flex-end left right baseline space-between space-around space-evenly"
)

// properties are all that a mail may set, each with what values it takes. background, font and font-family are read
// by functions of their own (decl.go).
var properties = propertyTable()

func propertyTable() map[string]grammar {
	m := map[string]grammar{}
	for _, t := range []map[string]grammar{boxProperties(), textProperties(), paintProperties(), layoutProperties()} {
		maps.Copy(m, t)
	}
	return m
}

func each(names string, g grammar) map[string]grammar {
	m := map[string]grammar{}
	for _, n := range strings.Fields(names) {
		m[n] = g
	}
	return m
}

func words(s string) grammar { return grammar{words: set(s), items: 1} }

func sizes(s string, max float64, items int) grammar {
	return grammar{words: set(s), lengths: true, percents: true, zero: true, max: max, items: items}
}

func joined(tables ...map[string]grammar) map[string]grammar {
	m := map[string]grammar{}
	for _, t := range tables {
		maps.Copy(m, t)
	}
	return m
}

func boxProperties() map[string]grammar {
	line := grammar{words: borderWords, lengths: true, zero: true, colors: true, max: 50, items: 3}
	sides := "border-top border-right border-bottom border-left border-block border-inline border-block-start border-block-end border-inline-start border-inline-end"
	widths, styles, colors := line, line, line
	widths.colors, widths.items = false, 4
	styles.colors, styles.lengths, styles.zero, styles.items = false, false, false, 4
	colors.lengths, colors.zero, colors.items, colors.words = false, false, 4, set("currentcolor")
	round := sizes("", 1000, 8)
	round.slash = true
	return joined(
		each("margin margin-top margin-right margin-bottom margin-left margin-block margin-inline margin-block-start margin-block-end margin-inline-start margin-inline-end", sizes("auto", 200, 4)),
		each("padding padding-top padding-right padding-bottom padding-left padding-block padding-inline padding-block-start padding-block-end padding-inline-start padding-inline-end", sizes("", 200, 4)),
		each("border outline "+sides, line),
		each("border-width outline-width "+suffixed(sides, "-width"), widths),
		each("border-style outline-style "+suffixed(sides, "-style"), styles),
		each("border-color outline-color "+suffixed(sides, "-color"), colors),
		each("border-radius border-top-left-radius border-top-right-radius border-bottom-left-radius border-bottom-right-radius", round),
		each("width min-width", sizes("auto min-content max-content fit-content", 2000, 1)),
		each("max-width", sizes("none min-content max-content fit-content", 2000, 1)),
		each("height min-height", sizes("auto min-content max-content fit-content", 10_000, 1)),
		each("max-height", sizes("none", 10_000, 1)),
		each("box-sizing", words("border-box content-box")),
		each("border-collapse", words("collapse separate")),
		each("border-spacing", sizes("", 50, 2)),
		each("outline-offset", sizes("", 20, 1)),
	)
}

func suffixed(names, suffix string) string {
	return strings.Join(strings.Fields(names), suffix+" ") + suffix
}

func textProperties() map[string]grammar {
	size := sizes("xx-small x-small small medium large x-large xx-large smaller larger", 96, 1)
	size.min = 6
	high := grammar{words: set("normal"), lengths: true, percents: true, numbers: true, max: 200, least: 0, most: 4, items: 1}
	weight := grammar{words: weightWords, numbers: true, least: 100, most: 900, items: 1}
	decoration := grammar{words: set("none underline overline line-through solid double dotted dashed wavy"), colors: true, items: 4}
	indent := sizes("", 200, 1)
	shadow := grammar{words: set("none"), lengths: true, colors: true, min: -20, max: 20, items: 4}
	valign := sizes("baseline top middle bottom sub super text-top text-bottom", 200, 1)
	valign.min = -50
	return joined(
		each("font-size", size), each("line-height", high), each("font-weight", weight),
		each("font-style", words("normal italic oblique")),
		each("font-variant", words("normal small-caps")),
		each("letter-spacing word-spacing", sizes("normal", 20, 1)),
		each("text-align", words("left right center justify start end")),
		each("text-decoration", decoration),
		each("text-decoration-line", words("none underline overline line-through")),
		each("text-decoration-style", words("solid double dotted dashed wavy")),
		each("text-decoration-color", grammar{colors: true, words: set("currentcolor"), items: 1}),
		each("text-indent", indent), each("text-shadow", shadow), each("vertical-align", valign),
		each("text-overflow", words("clip ellipsis")),
		each("text-transform", words("none uppercase lowercase capitalize")),
		each("unicode-bidi", words("normal embed isolate bidi-override isolate-override plaintext")),
		each("direction", words("ltr rtl")),
		each("white-space", words("normal nowrap pre pre-wrap pre-line break-spaces")),
		each("word-break", words("normal break-all keep-all break-word")),
		each("overflow-wrap word-wrap", words("normal break-word anywhere")),
		each("hyphens", words("none manual auto")),
		each("list-style", grammar{words: set(listStyles + " inside outside"), items: 2}),
		each("list-style-type", words(listStyles)),
		each("list-style-position", words("inside outside")),
		each("content", grammar{words: set("none normal"), strings: true, items: 1}),
	)
}

const listStyles = "none disc circle square decimal decimal-leading-zero lower-alpha upper-alpha lower-latin upper-latin lower-roman upper-roman lower-greek"

func paintProperties() map[string]grammar {
	return joined(
		each("color", grammar{colors: true, words: set("currentcolor"), items: 1}),
		each("background-color", grammar{colors: true, words: set("currentcolor"), items: 1}),
		each("background-image", grammar{words: set("none"), pictures: true, items: 1}),
		each("background-repeat", grammar{words: repeatWords, items: 2}),
		each("background-position", grammar{words: set("left right top bottom center"), lengths: true, percents: true, zero: true, min: -2000, max: 2000, items: 4}),
		each("background-size", sizes("auto cover contain", 2000, 2)),
		each("opacity", grammar{numbers: true, percents: true, least: 0, most: 1, items: 1}),
		each("visibility", words("visible hidden collapse")),
		each("box-shadow", grammar{words: set("none inset"), lengths: true, colors: true, min: -20, max: 20, items: 6}),
		each("object-fit", words("fill contain cover none scale-down")),
	)
}

func layoutProperties() map[string]grammar {
	tracks := sizes("none auto min-content max-content minmax", 2000, 24)
	count := grammar{numbers: true, least: 0, most: 100, items: 1}
	return joined(
		each("display", words("none inline block inline-block list-item table inline-table table-row table-cell table-row-group table-header-group table-footer-group table-column table-column-group table-caption flex inline-flex grid inline-grid flow-root")),
		each("float", words("left right none")),
		each("clear", words("left right both none")),
		each("overflow overflow-x overflow-y", words("hidden visible")),
		each("caption-side", words("top bottom")),
		each("empty-cells", words("show hide")),
		each("table-layout", words("auto fixed")),
		each("align-content align-items align-self justify-content justify-items justify-self", words(flexWords)),
		each("flex-direction", words("row column row-reverse column-reverse")),
		each("flex-wrap", words("nowrap wrap wrap-reverse")),
		each("flex-flow", grammar{words: set("row column row-reverse column-reverse nowrap wrap wrap-reverse"), items: 2}),
		each("flex", grammar{words: set("none auto initial"), numbers: true, lengths: true, percents: true, most: 100, max: 2000, items: 3}),
		each("flex-grow flex-shrink", count), each("order", count),
		each("flex-basis", sizes("auto content", 2000, 1)),
		each("gap row-gap column-gap", sizes("normal", 200, 2)),
		each("grid-template-columns", tracks),
	)
}
