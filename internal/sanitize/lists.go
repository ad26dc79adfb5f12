package sanitize

import "strings"

// Limits of SECURITY.md 6. What goes beyond them is left out, never an error.
const (
	maxInput    = 2 << 20
	maxOutput   = 4 << 20
	maxNodes    = 100_000
	maxDepth    = 200
	maxAttrs    = 64
	maxValue    = 8 << 10
	maxStyle    = 64 << 10
	maxText     = 1000 // runes of alt, title, aria-label
	maxDataOne  = 256 << 10
	maxDataAll  = 1 << 20
	maxCells    = 20_000
	maxSpan     = 100
	maxLinks    = 5000
	maxImages   = 1000
	maxLinkText = 2000
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// allowed are the elements that may be written; all others are unwrapped.
	allowed = set(`a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del
		details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p
		pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr`)
	// killed are the elements that go with all they hold.
	killed = set(`script style svg math template noscript iframe frame frameset noframes object embed applet param audio video source
		track canvas map area portal fencedframe input button select option optgroup datalist textarea keygen output progress meter
		dialog slot link meta base head title xmp plaintext listing noembed marquee bgsound isindex menuitem selectedcontent geolocation permission`)
	void = set(`br col hr img wbr`)
	// blocks end a paragraph, so they cannot stand in one.
	blocks = set(`address article aside blockquote center dd details dir div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header
		hgroup hr li main nav ol p pre section summary table ul`)
	headings = set(`h1 h2 h3 h4 h5 h6`)
	// parents says where table parts may stand; elsewhere they are unwrapped.
	parents = map[string]map[string]bool{
		"caption": set("table"), "colgroup": set("table"), "thead": set("table"), "tbody": set("table"), "tfoot": set("table"),
		"tr": set("thead tbody tfoot"), "td": set("tr"), "th": set("tr"), "col": set("colgroup"),
		"rt": set("ruby"), "rp": set("ruby"), "li": set("ul ol dir"), "dt": set("dl"), "dd": set("dl"), "summary": set("details"),
	}
	// onlyParts hold table parts and nothing else.
	onlyParts = set("table colgroup thead tbody tfoot tr")
	// formParts are the fields that a mail's form would have.
	formParts = set("input button select textarea")
)

// Enumerated values of presentational attributes.
var (
	alignWords  = set("left right center justify middle top bottom char absmiddle texttop baseline")
	valignWords = set("top middle bottom baseline")
	dirWords    = set("ltr rtl auto")
	listWords   = set("1 a A i I disc circle square")
	clearWords  = set("left right all none")
	rulesWords  = set("none groups rows cols all")
	frameWords  = set("void above below hsides lhs rhs vsides box border")
	roleWords   = set("presentation none img heading")
	trueWords   = set("true false")
)
