package disguise

import (
	"regexp"
	"slices"
	"strings"
)

// Ask is what a stranger's letter wants of its reader.
type Ask string

// What a stranger may want. Either comes with a threat or a hurry that a letter from a shop, or the foot of a newsletter,
// does not have: to be told of each link to an account would teach people to look away.
const (
	NoAsk   Ask = ""
	SignIn  Ask = "signin"  // prove who you are, by a link
	Payment Ask = "payment" // send money, or what is as good
)

// Asked gives what the words of a letter ask for, in the languages that Restante speaks. links says that there is one to
// follow. Only their beginning is looked at.
func Asked(words string, links bool) Ask {
	if len(words) > mostWords {
		words = words[:mostWords]
	}
	words = strings.Join(strings.Fields(strings.ToLower(words)), " ")
	switch {
	case says(words, pays, &paying):
		return Payment
	case links && says(words, proves, &proving):
		return SignIn
	}
	return NoAsk
}

// says says whether a sentence of a text, near one of the stems, matches.
func says(words string, pattern *regexp.Regexp, stems *[256][]string) bool {
	for _, near := range around(words, stems) {
		for sentence := range strings.SplitSeq(ends.Replace(near), ". ") {
			if pattern.MatchString(sentence) {
				return true
			}
		}
	}
	return false
}

const (
	mostWords = 4 << 10
	reach     = 160 // bytes before and after a telling stem: no pattern is longer
	mostNear  = 4 << 10
)

// around gives the pieces of a text that stand near these stems, each once, mostNear bytes at most.
func around(words string, telling *[256][]string) (out []string) {
	var at []int
	for i := range len(words) {
		if slices.ContainsFunc(telling[words[i]], func(stem string) bool { return strings.HasPrefix(words[i:], stem) }) {
			at = append(at, i)
		}
	}
	size := 0
	for i := 0; i < len(at) && size < mostNear; {
		from, to := at[i]-reach, at[i]+reach
		for i++; i < len(at) && at[i]-reach <= to; i++ {
			to = at[i] + reach
		}
		near := words[max(0, from):min(len(words), to)]
		if from > 0 { // what a word begins with is not known there
			_, near, _ = strings.Cut(near, " ")
		}
		near = near[:min(len(near), mostNear-size)]
		out, size = append(out, near), size+len(near)
	}
	return out
}

var (
	ends = strings.NewReplacer("! ", ". ", "? ", ". ")
	// Stems by their first bytes: each pattern of proves has one of proving, each of pays one of paying. Few texts have any,
	// and what stands near one alone is looked at closely.
	proving = byFirst(strings.Split("suspended|limited|restricted|locked|blocked|disabled|deactivated|terminated|closed|deleted|gesperrt|eingeschränkt|blockiert|deaktiviert|geschlossen|"+
		"gelöscht|stillgelegt|expire|passwort|mailbox|storage|quota|postfach|speicher|unusual|suspicious|unauthori|ungewöhnlich|verdächtig|unbefugt|"+
		"verify your|verify the|confirm your|confirm the|validate your|validate the|activate your|activate the|restore your|restore the|unlock your|unlock the|update your|update the|"+
		"bestätigen|verifizieren|überprüfen|aktualisieren|reaktivieren|entsperren", "|"))
	paying = byFirst(strings.Split("gift|karte|bitcoin|btc|usdt|ethereum|wire transfer|wire payment|bank transfer|bank payment|bank account|bank details|account details|bankverb|overdue|outstanding|unpaid|past due|"+
		"customs|delivery fee|delivery charge|delivery duty|shipping fee|shipping charge|shipping duty|release fee|release charge|release duty|"+
		"überweis|bezahl|begleich|offene|ausstehend|überfällig|gebühr|verbindung|iban", "|"))
	proves = oneOf(
		// what is at stake
		`(?:your|the|this) (?:W ){0,2}(?:account|mailbox|profile|access|card) (?:W ){0,3}(?:suspended|limited|restricted|locked|blocked|disabled|deactivated|terminated|closed|deleted)`,
		`(?:ihr|ihre|dein|deine) (?:W ){0,2}(?:konto|postfach|zugang|karte|profil) (?:W ){0,5}(?:gesperrt|eingeschränkt|blockiert|deaktiviert|geschlossen|gelöscht|stillgelegt)`,
		`(?:your|the) (?:W ){0,2}password (?:W ){0,2}(?:expires?|expired|will expire)`, `passwort (?:W ){0,3}(?:läuft|abgelaufen|abläuft)`,
		`(?:mailbox|storage|quota) (?:W ){0,3}(?:full|exceeded)`, `(?:postfach|speicher) (?:W ){0,3}(?:voll|überschritten)`,
		`(?:unusual|suspicious|unauthori[sz]ed) (?:sign-?in|log-?in|activity|access|transaction)`, `(?:ungewöhnliche|verdächtige|unbefugte)[rns]? (?:anmeldung|aktivität|zugriff|transaktion|login)`,
		// what is to be done about it
		`(?:verify|confirm|validate|re-?activate|restore|unlock|update) (?:your|the) (?:W ){0,2}(?:account|identity|mailbox|password|credentials|log-?in details|billing (?:information|details)|payment (?:information|details|method)|bank details)`,
		`(?:bestätigen|verifizieren|überprüfen|aktualisieren|reaktivieren|entsperren) sie (?:W ){0,3}(?:konto|identität|postfach|passwort|zugangsdaten|anmeldedaten|zahlungsdaten|zahlungsmittel|bankdaten|bankverbindung|kontodaten)`,
		`(?:konto|identität|postfach|zugangsdaten|anmeldedaten|zahlungsdaten|bankdaten|kontodaten) (?:W ){0,3}(?:zu )?(?:bestätigen|verifizieren|aktualisieren|reaktivieren|entsperren)`,
	)
	pays = oneOf(
		`(?:itunes|google play|steam|amazon|apple)? ?gift ?cards?.{0,120}(?:codes?|scratch|photos?|pictures?)`, `(?:buy|purchase|need|get) (?:W ){0,4}gift ?cards`, `(?:guthaben|geschenk|gutschein)-?karten? (?:W ){0,4}(?:kaufen|besorgen)`, `(?:kaufen|besorgen) (?:W ){0,5}(?:guthaben|geschenk|gutschein)-?karten`,
		`(?:send|pay|transfer|deposit) .{0,60}(?:bitcoins?|btc|usdt|ethereum)\b`, `(?:bitcoins?|btc|usdt) (?:wallet|address)`, `bitcoin-?(?:adresse|wallet)`, `(?:überweisen|senden|zahlen) .{0,60}(?:bitcoins?|btc)\b`,
		`(?:make|process|arrange|send|urgent) (?:W ){0,3}(?:wire|bank) (?:transfer|payment)`, `(?:overdue|outstanding|unpaid) (?:payment|balance|amount|invoice|fee)`, `(?:payment|invoice) (?:W ){0,2}(?:overdue|past due)`,
		`pay (?:W ){0,4}(?:customs|shipping|delivery|redelivery|release) (?:fee|charge|duty)`, `(?:customs|redelivery) (?:fee|charge)s? (?:W ){0,4}(?:paid|pay|due|outstanding)`, `(?:bank|account) details (?:W ){0,2}(?:have )?changed`, `(?:new|changed) bank (?:details|account)`,
		`überweisen sie`, `(?:dringend|sofort|umgehend|heute noch) .{0,40}(?:überweis|bezahl|begleich)`, `(?:offene[rn]?|ausstehende[rn]?|überfällige[rn]?) (?:betrag|rechnung|zahlung|forderung)`, `zahlung (?:W ){0,2}überfällig`,
		`(?:zoll|versand|zustell|liefer)gebühr(?:en)? .{0,40}(?:zahlen|bezahlen|begleichen|entrichten|fällig|offen)`, `(?:neue|geänderte)n? (?:bankverbindung|kontoverbindung|iban)`,
	)
)

func byFirst(stems []string) (out [256][]string) {
	for _, stem := range stems {
		out[stem[0]] = append(out[stem[0]], stem)
	}
	return out
}

// oneOf matches any of the patterns where a word begins; "W " stands for one more word.
func oneOf(patterns ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^\pL])(?:` + strings.ReplaceAll(strings.Join(patterns, "|"), "W ", `[\pL\d'-]+ `) + `)`)
}
