package sanitize

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"restante/internal/testproc"
)

// looksVariable is the environment variable that names a directory for the pictures that TestKinds compares.
const looksVariable = "RESTANTE_LOOKS"

const (
	room   = 720 // px that a letter has on a wide page, without our own padding
	narrow = 326 // and on a phone
	margin = 16  // our own padding
)

// viewer shows letters in frames of one page of a real browser.
type viewer struct {
	t   *testing.T
	ctx context.Context
}

// shownLetter is what a frame tells of its letter.
type shownLetter struct {
	Height, Width int      // of what it holds
	Pale          []string // texts that can hardly be told from what is behind them
}

// harness is the page around the frames. Scripts of letters cannot run: the sandbox and the policy forbid them.
const harness = `<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0;background:#fff}iframe{border:0;position:absolute;top:0}</style><script>
async function show(at, left, width, path) {
	const f = document.createElement("iframe");
	f.sandbox = "allow-same-origin"; f.style.left = left + "px"; f.width = width; f.height = 200; f.src = path; f.id = at;
	document.getElementById(at)?.remove();
	await new Promise((done) => { f.onload = done; document.body.append(f); });
	const root = f.contentDocument.documentElement;
	for (const d of f.contentDocument.querySelectorAll("details.quoted")) { d.open = true; d.firstChild.style.display = "none"; }
	await Promise.all([...f.contentDocument.images].map((i) => { i.loading = "eager"; return i.decode().catch(() => 0); }));
	const size = { Height: Math.ceil(Math.max(root.getBoundingClientRect().height, f.contentDocument.body.scrollHeight > 200 ? f.contentDocument.body.scrollHeight : 0)), Width: root.scrollWidth, Pale: pale(f.contentWindow) };
	f.height = Math.max(size.Height, 20);
	return size;
}
const channel = (v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const luminance = (c) => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
function rgba(s) { const v = s.match(/[\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; }
const over = (c, ground) => c.slice(0, 3).map((v, i) => v * c[3] + ground[i] * (1 - c[3]));
const mean = (list) => list[0].map((_, i) => list.reduce((sum, c) => sum + c[i], 0) / list.length);
// groundOf is the colour behind an element, of a gradient the mean one, null where it is a picture.
function groundOf(w, el) {
	const layers = [];
	for (let n = el; n; n = n.parentElement) {
		const s = w.getComputedStyle(n);
		if (s.backgroundImage.includes("url(")) return null;
		if (s.backgroundImage !== "none") layers.push(mean(s.backgroundImage.match(/rgba?\([^)]+\)/g).map(rgba)));
		layers.push(rgba(s.backgroundColor));
	}
	let ground = [255, 255, 255];
	for (const c of layers.reverse()) ground = over(c, ground);
	return ground;
}
function pale(w) {
	const out = [], walk = w.document.createTreeWalker(w.document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walk.nextNode();) {
		const el = n.parentElement, text = n.data.trim();
		if (!text || !el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
		const range = w.document.createRange();
		range.selectNodeContents(n);
		const box = range.getBoundingClientRect(), s = w.getComputedStyle(el);
		if (box.width < 2 || box.height < 2 || parseFloat(s.fontSize) < 3) continue;
		const ground = groundOf(w, el);
		if (!ground) continue;
		const c = contrast(over(rgba(s.color), ground), ground);
		if (c < 4.5) out.push(c.toFixed(2) + " " + s.color + " on " + ground.map(Math.round) + ": " + text.slice(0, 40));
	}
	return out;
}
</script>`

// newViewer starts a browser for letters, which it asks for as /before/name and /after/theme/name.
func newViewer(t *testing.T, all []sample) *viewer {
	t.Helper()
	letters := map[string]string{}
	for _, k := range all {
		letters[k.name] = k.html
	}
	bin, err := testproc.Program("chromium")
	testproc.Need(t, "Chromium", "chromium", err)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		at := strings.Split(r.URL.Path, "/")
		switch {
		case len(at) == 3 && at[1] == "before":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
			fmt.Fprint(w, asSent(letters[at[2]]))
		case len(at) == 4 && at[1] == "after":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
			fmt.Fprint(w, Document(r.Context(), []Part{{HTML: letters[at[3]]}}, ours(at[2])))
		default:
			fmt.Fprint(w, harness)
		}
	}))
	t.Cleanup(srv.Close)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))...)
	ctx, _ := chromedp.NewContext(alloc)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() {
		cancel()
		stop()
		chromedp.FromContext(ctx).Allocator.Wait()
	})
	v := &viewer{t, ctx}
	if _, err := chromedp.Run(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 2*room + 2*margin, Height: 2000, DeviceScaleFactor: 1}); err != nil {
		t.Fatal(err)
	}
	v.scheme("light")
	return v
}

// asSent is a letter as it came, but for the page around it, which is as ours, and is read by today's rules. What that
// page says is only inherited, so that the letter's old attributes are stronger.
func asSent(s string) string {
	const doctype = "<!DOCTYPE html>"
	page := `<style>html{background:#fdfcfa;overflow-wrap:break-word;color:#192029;font:16px/1.5 system-ui,sans-serif}body{margin:0}img{max-width:100%}table{max-width:100%}`
	s = strings.TrimSpace(s)
	if strings.HasPrefix(strings.ToLower(s), "<!doctype") {
		_, s, _ = strings.Cut(s, ">")
	}
	lower := strings.ToLower(s)
	if !strings.Contains(lower, " link=") {
		page += "a{color:#1b549b}"
	}
	if at := strings.Index(lower, "<head>"); at >= 0 {
		return doctype + s[:at+6] + page + "</style>" + s[at+6:]
	}
	return doctype + page + "</style>" + s
}

// scheme is what the browser's system is set to, light or dark.
func (v *viewer) scheme(name string) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}); err != nil {
		v.t.Fatal(err)
	}
}

// show puts a letter into a frame of the page.
func (v *viewer) show(at string, left, width int, path string) shownLetter {
	v.t.Helper()
	raw, err := json.Marshal([]any{at, left, width, path})
	if err != nil {
		v.t.Fatal(err)
	}
	out, err := chromedp.Run(v.ctx, chromedp.Evaluate[shownLetter]("show(..."+string(raw)+")", chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", path, err)
	}
	return out
}

// picture is the page from its left upper corner.
func (v *viewer) picture(width, height int) *image.RGBA {
	v.t.Helper()
	out, err := chromedp.Call(v.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png", OptimizeForSpeed: new(true),
		Clip: &page.Viewport{Width: float64(width), Height: float64(min(height, 2000)), Scale: 1}})
	if err != nil {
		v.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader([]byte(out.Data)))
	if err != nil {
		v.t.Fatal(err)
	}
	to := image.NewRGBA(img.Bounds())
	draw.Draw(to, to.Bounds(), img, image.Point{}, draw.Src)
	return to
}

// keep writes a picture to where the environment wants it.
func (v *viewer) keep(name string, img image.Image) {
	v.t.Helper()
	dir := os.Getenv(looksVariable)
	if dir == "" {
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// differs is the share of a picture, in squares of 8 px, where the mean colour of one is another than of the other.
func differs(img *image.RGBA, one, other image.Rectangle) float64 {
	const square = 8
	bad, all := 0, 0
	mean := func(r image.Rectangle, x, y int) (sum [3]int) {
		for dy := range square {
			for dx := range square {
				c := img.RGBAAt(r.Min.X+x+dx, r.Min.Y+y+dy)
				sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
			}
		}
		return sum
	}
	for y := 0; y+square <= min(one.Dy(), other.Dy()); y += square {
		for x := 0; x+square <= min(one.Dx(), other.Dx()); x += square {
			a, b := mean(one, x, y), mean(other, x, y)
			all++
			for i := range a {
				if d := a[i] - b[i]; d > 20*square*square || d < -20*square*square {
					bad++
					break
				}
			}
		}
	}
	return float64(bad) / float64(max(all, 1))
}

// closer are kinds whose words or letters stand closer together, or out to the left, than a letter may draw them.
var closer = map[string]bool{"korean-notice": true, "outlook-memo": true, "web-fonts": true, "word-table": true}

// TestKindsLookAsSent compares every kind of mail before and after, in a real browser.
func TestKindsLookAsSent(t *testing.T) {
	all := kinds(t)
	v := newViewer(t, all)
	for _, k := range all {
		before := v.show("before", 0, room, "/before/"+k.name)
		after := v.show("after", room, room+2*margin, "/after/light/"+k.name)
		img := v.picture(2*room+2*margin, max(before.Height, after.Height))
		v.keep(k.name, img)
		tall := after.Height - 2*margin
		h := min(before.Height, tall)
		most := 0.025
		if closer[k.name] {
			most = 0.06
		}
		if d := differs(img, image.Rect(0, 0, room, h), image.Rect(room+margin, margin, 2*room+margin, margin+h)); d > most {
			t.Errorf("%s: %.1f %% of it look otherwise than it was sent", k.name, 100*d)
		}
		if d := tall - before.Height; max(d, -d) > 4+before.Height/50 {
			t.Errorf("%s is %d px high, and was %d", k.name, tall, before.Height)
		}
	}
}

// TestKindsCanBeReadByNight: each text stands out from what is behind it, as the browser draws it.
func TestKindsCanBeReadByNight(t *testing.T) {
	all := kinds(t)
	v := newViewer(t, all)
	if day := v.show("day", 0, room, "/before/pastel-brand"); len(day.Pale) == 0 {
		t.Fatal("pale words are not seen")
	}
	v.scheme("dark")
	for _, k := range all {
		theme := "dark"
		if strings.Contains(k.html, "prefers-color-scheme") { // under auto, it is the browser that asks
			theme = "auto"
		}
		night := v.show("night", 0, room+2*margin, "/after/"+theme+"/"+k.name)
		for _, s := range night.Pale {
			t.Errorf("%s: %s", k.name, s)
		}
		if os.Getenv(looksVariable) != "" {
			v.keep(k.name+"-night", v.picture(room+2*margin, night.Height))
		}
	}
}
