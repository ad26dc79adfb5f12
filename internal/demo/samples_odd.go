package demo

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// withFiles are mails with attachments of every common kind.
func (s *sampler) withFiles() {
	s.put("INBOX", "", 11, letter{from: address("Rosa Giménez"), subject: "Three from the ridge",
		text:  "Here are the best three, before I forget again. The second one is the moment when Owen lost his hat.\n\nRosa\n",
		files: []file{photo("ridge-morning.jpg", 960, 640, 11), photo("ridge-hat.jpg", 960, 640, 12), drawing("panorama.png", 480, 160, 13)}})
	s.put("INBOX", "seen", 130, letter{from: address("Zoë Laurent"), subject: "A postcard from the coast",
		text:   "The light was like this for exactly four minutes. Zoë\n",
		html:   `<html><body style="font-family:Georgia,serif"><p>The light was like this for exactly four minutes.</p><p><img src="cid:coast@zoe.example" width="480" height="320" alt="The coast in the evening"></p><p>Zoë</p></body></html>`,
		inline: []file{{name: "coast.jpg", media: "image/jpeg", cid: "coast@zoe.example", data: photo("", 480, 320, 21).data}}})
	s.put("INBOX", "seen", 175, letter{from: address("Henrik Solberg"), subject: "Layout grid for the atlas",
		text:  "Dear Anna,\n\nthe grid and the fonts are in the archive. It is a little large, sorry. Please do not share the fonts.\n\nHenrik\n",
		files: []file{archive("atlas-layout.zip", 2<<20, "Layout grid.idml", "Cover.tif", "fonts/Nordhaven-Book.otf", "fonts/Nordhaven-Book Italic.otf", "Read me first.txt")}})
	s.put("INBOX", "seen", 300, letter{from: address("Aiko Tanabe"), subject: "Price list and a receipt",
		text:  "Both attached, and the receipt for the proofs as well.\n\nAiko\n",
		files: []file{{name: "Receipt 118.pdf", media: "application/pdf", data: pdf("Tanabe Print Studio", "Receipt 118", "Six proofs   54.00 EUR", "Paid, with thanks")}, {name: "prices.csv", media: "text/csv", data: []byte("paper,size,price\ngrey,A3,4.20\nwhite,A3,3.10\njapan,A3,9.80\n"), plain: true}}})
	s.invite()
	s.forwarded()
}

// invite is an invitation, RFC 6047, two days ahead.
func (s *sampler) invite() {
	at := s.now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 2).Add(9*time.Hour + 30*time.Minute)
	ics := fmt.Sprintf("BEGIN:VCALENDAR\r\nPRODID:-//Example//Calendar//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:coastal-route-review@example.org\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:Coastal route: review with the client\r\nLOCATION:Town hall\\, room 204\r\nDESCRIPTION:Please bring the printed overview.\r\nORGANIZER;CN=Priya Raman:mailto:%s\r\nATTENDEE;CN=%s;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:%s\r\nSEQUENCE:0\r\nSTATUS:CONFIRMED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		s.now.UTC().Format("20060102T150405Z"), at.Format("20060102T150405Z"), at.Add(90*time.Minute).Format("20060102T150405Z"),
		address("Priya Raman").Address, s.me.Name, s.me.Address)
	s.put("INBOX", "", 7.5, letter{from: address("Priya Raman"), subject: "Invitation: Coastal route: review with the client",
		text:  "Priya Raman invites you.\n\nCoastal route: review with the client\n" + at.Format("Monday, 2 January 2006, 15:04") + " UTC, town hall, room 204\n",
		files: []file{{name: "invite.ics", media: "text/calendar; method=REQUEST", data: []byte(ics), plain: true}}})
}

// forwarded are mails within mails.
func (s *sampler) forwarded() {
	inner := letter{from: address("Harbour Office"), to: []mail.Address{address("Ingrid Thoresen")}, subject: "Repair of the jetty",
		date: s.now.AddDate(0, 0, -13), text: "Dear Ms Thoresen,\n\nthe jetty may be repaired from the 1st. Please keep the fairway free and leave the cormorants alone.\n\nHarbour Office Nordhaven\n",
		files: []file{{name: "permit.pdf", media: "application/pdf", data: pdf("Harbour Office Nordhaven", "Permit 77", "Repair of the jetty")}}}
	s.put("INBOX", "seen", 290, letter{from: address("Ingrid Thoresen"), subject: "Fwd: Repair of the jetty",
		text:  "For your information, we have the permit. Hammers at the ready.\n\nIngrid\n",
		files: []file{{media: "message/rfc822", data: inner.bytes(), plain: true}}})
	saved := letter{from: address("Kwame Boateng"), to: []mail.Address{address("Friederike Böhm")}, subject: "Copyright of the ship's log",
		date: s.now.AddDate(0, 0, -40), text: "Dear Friederike,\n\nthe log is free of rights, the city archive would only like to be named.\n\nKwame\n"}
	s.put("INBOX", "seen", 520, letter{from: address("Friederike Böhm"), subject: "Die Mail von Kwame, wie gewünscht",
		text:  "Hallo Anna, ich hänge dir seine Mail im Ganzen an, dann hast du es schriftlich.\n\nFriederike\n",
		files: []file{{name: "Copyright of the ship's log.eml", media: "message/rfc822", data: saved.bytes(), plain: true}}})
}

// unusual are the mails that show what a mail program is made of.
func (s *sampler) unusual() {
	s.bounce()
	s.mailingList()
	s.put("INBOX", "seen", 66, letter{from: address("Leila Haddad"), subject: "🌊🦀🗺️ Post from class 6b",
		text: "Dear Ms Keller,\n\nthe children have coloured in all 26 maps. One has invented an island. 🏝️ We did not have the heart to remove it.\n\nLeila Haddad and the 6b 👋\n"})
	s.put("INBOX", "seen", 410, letter{from: address("Wolfgang Brandt"), subject: "Einladung zur ordentlichen Mitgliederversammlung des Segelvereins Nordhafen von 1921 mit Neuwahl des Vorstands, Bericht der Kassenprüfer, Beschluss über die Beiträge, Aussprache über den Steg, Ehrungen der Jubilare und anschließendem Grünkohlessen im Vereinsheim (bitte anmelden)",
		text: "Liebe Mitglieder,\n\nsteht alles im Betreff.\n\nWolfgang\n"})
	s.put("INBOX", "seen", 95, letter{from: address("Peter Almássy"), subject: "", text: "The dog sends his regards. The scarf is now his blanket.\n\nPeter\n"})
	s.put("INBOX", "seen", 235, letter{from: address("Map Society"), to: []mail.Address{}, subject: "To our members, in confidence",
		text: "Dear members,\n\nthe globe is back from the restorer and will be shown on Friday at six, to members only. Please do not touch the southern hemisphere, it is still drying.\n"})
	s.put("INBOX", "seen", 260, letter{from: address("Katharina Weiß"), to: s.crowd(), subject: "Helferliste für den Basar",
		text: "Liebe Helferinnen und Helfer,\n\nanbei die Einteilung: Aufbau am Freitag, Kuchen am Samstagvormittag, Abbau mit allen. Wer nicht kann, sucht bitte selbst Ersatz.\n\nKatharina\n"})
	s.put("INBOX", "seen", 44, letter{from: mail.Address{Name: "anna@demo.test", Address: "accounts@payments-secure.invalid"}, subject: "Action needed: confirm your mailbox",
		text:  "Dear user,\n\nyour mailbox is almost full. Confirm within 24 hours to keep your mails: http://demo.test.payments-secure.invalid/confirm\n\nThe Mail Team\n",
		html:  `<html><body><p>Dear user,</p><p>your mailbox is almost full. Confirm within 24 hours to keep your mails:</p><p><a href="http://demo.test.payments-secure.invalid/confirm">https://www.demo.test/confirm</a></p><p>The Mail Team</p></body></html>`,
		extra: []string{"Reply-To: collect@payments-secure.invalid"}})
	s.put("INBOX", "seen", 345, letter{from: address("Map Society"), subject: "Yearbook: all lectures in one mail", text: "The yearbook is best read as HTML.\n", html: yearbook()})
	s.put("INBOX", "seen", 77, letter{from: address("Owen Hughes"), subject: "Re: Dunes or dyke?", flowed: true,
		text: "> > Dunes, please. The dyke has sheep and the sheep have opinions.\n> \n> The dyke is shorter, and there is the café with the \n> good waffles at the end of it.\n\nThen I propose both: out along the dunes while we are fresh, and back on the \ndyke, when we are too tired to argue with sheep. That makes thirteen \nkilometres, and waffles count as a rest.\n\nNine o'clock at the water tower.\n\n-- \nOwen Hughes\nWalks with a map, gets lost without\n"})
}

// crowd is thirty recipients.
func (s *sampler) crowd() []mail.Address {
	list := []mail.Address{s.me}
	for _, first := range []string{"Birgit", "Claudia", "Dieter", "Elif", "Frank", "Greta", "Holger", "Ines", "Jens", "Karin", "Lars", "Monika", "Nils", "Olga", "Petra"} {
		for _, last := range []string{"Sommer", "Winter"} {
			list = append(list, address(first+" "+last))
		}
	}
	return list[:30]
}

func (s *sampler) bounce() {
	date := s.now.Add(-80 * time.Hour)
	b := fmt.Sprintf("Return-Path: <>\nDate: %s\nFrom: Mail Delivery System <mailer-daemon@demo.test>\nTo: %s\nSubject: Undelivered mail: returned to sender\nMessage-ID: <dsn.%d@demo.test>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"dsn\"\n\n", date.Format(time.RFC1123Z), s.me.String(), date.Unix()) +
		"--dsn\nContent-Type: text/plain; charset=utf-8\n\nYour message could not be delivered to one recipient.\n\n<tomas.fereira@example.net>: host mx.example.net said: 550 5.1.1 no such user here\n\n" +
		"--dsn\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.demo.test\n\nFinal-Recipient: rfc822; tomas.fereira@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user here\n\n" +
		"--dsn\nContent-Type: text/rfc822-headers\n\nFrom: " + s.me.String() + "\nTo: tomas.fereira@example.net\nSubject: Hooks and hinges\nMessage-ID: <hooks.and.hinges@demo.test>\n\n--dsn--\n"
	s.put("INBOX", "seen", 80, letter{from: mail.Address{Address: "mailer-daemon@demo.test"}, subject: "Undelivered mail", raw: []byte(b)})
}

// mailingList is a discussion on a list.
func (s *sampler) mailingList() {
	var refs []string
	for i, p := range []struct{ who, text string }{
		{"Matthias Groß", "Which datum do you use for charts that were drawn before 1900? I have three sheets that disagree by forty metres, and each of them is sure of itself."},
		{"Noah Petrov", "I take the church towers. They moved less than the datums did. Four towers a sheet are enough for a decent fit."},
		{"Kwame Boateng", "Careful with the tower of Nordhaven: it burned down in 1874 and was rebuilt eleven metres further east. I have the building file."},
		{"Matthias Groß", "That explains two of my three sheets. Thank you both. The third must be explained by drink."},
		{"Zoë Laurent", "For the third: look whether the surveyor signed with a curl under the name. If so, it is drink indeed, there are letters about it."},
	} {
		l := letter{from: address(p.who), to: []mail.Address{{Name: "Old charts", Address: "old-charts@lists.mapsociety.example"}},
			subject: "[old-charts] Re: Datum before 1900", text: p.text + "\n\n" + strings.Fields(p.who)[0] + "\n_______________________________________________\nold-charts mailing list\nold-charts@lists.mapsociety.example\n",
			refs: append([]string(nil), refs...),
			extra: []string{"List-Id: Old charts and how to read them <old-charts.lists.mapsociety.example>", "List-Post: <mailto:old-charts@lists.mapsociety.example>",
				"List-Archive: <https://lists.mapsociety.example/old-charts>", "List-Help: <mailto:old-charts-request@lists.mapsociety.example?subject=help>",
				"List-Unsubscribe: <mailto:old-charts-leave@lists.mapsociety.example>", "Precedence: list"}}
		if i == 0 {
			l.subject = "[old-charts] Datum before 1900"
		}
		placed := s.put("INBOX", "seen", 150-float64(i)*9, l)
		refs = append(refs, placed.messageID())
	}
}

// yearbook is an HTML page of about 100 kB.
func yearbook() string {
	topics := []string{"On measuring a coast that will not hold still", "The invention of the legend", "Four ways to draw a hill", "Soundings, and how sailors cheated", "North is not always up", "The colour of shallow water", "Names that fell off the map", "A history of the dotted line"}
	speakers := []string{"K. Boateng", "I. Janssen", "Z. Laurent", "M. Groß", "N. Petrov", "A. Tanabe"}
	remarks := []string{"The speaker began with a map that nobody in the room could place, and only said at the end that it hung upside down.", "There was a long discussion, in which the treasurer defended the Mercator projection with some heat.", "The originals lay on the table under glass and were returned in the order in which they had come.", "Questions concerned the paper, the ink, and once more the price of the paper.", "A second evening on the same subject was asked for and will be held in the autumn.", "Tea was served by the committee, and the old globe was turned for the visitors."}
	var b strings.Builder
	b.WriteString(`<html><head><style>body{font-family:Georgia,serif;max-width:44em;margin:auto}h2{border-bottom:1px solid #999}</style></head><body><h1>Yearbook of the Map Society</h1>`)
	for i := 0; b.Len() < 100_000; i++ {
		fmt.Fprintf(&b, `<h2>%d. %s</h2><p><i>%s, evening of the %d. of the month</i></p>`, i+1, html.EscapeString(topics[i%len(topics)]), html.EscapeString(speakers[i%len(speakers)]), 1+i*3%28)
		for j := range 5 {
			fmt.Fprintf(&b, `<p>%s %s</p>`, remarks[(i+j)%len(remarks)], remarks[(i*2+j*3+1)%len(remarks)])
		}
	}
	b.WriteString(`</body></html>`)
	return b.String()
}

// world are mails in other scripts and charsets.
func (s *sampler) world() {
	s.foreign(38, "田辺 愛子", "aiko.tanabe@post.example", "お茶会のご案内", "ISO-2022-JP", japanese.ISO2022JP,
		"アンナさん\n\n来週の土曜日、工房で小さなお茶会を開きます。新しい和紙も届きましたので、ぜひ見に来てください。\n\n愛子\n")
	s.foreign(210, "佐藤 健", "ken.sato@example.net", "地図の展覧会について", "UTF-8", encoding.Nop,
		"ケラー様\n\n展覧会の準備は順調に進んでいます。海岸の地図は入口の壁に掛ける予定です。額の色についてご希望はありますか。\n\n佐藤\n")
	s.foreign(88, "ليلى حداد", "leila.haddad@mail.example", "شكراً على الخرائط", "UTF-8", encoding.Nop,
		"عزيزتي آنا،\n\nوصلت الخرائط أمس والأطفال سعداء جداً بها. سنعلّقها في الصف يوم الأحد ونرسل لك صورة.\n\nمع أطيب التحيات،\nليلى\n")
	s.foreign(142, "Виктор Соколов", "viktor.sokolov@example.org", "Старые лоции", "KOI8-R", charmap.KOI8R,
		"Здравствуйте, Анна!\n\nНашёл в архиве две лоции Балтийского моря 1886 года. Бумага хрупкая, но чернила не выцвели. Пришлю копии на следующей неделе.\n\nВиктор\n")
	s.foreign(325, "李 伟", "wei.li@example.net", "关于海图的问题", "GB18030", simplifiedchinese.GB18030,
		"安娜您好：\n\n我正在翻译一本关于灯塔的书，想请教您一个问题：图上的虚线表示航道还是边界？谢谢您的帮助。\n\n李伟\n")
}

// foreign writes a mail in a charset, header and body.
func (s *sampler) foreign(hours float64, name, addr, subject, charset string, enc encoding.Encoding, text string) {
	in := func(t string) string {
		out, err := enc.NewEncoder().String(t)
		if err != nil {
			panic(err) // our own text in a charset that has no letters for it
		}
		return base64.StdEncoding.EncodeToString([]byte(out))
	}
	word := func(t string) string { return "=?" + charset + "?B?" + in(t) + "?=" }
	date := s.now.Add(-time.Duration(hours * float64(time.Hour)))
	body := in(strings.ReplaceAll(text, "\n", "\r\n"))
	var lines []string
	for ; len(body) > 76; body = body[76:] {
		lines = append(lines, body[:76])
	}
	raw := fmt.Sprintf("Date: %s\nFrom: %s <%s>\nTo: %s\nSubject: %s\nMessage-ID: <%d.letter@%s>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=%s\nContent-Transfer-Encoding: base64\n\n%s\n",
		date.Format(time.RFC1123Z), word(name), addr, s.me.String(), word(subject), date.Unix(), addr[strings.Index(addr, "@")+1:], charset, strings.Join(append(lines, body), "\n"))
	s.put("INBOX", "seen", hours, letter{from: mail.Address{Name: name, Address: addr}, subject: subject, raw: []byte(raw)})
}
