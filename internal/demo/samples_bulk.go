package demo

import (
	"fmt"
	"html"
	"net/mail"
	"strings"
)

// brand is a sender of newsletters.
type brand struct {
	name, host, colour, list string
	every                    float64 // days between issues
	issues                   []issue
}

type issue struct{ title, lead, second string }

var brands = []brand{
	{"The Tide Table", "tidetable.example", "#17586b", "weekly", 7, []issue{
		{"Five harbours that only exist at low water", "Twice a day the sea gives these places back. We walked to all five and came home with wet feet and good coffee.", "How a forgotten gauge in Nordhaven rewrote the flood maps."},
		{"The women who read the North Sea by ear", "Before echo sounders there were lead lines and songs. Three keepers of the old method tell us what a muddy bottom sounds like.", "A short guide to ferry timetables that rhyme."},
		{"Why every lighthouse blinks differently", "The rhythm is a name. We explain the code and where to find the list that no sailor throws away.", "Reader's picture: fog, with dog."},
		{"What a chart leaves out", "Colour costs money, and so does doubt. Mapmakers on the decisions that you never see.", "The great eel question, settled for now."},
		{"Winter on the Halligen", "When the water rises the cattle come indoors first. A visit in February.", "Seven books for a long crossing."},
	}},
	{"Kontur Magazin", "kontur.example", "#8a3b12", "monat", 14, []issue{
		{"Papier, das sich erinnert", "Warum Japanpapier jede Falte behält und weshalb Druckerinnen es trotzdem lieben. Ein Besuch in drei Werkstätten.", "Termine: Ausstellungen im Norden"},
		{"Die Rückkehr der Handschrift", "In Kopenhagen lernen Erwachsene wieder schreiben. Es dauert länger und niemand beschwert sich.", "Leserfrage: Wohin mit alten Atlanten?"},
		{"Farben, die es nicht mehr gibt", "Scheeles Grün war schön und giftig. Wir zeigen sieben Töne, die aus den Kästen verschwunden sind.", "Werkzeug des Monats: das Falzbein"},
		{"Ein Haus voller Karten", "Zu Gast bei einem Sammler, der nie verreist ist und doch jede Straße kennt.", "Neue Bücher im Herbst"},
	}},
	{"Grünkern Gemüsekiste", "gruenkern.example", "#2f6b2a", "kiste", 7, []issue{
		{"Ihre Kiste diese Woche: Spargel, Radieschen, Kerbel", "Der erste Spargel ist da, dünn und gut. Dazu passt der Kerbel, der bitte nicht gekocht werden möchte.", "Pfandkisten: Wir vermissen noch vierzig Stück."},
		{"Ihre Kiste diese Woche: Mangold und alte Möhren", "Bunter Mangold, lila Möhren und ein Glas vom Honig der Nachbarin. Ein Rezept liegt bei.", "Hoffest am letzten Sonntag des Monats"},
		{"Ihre Kiste diese Woche: Kürbis, dreierlei", "Hokkaido für die Suppe, Muskat für den Ofen und einer, der nur schön ist.", "So halten sich Kräuter eine Woche länger"},
		{"Ihre Kiste diese Woche: Rhabarber!", "Er ist früh dran und sauer wie nie. Drei Familien aus dem Dorf haben ihr Kuchenrezept verraten.", "Wir suchen Hilfe für die Erdbeerernte"},
	}},
	{"Nightline Rail", "nightline.example", "#27306b", "offers", 21, []issue{
		{"Fall asleep in Hamburg, wake up in Milan", "The new sleeper runs three nights a week from June. Beds from 59 euros if you book before the end of the month.", "Bicycles travel free in spring."},
		{"Your winter timetable is here", "More night trains to the coast, fewer changes at odd hours. See what leaves near you.", "A quiet compartment, really quiet this time."},
		{"Lisbon by rail: the long way is the good way", "Two nights, three countries, one very old dining car. Our planner shows the connections that work.", "Members collect double nights in November."},
	}},
	{"Openframe Release Notes", "openframe.example", "#3d3d3d", "releases", 30, []issue{
		{"Openframe 4.2: layers that stay where you put them", "Snapping is calmer, exports are twice as fast, and the legend can finally have two columns. Thank you to 61 contributors.", "Deprecated: the old projection names."},
		{"Openframe 4.1: hachures are back", "You asked, for eleven years. The new hachure tool follows the slope and knows when to stop.", "Security fix in the tile importer, please update."},
	}},
}

// newsletters are HTML mails with remote pictures and a way out of the list.
func (s *sampler) newsletters() {
	for b, br := range brands {
		for i, is := range br.issues {
			flags := "seen"
			if i == 0 && b < 2 {
				flags = ""
			}
			age := (0.4 + float64(b)*1.3 + float64(i)*br.every) * 24
			s.put("INBOX", flags, age, br.letter(is, i))
		}
	}
}

func (br brand) letter(is issue, n int) letter {
	unsubscribe := fmt.Sprintf("https://news.%s/leave?list=%s&id=8f3a%d", br.host, br.list, n)
	return letter{
		from:    mail.Address{Name: br.name, Address: "news@" + br.host},
		subject: is.title,
		text:    is.title + "\n\n" + is.lead + "\n\nAlso: " + is.second + "\n\nUnsubscribe: " + unsubscribe + "\n",
		html:    br.page(is, n, unsubscribe),
		extra: []string{
			"List-Id: " + br.name + " <" + br.list + "." + br.host + ">",
			"List-Unsubscribe: <" + unsubscribe + ">, <mailto:leave@" + br.host + "?subject=" + br.list + ">",
			"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
			"Precedence: bulk",
		},
	}
}

func (br brand) page(is issue, n int, unsubscribe string) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>%[1]s</title>
<style>body{margin:0;background:#f2f0ec}a{color:%[2]s}.lead{font-size:17px;line-height:1.5}
@media (max-width:600px){.wrap{width:100%%!important}}</style></head>
<body><table role="presentation" width="100%%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px 12px">
<table class="wrap" role="presentation" width="600" cellpadding="0" cellspacing="0" style="background:#ffffff;font-family:Georgia,serif;color:#222222">
<tr><td style="background:%[2]s;color:#ffffff;padding:20px 32px;font-size:22px">%[3]s</td></tr>
<tr><td><img src="http://img.%[4]s/issues/%[5]d/cover.jpg" width="600" height="280" alt="" style="display:block;width:100%%"></td></tr>
<tr><td style="padding:28px 32px"><h1 style="margin:0 0 12px;font-size:26px">%[1]s</h1>
<p class="lead">%[6]s</p>
<p><a href="https://www.%[4]s/read/%[5]d" style="display:inline-block;background:%[2]s;color:#ffffff;padding:12px 20px;text-decoration:none">Read on</a></p>
<hr style="border:0;border-top:1px solid #dddddd"><p><img src="http://img.%[4]s/issues/%[5]d/small.png" width="120" height="80" alt="" align="left" style="margin:0 16px 8px 0">%[7]s</p></td></tr>
<tr><td style="padding:16px 32px;font-size:12px;color:#777777;clear:both">You receive this mail because you subscribed at %[4]s.
<a href="%[8]s">Unsubscribe</a><img src="http://track.%[4]s/open?id=8f3a%[5]d" width="1" height="1" alt=""></td></tr>
</table></td></tr></table></body></html>
`, html.EscapeString(is.title), br.colour, html.EscapeString(br.name), br.host, 40+n, html.EscapeString(is.lead), html.EscapeString(is.second), html.EscapeString(unsubscribe))
}

// order is one purchase; items are "name|count|price in cents".
type order struct {
	shop, host, number string
	days               float64
	items              []string
}

var purchases = []order{
	{"Papier Ahrens", "papier-ahrens.example", "PA-20418", 2.4, []string{"Graukarton 0,4 mm, 70 × 100|12|310", "Falzbein, Knochen|1|1190"}},
	{"Fjord Outdoor", "fjord-outdoor.example", "488120", 7.6, []string{"Rain jacket Skagen, M|1|12900", "Wool socks, pair|3|1450"}},
	{"Kaffeerösterei Deich", "deichkaffee.example", "D7731", 12.3, []string{"Hausmischung, 1 kg|2|2350"}},
	{"Inkwell & Sons", "inkwell.example", "IW-5590", 19.5, []string{"Drawing ink, ultramarine, 30 ml|2|890", "Ruling pen|1|3400"}},
	{"Buchversand Nord", "buchversand-nord.example", "9913045", 31, []string{"Inseltagebücher, Band 1|1|2400", "Kleine Seemannschaft|1|1650"}},
	{"Fjord Outdoor", "fjord-outdoor.example", "471002", 64, []string{"Thermos bottle, 0.75 l|1|3250"}},
	{"Papier Ahrens", "papier-ahrens.example", "PA-19377", 108, []string{"Transparentpapier, Rolle|1|2760"}},
	{"Lampenladen Licht & Ruhe", "licht-ruhe.example", "LR-3318", 57, []string{"Desk lamp, brass, silent|1|8900"}},
}

// orders are confirmations as HTML tables, each with a dispatch notice after it.
func (s *sampler) orders() {
	for i, o := range purchases {
		box := "INBOX"
		if o.days > 60 {
			box = "Archive"
		}
		from := mail.Address{Name: o.shop, Address: "orders@" + o.host}
		flags := "seen"
		if i == 0 {
			flags = ""
		}
		s.put(box, "seen", o.days*24, letter{from: from, subject: "Order " + o.number + ": thank you", text: o.lines(), html: o.table()})
		s.put(box, flags, o.days*24-26, letter{from: from, subject: "Order " + o.number + " is on its way",
			text: "Hello Anna Keller,\n\nyour parcel left our warehouse today and should reach you in two working days.\nTracking number: 00340" + strings.Repeat(fmt.Sprint(i+3), 6) + "\n\n" + o.shop + "\n"})
	}
}

func (o order) lines() string {
	var b strings.Builder
	b.WriteString("Thank you for your order " + o.number + ".\n\n")
	total := 0
	for _, it := range o.items {
		name, n, cents := splitItem(it)
		total += n * cents
		fmt.Fprintf(&b, "%2d x %s: %s\n", n, name, euros(n*cents))
	}
	fmt.Fprintf(&b, "\nTotal: %s\n\n%s\n", euros(total), o.shop)
	return b.String()
}

func (o order) table() string {
	var b strings.Builder
	b.WriteString(`<html><body style="font-family:Arial,sans-serif;color:#333"><h2>Thank you for your order</h2><p>Order number <b>` + o.number +
		`</b></p><table border="0" cellpadding="8" cellspacing="0" style="border-collapse:collapse;width:100%;max-width:560px"><thead><tr style="background:#eee"><th align="left">Item</th><th align="right">Count</th><th align="right">Price</th></tr></thead><tbody>`)
	total := 0
	for _, it := range o.items {
		name, n, cents := splitItem(it)
		total += n * cents
		fmt.Fprintf(&b, `<tr style="border-bottom:1px solid #ddd"><td>%s</td><td align="right">%d</td><td align="right">%s</td></tr>`, html.EscapeString(name), n, euros(n*cents))
	}
	fmt.Fprintf(&b, `</tbody><tfoot><tr><td><b>Total</b></td><td></td><td align="right"><b>%s</b></td></tr></tfoot></table><p>Delivery to: Anna Keller, Am Deich 7, Nordhaven</p><p><a href="https://www.%s/orders/%s">See your order</a></p></body></html>`, euros(total), o.host, o.number)
	return b.String()
}

func splitItem(it string) (name string, n, cents int) {
	f := strings.Split(it, "|")
	_, _ = fmt.Sscan(f[1], &n) // both are our own numbers
	_, _ = fmt.Sscan(f[2], &cents)
	return f[0], n, cents
}

func euros(cents int) string { return fmt.Sprintf("%d.%02d EUR", cents/100, cents%100) }

// invoices come each month, with a PDF.
func (s *sampler) invoices() {
	for month := range 9 {
		date := s.now.AddDate(0, -month, 0)
		label := date.Format("January 2006")
		number := fmt.Sprintf("NT-%s-0417", date.Format("200601"))
		flags, box := "seen", "INBOX"
		if month == 0 {
			flags = ""
		}
		if month > 3 {
			box = "Archive"
		}
		cents := 3490 + month%3*500
		s.put(box, flags, float64(month)*730+13, letter{
			from:    mail.Address{Name: "Nordhaven Telecom", Address: "billing@nordhaven-telecom.example"},
			subject: "Your invoice for " + label,
			text:    "Dear Ms Keller,\n\nattached is your invoice " + number + " for " + label + ".\nThe amount of " + euros(cents) + " will be collected in seven days. You do not have to do anything.\n\nNordhaven Telecom\n",
			files: []file{{name: "Invoice " + number + ".pdf", media: "application/pdf", data: pdf("Nordhaven Telecom", "", "Invoice "+number,
				"Period: "+label, "", "Line and internet   "+euros(cents), "", "Payable within seven days. Thank you.")}},
		})
	}
}
