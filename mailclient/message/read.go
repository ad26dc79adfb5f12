package message

// softRaw is how much of one mail callers read by bytes; a mail that long may have been cut there.
const softRaw = 8 << 20

// Read reads a whole mail from its bytes, as far as it goes: it never fails. What was wrong stands in Faults.
// Files carry their decoded bytes and attached mails are read too, up to five deep. Bytes past 64 MB are not looked at.
// The slices in the result may share memory with raw.
func Read(raw []byte) *Message {
	cut := len(raw) >= softRaw
	if len(raw) > maxRaw {
		raw = raw[:maxRaw]
	}
	m := newViewer(readTree(raw, "", newBudget(), 0), true, 0).message()
	if cut {
		m.fault("cut", "size")
	}
	return m
}

// headerFaults tells of what the header hides or gets wrong.
func (m *Message) headerFaults() {
	h := m.Header
	for _, name := range []string{"From", "Subject", "Date", "To"} {
		if len(h.Values(name)) > 1 {
			m.fault("doubled", name)
		}
	}
	if v := h.Get("Date"); v != "" {
		if _, ok := parseDate(v); !ok {
			m.fault("date", "Date")
		}
	}
	if len(h.Raw) >= maxHeader {
		m.fault("limit", "header")
	}
}
