package index

// Complete says whether all of a mailbox is in the index.
func (m *Mail) Complete(mailbox string) bool {
	f, done := m.ix.use(m.account, m.owner)
	if f == nil {
		return false
	}
	defer done()
	return f.isComplete(f.box(mailbox))
}

// Path is where the account's file lies.
func (m *Mail) Path() string { return m.ix.path(m.account) }
