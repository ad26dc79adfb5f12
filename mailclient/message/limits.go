package message

// Limits of what one mail may cost. Past a limit the mail is still shown, with a Fault.
const (
	maxDepth        = 100
	maxParts        = 2000
	maxHeader       = 1 << 20
	maxField        = 256 << 10
	maxParams       = 200
	maxAddresses    = 20000
	maxShown        = 2 << 20
	maxEncodedWords = 5000
	maxIDs          = 1000
	maxNested       = 5
	maxContainers   = 4 // containers in containers that are opened
	maxRaw          = 64 << 20
	maxFileName     = 200
)

// budget is what one mail may still cost, its attached mails included. A nil budget pays for no guess.
type budget struct {
	parts   int // made so far
	guesses int // charsets that may still be guessed: each takes half a millisecond
}

const maxGuesses = 300

func newBudget() *budget { return &budget{guesses: maxGuesses} }

// guess finds a charset by detection, "" when there is no good guess or there were too many.
func (b *budget) guess(text []byte, html bool) string {
	if b == nil || b.guesses <= 0 {
		return ""
	}
	b.guesses--
	return detect(text, html)
}

// hint helps to decode bytes whose label is missing or untrue.
type hint struct {
	charset string // what they most likely are; "" for unknown
	budget  *budget
}

// fault adds a fault once a kind and place.
func (m *Message) fault(kind, where string) {
	if len(m.Faults) >= 100 {
		return
	}
	for _, f := range m.Faults {
		if f.Kind == kind && f.Where == where {
			return
		}
	}
	m.Faults = append(m.Faults, Fault{Kind: kind, Where: where})
}
