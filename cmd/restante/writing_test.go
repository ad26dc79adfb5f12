package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"

	"restante/internal/testdb"
	"restante/internal/testmail"
)

// TestAPastedPictureStandsInTheText: at once, after a reload, and at the other side.
func TestAPastedPictureStandsInTheText(t *testing.T) {
	d := newDesk(t)
	picture := onePixel(t)
	d.reads("Harbour")
	d.answers("r")
	d.keys("Look: ")
	d.paste("image/png", "image.png", base64.StdEncoding.EncodeToString(picture))
	const shown = `[...document.querySelectorAll(".editor img")].filter((i) => /^\/compose\/\w+\/files\//.test(i.getAttribute("src")) && i.naturalWidth === 40).length === 1`
	d.until("the picture stands in the text", shown)
	d.keys("there")
	d.until("the server has it", inline+`.querySelector("[data-kept]").innerText.includes("Draft kept")`)
	if files := ask[string](d.tab, inline+`.querySelector("[data-files]").innerText`); files != "" {
		t.Errorf("it is listed as a file too: %q", files)
	}
	d.click("form[data-inline] [data-full]")
	d.until("its page shows it again", `location.pathname.startsWith("/compose/") && `+shown)
	d.replaceRecipients(d.ben.Address)
	d.press("Send")
	d.until("it is sent", `!document.querySelector("form[data-compose]")`)
	v := d.gets("Re: Harbour")
	if v.has("a[data-attachment]") {
		t.Error("the other side has it as a file")
	}
	v.openAttribute("iframe[data-message-body]", "src").want(200)
	v.get(source(t, string(v.body))).want(200)
	if !bytes.Equal(v.body, picture) {
		t.Errorf("the other side sees %d bytes", len(v.body))
	}
}

// TestAPictureTakenOutOfTheTextStaysHome, and in a plain letter it is a file.
func TestAPictureTakenOutOfTheTextStaysHome(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, subject string
		after         func()
		files         int
	}{
		{"taken out", "No picture", func() { d.chord('a'); d.keys("Nothing to see") }, 0},
		{"plain afterwards", "Plain", func() { d.press("Plain text"); d.click("dialog[open] .danger") }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.open("/compose?to=" + d.ben.Address + "&subject=" + strings.ReplaceAll(c.subject, " ", "+"))
			d.until("the editor stands", `document.querySelector(".editor")`)
			d.click(".editor")
			d.keys("Look")
			d.paste("image/png", "image.png", base64.StdEncoding.EncodeToString(onePixel(t)))
			d.until("the picture is up", `document.querySelector(".editor img")?.getAttribute("src").startsWith("/compose/")`)
			c.after()
			d.press("Send")
			d.until("it is sent", `!document.querySelector("form[data-compose]")`)
			if n := len(d.gets(c.subject).all("a[data-attachment]")); n != c.files {
				t.Errorf("it came with %d files, not %d", n, c.files)
			}
		})
	}
}

func TestAPicturePastedIntoPlainTextIsAFile(t *testing.T) {
	d := newDesk(t)
	d.open("/compose?body=Plain")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.press("Plain text")
	d.until("plain it is", `document.querySelector("textarea[name=body]").checkVisibility()`)
	d.click("textarea[name=body]")
	d.paste("image/png", "image.png", base64.StdEncoding.EncodeToString(onePixel(t)))
	d.until("it is among the files", `[...document.querySelectorAll("[data-files] .file:not([data-uploading])")].some((f) => f.innerText.includes("image.png"))`)
}

// TestTextHasColourAndSize by mouse and by keys: seen by day and by night, kept with the draft, and sent as it looks by
// day.
func TestTextHasColourAndSize(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.open("/compose?to=" + d.ben.Address + "&subject=Coloured")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(".editor")
	d.keys("Plain ")
	d.press("Colour")
	d.until("the menu has the focus", `document.activeElement.role === "menuitemradio" && document.activeElement.ariaChecked === "true" && document.activeElement.innerText === "No colour"`)
	d.press("Red")
	d.keys("red ")
	d.until("it is red", `[...document.querySelectorAll(".editor span")].some((s) => s.textContent.includes("red") && getComputedStyle(s).color === "rgb(160, 31, 30)")`)
	ask[bool](d.tab, `(document.documentElement.dataset.theme = "dark", true)`)
	d.until("by night it is a lighter one", `[...document.querySelectorAll(".editor span")].some((s) => s.textContent.includes("red") && getComputedStyle(s).color === "rgb(246, 144, 136)")`)
	ask[bool](d.tab, `(document.querySelector("[data-tool=size]").focus(), true)`)
	d.keys("\r")
	d.until("the menu has the focus", `document.activeElement.innerText === "Normal"`)
	d.keys("↓↓\r")
	d.keys("large")
	d.until("it is large and red", `[...document.querySelectorAll(".editor span.size")].some((s) => s.textContent.includes("large") && getComputedStyle(s).fontSize === "20px" && getComputedStyle(s).color === "rgb(246, 144, 136)")`)
	ask[bool](d.tab, `(document.querySelector("[data-tool=colour]").focus(), true)`)
	d.keys("\r")
	d.until("it tells which holds", `document.activeElement.ariaChecked === "true" && document.activeElement.innerText.trim() === "Red"`)
	d.keys("\x1b")
	d.until("Esc gives the focus back", `document.activeElement.dataset.tool === "colour" && !document.querySelector(":popover-open")`)
	d.focusIsSeen()
	d.until("it is kept", `document.querySelector("[data-kept]").innerText.includes("Draft kept") && location.pathname !== "/compose"`)
	d.open(ask[string](d.tab, "location.pathname"))
	d.until("it is all there again", `[...document.querySelectorAll(".editor span.size")].some((s) => s.textContent.includes("large") && getComputedStyle(s).fontSize === "20px" && getComputedStyle(s).color === "rgb(160, 31, 30)")`)
	d.click(".editor")
	d.chord('a')
	d.press("Colour")
	d.press("No colour")
	d.until("the colour can be taken away", `![...document.querySelectorAll(".editor span")].some((s) => s.style.color)`)
	d.press("Undo")
	d.until("and comes back", `[...document.querySelectorAll(".editor span")].some((s) => s.textContent.includes("red") && getComputedStyle(s).color === "rgb(160, 31, 30)")`)
	d.press("Send")
	d.until("it is sent", `!document.querySelector("form[data-compose]")`)
	v := d.gets("Coloured")
	raw := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(v.get(v.url.Path + "/source").want(200).body))
	if !strings.Contains(raw, "160, 31, 30") && !strings.Contains(raw, "#a01f1e") || !strings.Contains(raw, "20px") || strings.Contains(raw, "light-dark") {
		t.Errorf("what is sent is not as it looks by day:\n%s", raw)
	}
}

// noise is a PNG that does not compress.
func noise(t *testing.T, side int) []byte {
	t.Helper()
	r, img := rand.New(rand.NewPCG(1, 2)), image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.Set(x, y, color.RGBA{R: uint8(r.UintN(256)), G: uint8(x), B: uint8(y), A: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestABigPictureCanBeMadeSmaller(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	big := noise(t, 1800)
	d.open("/compose?body=Plain")
	d.until("the editor stands", `document.querySelector(".editor")`)
	d.click(`[name=subject]`)
	d.paste("image/png", "ridge.png", base64.StdEncoding.EncodeToString(big))
	d.press("Make smaller")
	d.until("only the smaller one is left", `[...document.querySelectorAll("[data-files] .file")].map((f) => f.innerText).join().includes("ridge.jpg") && document.querySelectorAll("[data-files] .file").length === 1`)
	if n := ask[int](d.tab, `Number(document.querySelector("[data-files] .file").dataset.bytes)`); n == 0 || n > len(big)*7/10 {
		t.Errorf("%d bytes became %d", len(big), n)
	}
}

// TestRecipientsOfALetter: many fold, the button counts, slips are asked about, wrong ones are named.
func TestRecipientsOfALetter(t *testing.T) {
	d := newDesk(t)
	var list []string
	for i := range 34 {
		list = append(list, fmt.Sprintf("person%d@example.test", i))
	}
	d.open("/compose?to=" + strings.Join(list, ","))
	d.sees("and 33 more")
	d.sees("Send to 34 people")
	d.press("and 33 more")
	d.until("all stand there", `[...document.querySelectorAll(".recipient")].filter((c) => c.checkVisibility()).length === 34`)

	d.open("/compose")
	d.until("the caret is in To", `document.activeElement.matches(".recipient-entry")`)
	d.keys("anna@gmial.com,omar@,")
	d.sees("gmial.com: did you mean gmail.com?")
	d.sees("Not an address: omar@")
	d.press("Use gmail.com")
	d.until("it is mended", `document.querySelector("[name=to]").value.includes("anna@gmail.com") && !document.body.innerText.includes("did you mean")`)
	d.sees("Send")
	if ask[bool](d.tab, `document.body.innerText.includes("Send to")`) {
		t.Error("two people are counted")
	}

	d.open("/compose?" + url.Values{"to": {`"Last \"Nick\", First" <x@y.test>, b@c.test`}}.Encode())
	d.until("a quote within quotes parts no name", `[...document.querySelectorAll(".recipient")].length === 2 && document.querySelector("[name=to]").value.startsWith('"Last \\"Nick\\", First" <x@y.test>')`)

	cases, err := os.ReadFile("../../mailclient/compose/testdata/recipients.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range ask[[]string](d.tab, `JSON.parse($).map((c) => {
		const field = document.querySelector("[name=to]"), entry = document.querySelector("#to-entry"), clipboardData = new DataTransfer();
		field.value = "";
		field.dispatchEvent(new Event("restante:read"));
		clipboardData.setData("text/plain", c.text);
		if (entry.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))) entry.value = c.text;
		entry.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
		const chips = (wrong) => [...document.querySelectorAll(".field:has([name=to]) .recipient")].filter((r) => r.hasAttribute("data-wrong") === wrong).map((r) => r.dataset.address);
		const got = JSON.stringify([chips(false), chips(true)]), want = JSON.stringify([c.list, c.wrong]);
		return got === want ? "" : JSON.stringify(c.text) + " became " + got + ", not " + want;
	}).filter(Boolean)`, string(cases)) {
		t.Error(bad)
	}
	d.click("#to-entry")
	d.paste("text/plain", "", "Ann <ann@b.test>; ANN@b.test\nben@b.test, ben@b.test")
	d.sees("2 addresses were already there and are left out.")
	d.until("and what is right stands there", `document.querySelector("[name=to]").value === "Ann <ann@b.test>, ben@b.test"`)
	d.keys("omar, cy@b.test,")
	d.until("what is wrong is nobody's last name", `document.querySelector("[name=to]").value === "Ann <ann@b.test>, ben@b.test, omar; cy@b.test"`)
	d.keys("eve@p\u0430ypal.example,")
	d.sees("Computers spell it xn--pypal-4ve.example.")
	if face := ask[string](d.tab, `document.querySelector(".recipient .avatar").className + document.querySelector(".recipient .avatar").dataset.initials`); !regexp.MustCompile(`^avatar hue-[1-8]A$`).MatchString(face) {
		t.Errorf("Ann has the face %q", face)
	}
}

// TestARecipientGoesIntoAnotherField by mouse, by its menu, and by keys; a double click lets it be changed.
func TestARecipientGoesIntoAnotherField(t *testing.T) {
	d := newDesk(t)
	to := url.Values{"to": {`Maria Keller <maria@keller.example>, omar@post.example, rosa@ridge.example`}}
	d.open("/compose?" + to.Encode())
	d.until("the chips stand", `document.querySelectorAll(".recipient").length === 3`)
	holds := func(to, cc, bcc string) {
		t.Helper()
		d.until("To has "+to+", Cc "+cc+", Bcc "+bcc, `["to", "cc", "bcc"].map((n) => document.querySelector("[name=" + n + "]").value).join("|") === $`, to+"|"+cc+"|"+bcc)
	}
	const maria = `Maria Keller <maria@keller.example>`
	at := func(selector string) (x, y float64) { return d.at("", selector) }
	chip := func(address string) string { return `.recipient[data-address*="` + address + `"] .recipient-name` }

	x, y := at(chip("omar"))
	mouse := func(kind string, x, y float64) {
		t.Helper()
		call(d.tab, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventType(kind), X: x, Y: y, Button: "left", Buttons: 1, ClickCount: 1})
	}
	mouse("mousePressed", x, y)
	mouse("mouseMoved", x+10, y+10)
	d.until("Cc is unfolded", `document.querySelector("[name=cc]").checkVisibility()`)
	x, y = at(`.field:has([name=cc])`)
	mouse("mouseMoved", x, y)
	d.until("the field shows that it takes it", `document.querySelector(".field:has([name=cc])").hasAttribute("data-drop")`)
	mouse("mouseReleased", x, y)
	holds(maria+", rosa@ridge.example", "omar@post.example", "")
	d.until("nothing of it is left", `!document.querySelector(".recipient-ghost, [data-drop], .recipient-menu")`)

	d.click(chip("maria"))
	d.press("Move to Bcc")
	holds("rosa@ridge.example", "omar@post.example", maria)
	d.until("the focus goes with it", `document.activeElement.closest("[data-address]")?.dataset.address.includes("maria")`)
	d.keys("↓")
	d.until("its menu is open", `document.activeElement.role === "menuitem" && document.activeElement.innerText === "Change"`)
	d.focusIsSeen()
	d.keys("\x1b")
	d.until("Esc gives the focus back", `!document.querySelector(".recipient-menu") && document.activeElement.matches(".recipient-name") && document.querySelector("form[data-compose]")`)
	d.keys("↓↓\r")
	holds("rosa@ridge.example, "+maria, "omar@post.example", "")

	x, y = at(chip("rosa"))
	for n := range int64(2) {
		for _, kind := range []string{"mousePressed", "mouseReleased"} {
			call(d.tab, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventType(kind), X: x, Y: y, Button: "left", Buttons: 1, ClickCount: n + 1})
		}
	}
	d.until("it can be changed", `document.activeElement.matches(".recipient-entry") && document.activeElement.value === "rosa@ridge.example"`)
	d.keys("rosa@keller.example,")
	holds(maria+", rosa@keller.example", "omar@post.example", "")
	d.until("a chip again", `[...document.querySelectorAll(".recipient")].length === 3 && !document.querySelector(".recipient-menu")`)

	focused := func(address string) {
		t.Helper()
		d.until("the focus is at "+address, `(document.activeElement.closest("[data-address]")?.dataset.address ?? "") === $`, address)
	}
	d.click("#to-entry")
	d.keys("←")
	focused("rosa@keller.example")
	d.keys("←")
	focused(maria)
	d.key('↓', 1) // Alt
	holds("rosa@keller.example", "omar@post.example, "+maria, "")
	focused(maria)
	d.key('↑', 1)
	holds("rosa@keller.example, "+maria, "omar@post.example", "")
	d.keys("\r")
	d.until("Enter lets it be changed", `document.activeElement.id === "to-entry" && document.activeElement.value === $`, maria)
	d.keys("\r\b")
	focused(maria)
	d.keys("\b")
	holds("rosa@keller.example", "omar@post.example", "")
	focused("rosa@keller.example")
	d.keys("z")
	d.until("typing goes on in the field", `document.activeElement.value === "z"`)
}

// TestChipsAreForFingers: what takes a recipient away is 44 px each way where fingers press.
func TestChipsAreForFingers(t *testing.T) {
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	b := newTab(t, s, phone)
	b.signIn(srv.NewUser(t))
	b.open("/compose?to=somebody@example.test")
	b.until("the chip stands", `document.querySelector(".recipient-remove")`)
	if size := ask[[]float64](b, `(() => { const r = document.querySelector(".recipient-remove").getBoundingClientRect(); return [r.width, r.height]; })()`); size[0] < 44 || size[1] < 44 {
		t.Errorf("the button is %v px", size)
	}
}

// TestAHiddenRecipientIsToldBeforeAnsweringAll, and nobody else.
func TestAHiddenRecipientIsToldBeforeAnsweringAll(t *testing.T) {
	const note = "You were a hidden recipient; answering all shows it."
	srv := testmail.Demo(t)
	s := newSite(t, srv, testdb.SQLite(t), nil)
	anna := srv.NewUser(t)
	hidden := testmail.Mail("Rosa <rosa@ridge.example>", "Hidden", "Between us.")
	srv.Deliver(t, anna, hidden, strings.Replace(strings.Replace(hidden, "Hidden", "Open", 1), "To: ", "To: "+anna.Address+", ", 1),
		strings.Replace(hidden, "Subject: Hidden", "List-Id: <ridge.example>\r\nSubject: Listed", 1))
	v := s.signIn(anna)
	for subject, told := range map[string]bool{"Hidden": true, "Open": false, "Listed": false} {
		uid := v.get("/mail/1/INBOX").want(200).row(subject)
		if got := strings.Contains(string(v.get("/compose?replyall=1&in=INBOX&uid="+uid).want(200).body), note); got != told {
			t.Errorf("%s: told: %v", subject, got)
		}
		if strings.Contains(string(v.get("/compose?reply=1&in=INBOX&uid="+uid).want(200).body), note) {
			t.Errorf("%s: told when answering the sender alone", subject)
		}
	}
}

// TestTheFirstLetterKnowsWhatIsTooLarge before a byte of it is sent: for the mail server, which nobody has asked before,
// and for the site.
func TestTheFirstLetterKnowsWhatIsTooLarge(t *testing.T) {
	s := newSite(t, testmail.Postfix(t, testmail.PostfixOptions{}), testdb.SQLite(t), nil)
	u := s.mail.NewUser(t)
	form := s.signIn(u).get("/compose").want(200).one("form[data-compose]")
	if n, err := strconv.Atoi(attr(form, "data-limit")); err != nil || n < 1<<20 {
		t.Errorf("the server takes %q", attr(form, "data-limit"))
	}
	b := newTab(t, s, wide)
	b.signIn(u)
	b.open("/compose")
	b.until("the editor stands", `document.querySelector(".editor")`)
	drop := func(name string, octets int) {
		ask[bool](b, `(() => {
			const dataTransfer = new DataTransfer(), form = document.querySelector("form[data-compose]");
			dataTransfer.items.add(new File([new Uint8Array($)], $));
			return form.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true })) || true;
		})()`, octets, name)
	}
	drop("film.bin", 51<<20)
	b.sees("film.bin is too large for this site.")
	drop("small.bin", 1<<10)
	b.until("the other goes up", `document.querySelector("[data-files] a[data-attachment]")?.innerText.includes("small.bin")`)
	if strings.Contains(ask[string](b, `document.querySelector("[data-files]").innerText`), "film.bin") {
		t.Error("the film is on its way")
	}
}
