package demo

import (
	"net/mail"
	"strings"
)

// notices are the small mails that machines and offices send: sender|address|mailbox|flags|days|subject|text.
var notices = `Sparkasse Nordhafen|info@sparkasse-nordhafen.example|INBOX|seen|1.4|Ihr Kontoauszug liegt bereit|Guten Tag, in Ihrem Postfach liegt ein neuer Kontoauszug. Bitte melden Sie sich wie gewohnt an, um ihn abzurufen. Wir fragen nie per E-Mail nach Ihrer PIN.
Nightline Rail|tickets@nightline.example|INBOX|seen flagged|4.4|Your ticket: Hamburg to Husum, Friday 9:12|Your booking is confirmed. Coach 7, seats 41 and 42, bicycle spaces 3 and 4. Please show the code in the app or this mail.
Tide Alerts|alert@tides.example|INBOX||0.3|Spring tide on Thursday, 30 cm above mean|High water at Nordhaven is expected at 13:42, about 30 cm above the mean. The lower quay may be wet for an hour.
Codehouse|noreply@codehouse.example|INBOX|seen|2.8|[tide-tables] Fix leap years in 2100 (#48)|noah-petrov asked for your review. Two files changed, eleven lines added, three removed. He writes: nobody will be here to notice, but I will know.
Codehouse|noreply@codehouse.example|INBOX|seen|9.2|[tide-tables] Build is green again|The main branch builds again after three failed attempts. The last change was made by noah-petrov.
Studio am Hafen|kontakt@studio-hafen.example|INBOX|seen|10.4|Kursplan ab nächstem Monat|Der Zeichenkurs am Donnerstag beginnt ab sofort um 18:30 Uhr. Bitte bringt weiche Bleistifte und alte Zeitungen mit.
City of Nordhaven|citizens@nordhaven.example|INBOX|seen|14.2|Your resident parking permit expires soon|The permit for the zone Old Harbour expires at the end of next month. You can renew it online or at the counter, Mondays to Thursdays.
Zahnarztpraxis am Markt|praxis@zahn-markt.example|INBOX|seen|16.1|Erinnerung an Ihre Vorsorge|Es ist wieder Zeit für Ihre Vorsorgeuntersuchung. Rufen Sie uns an oder antworten Sie auf diese Mail, wir finden einen Termin.
Stadtwerke|service@stadtwerke-nordhafen.example|INBOX|seen|23.4|Zählerstand bitte ablesen|Bitte teilen Sie uns bis zum Monatsende Ihren Zählerstand mit. Ohne Meldung schätzen wir den Verbrauch.
Map Society|secretary@mapsociety.example|INBOX|seen|27.3|Programme for the spring lectures|Six evenings, six projections. The first lecture is about the man who measured France twice and got two answers.
Cloudbox|no-reply@cloudbox.example|INBOX|seen|30.6|Noah Petrov shared a folder with you|You have been given access to the folder "Timetables 2017 to 2024". It holds eight files.
Police Choir Charity Run|run@charityrun.example|INBOX|seen|37.2|You are number 214|Thank you for signing up. Numbers can be collected from eight o'clock at the fish hall. The course is flat, apart from the bridge.
Library of Nordhaven|desk@library-nordhaven.example|INBOX|seen|43.4|Three days left|Your loan "Kleine Knotenkunde" is due in three days. It may be renewed once more.
Codehouse|noreply@codehouse.example|Archive|seen|71.4|[tide-tables] You are now a maintainer|noah-petrov has made you a maintainer. Congratulations, or condolences.
Nightline Rail|tickets@nightline.example|Archive|seen|141.3|Your journey to Lisbon: documents|Two nights, three trains. Please be on the platform fifteen minutes before departure, the first sleeper is punctual.
Map Society|secretary@mapsociety.example|Archive|seen|190.2|Welcome as a member|Dear Ms Keller, the board has accepted your application. Your number is 1187 and the key to the reading room waits at the desk.
Stadtwerke|service@stadtwerke-nordhafen.example|Archive|seen|260.8|Ihre Jahresabrechnung|Sie haben ein Guthaben von 41,20 Euro. Wir überweisen es in den nächsten Tagen auf Ihr Konto.
City of Nordhaven|citizens@nordhaven.example|Archive|seen|420.1|Your registration is complete|Welcome to Nordhaven. Your registration at Am Deich 7 is complete. The waste calendar is attached to your door.
Cloudbox|no-reply@cloudbox.example|Archive|seen|301.1|New sign-in from Nordhaven|We noticed a new sign-in to your account from a laptop in Nordhaven. If this was you, there is nothing to do.
Fundbüro Nordhafen|fundbuero@nordhaven.example|Trash|seen|12.2|Ihr Schirm|Es wurde leider kein Schirm abgegeben, auf den Ihre Beschreibung passt. Wir haben aber vierzehn andere.
Charity Shop|hello@charityshop.example|Trash|seen|29.6|Thank you for the boxes|Your three boxes have been sorted. The hat has already been sold.`

func (s *sampler) notices() { s.shortMails(notices) }

// shortMails adds the mails of a table, a line each.
func (s *sampler) shortMails(table string) {
	for _, line := range strings.Split(table, "\n") {
		f := strings.SplitN(line, "|", 7)
		s.put(f[2], f[3], hours(f[4]+"d"), letter{
			from: mail.Address{Name: f[0], Address: f[1]}, subject: f[5],
			text:  "Hello,\n\n" + f[6] + "\n\n" + f[0] + "\n",
			extra: []string{"Auto-Submitted: auto-generated"},
		})
	}
}

// spam is what stands in Junk: sender|subject|text. Harmless, and pointing nowhere.
var spam = `Prize Department|You are our 1,000,000th visitor|A car, a cruise or a very large ham are waiting for you. Reply with your favourite and the size of your fridge.
Dr. Goodluck Fortune|Inheritance of a distant uncle|Your uncle, whom you never met, has left you eleven million and a goat. We only need a small fee for the goat.
Watch Outlet|Luxury watches, 97 per cent off|They look the same, they weigh the same, and twice a day they show the right time.
Slim Fast Now|Lose 12 kilos while you sleep|Our tea works at night. Side effects may include dreams about tea.
Parcel Service|Your parcel could not be delivered|A parcel is waiting in a warehouse you have never heard of. Pay 1.99 and we will stop writing.
Crypto Kingdom|Double your coins by Friday|Send us one coin and we send two back. Nobody has ever complained, because nobody could find us.
Bank Security|Your acount has been limitted|Dear custommer, we have seen strange activity. Please confirm all your secrets in a reply to this mail.
Lonely Hearts|Svetlana wants to write to you|She saw your profile, which you do not have, and liked your smile, which she cannot see.
Solar Direkt|Nur heute: Solaranlage geschenkt|Sie zahlen nur Dach, Module, Montage und Anfahrt. Der Rest ist geschenkt.
Casino Royal Flush|100 Freispiele warten|Ihre Freispiele verfallen in zehn Minuten, wie jede Woche.
Printer Ink World|Ink cheaper than water|We have not compared it with your water. But it is cheap.
SEO Wizard|Your website is invisible|I looked at your website and was shocked. For 299 a month I will be shocked in your name.
Pharma Express|No prescription needed|Little blue, little green, little yellow. Collect them all.
Mega Lotto|Gewinnbenachrichtigung Nr. 88/21|Sie haben in einer Lotterie gewonnen, an der Sie nicht teilgenommen haben. Herzlichen Glückwunsch.
Roof Experts|We were in your street today|We noticed your roof. It is on top of the house, which is where problems start.
Business Loan 24|Pre-approved: 50,000|You have not asked for it, and that is why we trust you.
Invoice Office|Re: Re: outstanding invoice|Please see the attachment that we forgot to attach. Payment is due yesterday.
Travel Club|Two weeks in paradise for free|Flights, hotel, food and taxes not included. Paradise is.
Energy Bracelet|Magnets for your inner balance|Doctors are amazed, and so are magnets.
Newsletter Robot|We miss you, Anna|You have not opened our last 140 mails. Is it something we wrote?
Domain Registry|Final notice for your domain|Your domain ends with a dot and a few letters. Many do. Renew with us, although you are not with us.
Handyvertrag Plus|Ihr Vertrag läuft aus (wirklich)|Sie haben keinen Vertrag bei uns. Das lässt sich ändern.
Investment Desk|This stock will rise on Tuesday|Our secret source is a man called Gary. Gary has a feeling.
Miracle Cream|Ten years younger in ten days|Stop in time. A customer in Leeds had to go back to school.
University of Online|Your diploma is ready|No classes, no exams, no university. Choose a title and a frame.
Kredit ohne Schufa|Sofortkredit auch für Haustiere|Ihr Hund hat eine gute Bonität. Fragen Sie uns.
Antivirus Pro Ultra|Your computer has 4,219 viruses|We counted them from here. Buy now and we will count again.
Coffee Machine Lottery|Survey: win a coffee machine|Answer only 140 questions about your fridge, your car and your mother.
Follower Factory|10,000 followers overnight|They are quiet, loyal and all called User.
Gold Direct|Gold at the price of silver|And silver at the price of gold. It evens out.
Hair Again|Grow it back|It worked for our founder, his brother and a doormat.
Winner Notification|Your ticket number 00000001|We regret to inform you that you are very lucky.
Timeshare Deals|A week in Spain, for ever|Own the third week of February until the end of days.
Wine Club|Zwölf Flaschen zum Preis von dreizehn|Rechnen Sie nicht nach, sondern greifen Sie zu.
Secret Admirer|Somebody has looked at your photo|Click nowhere to find out nothing.`

// junk fills Junk, in HTML and plain text by turns.
func (s *sampler) junk() {
	for i, line := range strings.Split(spam, "\n") {
		f := strings.SplitN(line, "|", 3)
		host := strings.ToLower(strings.Map(letterOnly, f[0])) + ".invalid"
		l := letter{from: mail.Address{Name: f[0], Address: "offer@" + host}, subject: f[1], text: f[2] + "\n"}
		if i%2 == 0 {
			l.html = `<html><body bgcolor="#ffff66"><center><font color="red" size="6"><b>` + f[1] + `</b></font><p>` + f[2] +
				`</p><img src="http://pics.` + host + `/banner.gif" width="468" height="60"><p><a href="http://` + host + `/go">CLICK HERE</a></p></center></body></html>`
		}
		flags := "seen"
		if i%3 == 0 {
			flags = ""
		}
		s.put("Junk", flags, 7+float64(i)*21.5, l)
	}
}

func letterOnly(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

var benTable = `Timber Yard Halvorsen|shop@halvorsen.example|INBOX|seen|8.1|Your delivery note|Eight boards of oak, 27 mm, delivered to the yard gate. The driver says your dog is very polite.
Tide Alerts|alert@tides.example|INBOX||0.3|Spring tide on Thursday, 30 cm above mean|High water at Nordhaven is expected at 13:42, about 30 cm above the mean. The lower quay may be wet for an hour.
Craft Guild|office@craftguild.example|INBOX|seen|12.7|Membership card|Dear Mr Okafor, your new card is in the post. The guild evening is on the last Friday, with pea soup.
City of Nordhaven|citizens@nordhaven.example|INBOX|seen|17.5|Unloading zone in front of your workshop|The zone has been approved from seven to ten in the morning. The signs will be put up in the coming week.
Van Insurance|service@vaninsurance.example|Archive|seen|70.3|Your policy for the year|Thank you for staying with us. Your premium goes down by eleven euros, as you had no accident.
Codehouse|noreply@codehouse.example|Archive|seen|110.4|Welcome to Codehouse|You signed up to report a wrong tide at Husum. Thank you, it has been corrected.`

func (s *sampler) benNotices() {
	s.shortMails(benTable)
	s.put("INBOX", "seen", 50, letter{from: address("Noor Jansen"), subject: "The shelf, with and without books",
		text: "As promised, two pictures. Use them as you like.\n\nNoor\n", files: []file{photo("shelf-1.jpg", 640, 420, 71), photo("shelf-2.jpg", 640, 420, 72)}})
	s.put("INBOX", "seen", 340, letter{from: mail.Address{Name: "Timber Yard Halvorsen", Address: "shop@halvorsen.example"}, subject: "Invoice 2217",
		text:  "Dear Mr Okafor,\n\nplease find the invoice for the oak boards attached.\n\nHalvorsen\n",
		files: []file{{name: "Invoice 2217.pdf", media: "application/pdf", data: pdf("Timber Yard Halvorsen", "Invoice 2217", "Oak boards 27 mm, 8 pieces   412.00 EUR")}}})
}
