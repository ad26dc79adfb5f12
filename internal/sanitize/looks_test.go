package sanitize

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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
	narrow = 358 // and on a phone
	margin = 16  // our own padding
)

// viewer shows letters in frames of one page of a real browser.
type viewer struct {
	t   *testing.T
	ctx context.Context
}

// framed is a letter to be shown; those of one row stand beside each other. Without a path, those that are shown stay.
type framed struct {
	Row, Left, Width int
	Path             string
	Night            bool // pale words are looked for
}

// spot is where a letter stands, and how large it is.
type spot struct {
	Top, Height, Width int
	Pale               []string // words that can hardly be told from what is behind them
}

// atOnce is how many letters are shown together.
const atOnce = 8

// harness is the page around the frames. Scripts of letters cannot run: the sandbox and the policy forbid them.
const harness = `<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0;background:#fff}iframe{border:0;position:absolute;top:0}</style><script>
async function show(frames) {
	if (frames[0].Path) {
		document.body.replaceChildren();
		await Promise.all(frames.map(load));
	}
	const spots = frames.map(measure), tall = {};
	frames.forEach((f, i) => tall[f.Row] = Math.max(tall[f.Row] ?? 0, (spots[i].Height + 15) & ~15)); // pictures are taken in half their size
	frames.forEach((f, i) => {
		for (let row = 0; row < f.Row; row++) spots[i].Top += tall[row];
		document.body.children[i].style.top = spots[i].Top + "px";
	});
	return spots;
}
async function load(frame) {
	const f = document.createElement("iframe");
	f.sandbox = "allow-same-origin"; f.src = frame.Path;
	document.body.append(f);
	await new Promise((done) => f.onload = done);
	for (const d of f.contentDocument.querySelectorAll("details.quoted")) { d.open = true; d.firstChild.style.display = "none"; }
	await Promise.all([...f.contentDocument.images].map((i) => { i.loading = "eager"; return i.decode().catch(() => 0); }));
}
function measure(frame, at) {
	const f = document.body.children[at], root = f.contentDocument.documentElement, body = f.contentDocument.body;
	f.style.left = frame.Left + "px"; f.width = frame.Width; f.height = 200;
	const size = { Top: 0, Height: Math.ceil(Math.max(root.getBoundingClientRect().height, body.scrollHeight > 200 ? body.scrollHeight : 0)), Width: root.scrollWidth, Pale: frame.Night ? pale(f.contentWindow) : [] };
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
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 2*room + 2*margin, Height: 4500, DeviceScaleFactor: 1}); err != nil {
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

// show puts letters into frames of the page.
func (v *viewer) show(frames ...framed) []spot {
	v.t.Helper()
	raw, err := json.Marshal(frames)
	if err != nil {
		v.t.Fatal(err)
	}
	out, err := chromedp.Run(v.ctx, chromedp.Evaluate[[]spot]("show("+string(raw)+")", chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%v: %v", frames, err)
	}
	return out
}

// picture is what the page shows, as high as the last of the letters on it.
func (v *viewer) picture(scale float64, width int, last ...spot) *image.RGBA {
	v.t.Helper()
	height := 0
	for _, s := range last {
		height = max(height, s.Top+s.Height)
	}
	out, err := chromedp.Call(v.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png", OptimizeForSpeed: new(true),
		Clip: &page.Viewport{Width: float64(width), Height: float64(height), Scale: scale}})
	if err != nil {
		v.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader([]byte(out.Data)))
	if err != nil {
		v.t.Fatal(err)
	}
	if n, ok := img.(*image.NRGBA); ok { // nothing of it is transparent
		return &image.RGBA{Pix: n.Pix, Stride: n.Stride, Rect: n.Rect}
	}
	return img.(*image.RGBA)
}

// keep writes a picture to where the environment wants it.
func (v *viewer) keep(name string, width int, last ...spot) {
	v.t.Helper()
	dir := os.Getenv(looksVariable)
	if dir == "" {
		return
	}
	img := v.picture(1, width, last...)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// differs is the share of a picture in half its size, in squares of 8 px of the page, where the mean colour of one is
// another than of the other.
func differs(img *image.RGBA, one, other image.Rectangle) float64 {
	const square = 4
	half := func(r image.Rectangle) image.Rectangle { return image.Rect(r.Min.X/2, r.Min.Y/2, r.Max.X/2, r.Max.Y/2) }
	one, other = half(one), half(other)
	bad, all := 0, 0
	mean := func(x, y int) (sum [3]int) {
		for row := range square {
			for px := img.Pix[img.PixOffset(x, y+row):][:4*square]; len(px) > 0; px = px[4:] {
				sum[0], sum[1], sum[2] = sum[0]+int(px[0]), sum[1]+int(px[1]), sum[2]+int(px[2])
			}
		}
		return sum
	}
	for y := 0; y+square <= min(one.Dy(), other.Dy()); y += square {
		for x := 0; x+square <= min(one.Dx(), other.Dx()); x += square {
			a, b := mean(one.Min.X+x, one.Min.Y+y), mean(other.Min.X+x, other.Min.Y+y)
			all++
			if slices.ContainsFunc([]int{a[0] - b[0], a[1] - b[1], a[2] - b[2]}, func(d int) bool { return max(d, -d) > 20*square*square }) {
				bad++
			}
		}
	}
	return float64(bad) / float64(max(all, 1))
}

// closer are kinds whose words or letters stand closer together, or out to the left, than a letter may draw them.
var closer = map[string]bool{"korean-notice": true, "outlook-memo": true, "web-fonts": true, "word-table": true}

// TestKinds shows every kind of mail in a real browser.
func TestKinds(t *testing.T) {
	all := kinds(t)
	v := newViewer(t, all)
	for some := range slices.Chunk(all, atOnce) {
		v.lookAsSent(some)
		v.fitAsSent(some)
	}
	if day := v.show(framed{Width: room, Path: "/before/pastel-brand", Night: true}); len(day[0].Pale) == 0 {
		t.Fatal("pale words are not seen")
	}
	v.scheme("dark")
	for some := range slices.Chunk(all, atOnce) {
		v.canBeRead(some)
	}
}

// lookAsSent compares letters before and after.
func (v *viewer) lookAsSent(some []sample) {
	var frames []framed
	for i, k := range some {
		frames = append(frames, framed{Row: i, Width: room, Path: "/before/" + k.name}, framed{Row: i, Left: room, Width: room + 2*margin, Path: "/after/light/" + k.name})
	}
	spots := v.show(frames...)
	img := v.picture(0.5, 2*room+2*margin, spots...)
	v.keep("day-"+some[0].name, 2*room+2*margin, spots...)
	for i, k := range some {
		before, after := spots[2*i], spots[2*i+1]
		tall, most := after.Height-2*margin, 0.025
		if closer[k.name] {
			most = 0.07
		}
		top, h := before.Top, min(before.Height, tall)
		if d := differs(img, image.Rect(0, top, room, top+h), image.Rect(room+margin, top+margin, 2*room+margin, top+margin+h)); d > most {
			v.t.Errorf("%s: %.1f %% of it look otherwise than it was sent", k.name, 100*d)
		}
		if d := tall - before.Height; max(d, -d) > 4+before.Height/50 {
			v.t.Errorf("%s is %d px high, and was %d", k.name, tall, before.Height)
		}
	}
}

// fitAsSent compares the sizes of the letters that lookAsSent shows, before and after, on a phone, where pictures become
// lower as they become narrower: their rules for narrow windows hold, and what is too
// wide can be reached.
func (v *viewer) fitAsSent(some []sample) {
	var frames []framed
	for i := range some {
		frames = append(frames, framed{Row: i, Width: narrow}, framed{Row: i, Left: narrow + margin, Width: narrow})
	}
	spots := v.show(frames...)
	for i, k := range some {
		before, after := spots[2*i], spots[2*i+1]
		lower := before.Height - (after.Height - margin)
		if lower != 0 && (lower < 0 || k.name != "gallery") || after.Width != before.Width {
			v.t.Errorf("%s is %d by %d px, with our padding of %d, on a phone, and was %d by %d", k.name, after.Width, after.Height, margin, before.Width, before.Height)
		}
	}
	v.keep("phone-"+some[0].name, 2*narrow+margin, spots...)
}

// canBeRead looks whether each text stands out from what is behind it by night, as the browser draws it.
func (v *viewer) canBeRead(some []sample) {
	var frames []framed
	for i, k := range some {
		theme := "dark"
		if strings.Contains(k.html, "prefers-color-scheme") { // under auto, it is the browser that asks
			theme = "auto"
		}
		frames = append(frames, framed{Row: i, Width: room, Path: "/after/" + theme + "/" + k.name, Night: true})
	}
	spots := v.show(frames...)
	for i, k := range some {
		for _, s := range spots[i].Pale {
			v.t.Errorf("%s: %s", k.name, s)
		}
	}
	v.keep("night-"+some[0].name, room, spots...)
}
