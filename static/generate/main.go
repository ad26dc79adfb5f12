// Command generate fills static/vendor, static/fonts and static/icons/icons.svg
// from the npm packages that package-lock.json pins. Files are copied as they
// come; htmx.js is a plain join and icons.svg holds the icons named below.
// Run it with `go generate ./static` (needs npm and the network).
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// icons are the lucide icons that templates and scripts use.
const icons = `a-large-small activity archive arrow-left bold bookmark calendar chevron-left chevron-right circle-check circle-question-mark circle-x code download ellipsis
	file file-archive file-image file-pen-line file-spreadsheet file-text flag flag-off folder folder-input forward gauge globe hard-drive-download
	inbox indent-decrease italic key-round link list list-ordered log-out mail mail-open mails maximize-2 menu merge monitor-smartphone palette paperclip
	pause pencil phone play plus printer quote redo-2 refresh-cw remove-formatting reply reply-all scissors scroll-text search send server settings shield
	shield-alert shield-check smile strikethrough trash-2 triangle-alert type underline undo-2 upload user-plus users x`

// noEval refuses code in attributes before htmx tries to compile it.
const noEval = `htmx.registerExtension('no-eval',{init(api){const no=function(){throw new Error('inline code is not allowed')};api.initSecurity(null,no,no)}});` + "\n"

// copied maps a file of a package to its place in static.
var copied = map[string]string{
	"squire-rte/dist/squire.mjs":         "vendor/squire.js",
	"squire-rte/LICENSE":                 "vendor/squire.LICENSE.txt",
	"dompurify/dist/purify.min.js":       "vendor/purify.js",
	"dompurify/LICENSE":                  "vendor/purify.LICENSE.txt",
	"emojibase-data/LICENSE":             "vendor/emoji.LICENSE.txt",
	"htmx.org/LICENSE":                   "vendor/htmx.LICENSE.txt",
	"lucide-static/LICENSE":              "icons/lucide.LICENSE.txt",
	"axe-core/axe.min.js":                "../cmd/restante/testdata/axe.min.js", // for tests alone
	"axe-core/LICENSE":                   "../cmd/restante/testdata/axe.LICENSE.txt",
	"@fontsource/source-serif-4/LICENSE": "fonts/source-serif-4.LICENSE.txt",
}

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "restante-static")
	check(err)
	defer os.RemoveAll(dir)
	for _, name := range []string{"package.json", "package-lock.json"} {
		copyFile(filepath.Join("generate", name), filepath.Join(dir, name))
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir, npm.Stderr = dir, os.Stderr
	check(npm.Run())
	modules := filepath.Join(dir, "node_modules")

	for _, script := range []string{"latin", "latin-ext", "cyrillic", "greek"} {
		copied["@fontsource/source-serif-4/files/source-serif-4-"+script+"-600-normal.woff2"] = "fonts/serif-" + script + ".woff2"
	}
	for from, to := range copied {
		copyFile(filepath.Join(modules, from), to)
	}
	htmx := join(filepath.Join(modules, "htmx.org/dist/htmx.min.js"), filepath.Join(modules, "htmx.org/dist/ext/hx-csp.min.js"))
	write("vendor/htmx.js", append(htmx, noEval...))
	write("vendor/emoji.js", emoji(filepath.Join(modules, "emojibase-data/en/shortcodes/github.json")))
	write("icons/icons.svg", sprite(filepath.Join(modules, "lucide-static/icons")))
	write("vendor/README.txt", readme())
}

// join puts scripts behind each other, without the comments that name source maps.
func join(names ...string) (out []byte) {
	for _, name := range names {
		out = append(append(out, sourceMap.ReplaceAll(read(name), nil)...), '\n')
	}
	return out
}

var (
	sourceMap = regexp.MustCompile(`(?m)^//# sourceMappingURL=.*$`)
	inner     = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
	spaces    = regexp.MustCompile(`\s*\n\s*`)
)

func sprite(dir string) []byte {
	var b bytes.Buffer
	b.WriteString("<!-- lucide, ISC licence: lucide.LICENSE.txt --><svg xmlns=\"http://www.w3.org/2000/svg\">\n")
	for _, name := range strings.Fields(icons) {
		m := inner.FindSubmatch(read(filepath.Join(dir, name+".svg")))
		if m == nil {
			log.Fatalf("%s is not an icon", name)
		}
		fmt.Fprintf(&b, "<symbol id=%q viewBox=\"0 0 24 24\">%s</symbol>\n", name, spaces.ReplaceAll(m[1], nil))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// emoji are their names, as GitHub has them, as a module: a line each, the emoji behind its names.
func emoji(name string) []byte {
	var named map[string]any // by code points in hex: a name, or several
	check(json.Unmarshal(read(name), &named))
	var lines []string
	for codes, names := range named {
		var sign strings.Builder
		for _, code := range strings.Split(codes, "-") {
			r, err := strconv.ParseInt(code, 16, 32)
			check(err)
			sign.WriteRune(rune(r))
		}
		if !strings.Contains(codes, "-") && len(codes) < 5 {
			sign.WriteRune('\ufe0f') // as a picture, not as a letter
		}
		lines = append(lines, fmt.Sprintf("%s %s", strings.Trim(fmt.Sprint(names), "[]"), &sign))
	}
	sort.Strings(lines)
	return fmt.Appendf(nil, "export default `%s`;\n", strings.Join(lines, "\n"))
}

// readme names what was copied, with its sum.
func readme() []byte {
	var b bytes.Buffer
	b.WriteString("Made by `go generate ./static`; nothing here is edited by hand. Versions stand in\nstatic/generate/package.json, with their sums in package-lock.json. htmx.js is\nhtmx.min.js and hx-csp.min.js joined, with one line of our own (generate/main.go).\n\n")
	names := []string{"vendor/htmx.js", "vendor/emoji.js", "icons/icons.svg"}
	for _, to := range copied {
		names = append(names, to)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(read(name)), name)
	}
	return b.Bytes()
}

func copyFile(from, to string) { write(to, read(from)) }

func read(name string) []byte {
	body, err := os.ReadFile(name)
	check(err)
	return body
}

func write(name string, body []byte) { check(os.WriteFile(name, body, 0o644)) }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
