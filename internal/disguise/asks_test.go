package disguise

import (
	"strings"
	"testing"
)

// TestAsked: what wants a sign-in or money is told from what has a link to an account, as all shops and newsletters have.
func TestAsked(t *testing.T) {
	for words, want := range map[string]Ask{
		"We noticed unusual sign-in activity. Sign in now to keep your account.":                                        SignIn,
		"Your account has been temporarily suspended. Click below.":                                                     SignIn,
		"Dear customer, please verify\nyour PayPal  account within 24 hours.":                                           SignIn,
		"Your e-mail password will expire today. Keep the same password here.":                                          SignIn,
		"Your mailbox is almost full. Upgrade your storage here.":                                                       SignIn,
		"Please update your payment details or you lose Prime.":                                                         SignIn,
		"Ihr Konto wurde aus Sicherheitsgründen gesperrt.":                                                              SignIn,
		"Bitte bestätigen Sie umgehend Ihre Zugangsdaten, sonst wird Ihr Zugang gesperrt.":                              SignIn,
		"Ihr Passwort ist abgelaufen. Hier erneuern.":                                                                   SignIn,
		"Wir haben eine ungewöhnliche Anmeldung bemerkt.":                                                               SignIn,
		"Are you at your desk? I need you to buy five gift cards and send me the codes.":                                Payment,
		"Your parcel is held. Pay the customs fee of 1.99 to release it.":                                               Payment,
		"This invoice is overdue. Please see attached.":                                                                 Payment,
		"Please note that our bank details have changed.":                                                               Payment,
		"I recorded you. Send 900 USD in bitcoin to this address.":                                                      Payment,
		"Bitte überweisen Sie den Betrag noch heute.":                                                                   Payment,
		"Ihr Paket wartet: die Zollgebühr von 2,99 Euro ist zu zahlen.":                                                 Payment,
		"Es besteht eine offene Forderung über 289,00 Euro.":                                                            Payment,
		"Unsere neue Bankverbindung finden Sie anbei.":                                                                  Payment,
		"This week: five harbours. Log in to manage your preferences, or unsubscribe. Your account · Help.":             NoAsk,
		"Thank you for your order 4711. You can see it in your account. Paid by card.":                                  NoAsk,
		"Your invoice for November is attached. 24,90 will be collected in seven days. You do not have to do anything.": NoAsk,
		"Welcome! Confirm your e-mail address to finish signing up.":                                                    NoAsk,
		"Your password was changed. If this was not you, tell us.":                                                      NoAsk,
		"Melden Sie sich an, um Ihre Einstellungen zu ändern, oder bestellen Sie den Newsletter ab.":                    NoAsk,
		"Ihre Bestellung ist unterwegs. Die Rechnung liegt in Ihrem Konto bereit.":                                      NoAsk,
		"Sie haben ein Guthaben von 41,20 Euro. Wir überweisen es in den nächsten Tagen auf Ihr Konto.":                 NoAsk,
		"Shall we have lunch on Tuesday? I pay.":                                                                        NoAsk,
		"We closed the account of the harbour club last year; the gift shop has cards.":                                 NoAsk,
		"": NoAsk,
	} {
		if got := Asked(words, true); got != want {
			t.Errorf("%q asks for %q, not %q", words, got, want)
		}
	}
	if got := Asked("Your account has been suspended.", false); got != NoAsk {
		t.Errorf("without a link to follow it asks for %q", got)
	}
}

// TestAskedTakesNoLongLetterApart: of what a stranger sends, only the beginning is looked at.
func TestAskedTakesNoLongLetterApart(t *testing.T) {
	if got := Asked(strings.Repeat("your account ", 1<<20)+"overdue payment", true); got != NoAsk {
		t.Error("the whole letter was looked at")
	}
}

func BenchmarkAsked(b *testing.B) {
	words := strings.Repeat("This week five harbours that only exist at low tide, and what your account of last year says of the storms. ", 80)
	for b.Loop() {
		Asked(words, true)
	}
}
