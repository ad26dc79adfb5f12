package templates

// IdentityCard is an identity in the list of them.
type IdentityCard struct {
	ID                          int64
	Name, Address, URL, Through string // no URL: it cannot be changed
	Default, Up, Down           bool
}

// IdentityForm is an identity to change, or a new one (ID 0).
type IdentityForm struct {
	ID                                int64
	Name, UsualName, Address, ReplyTo string // UsualName is used where Name is empty
	Organization, Bcc                 string
	Signature, SignatureHTML          string
	SignOn                            []Option
	Chosen                            string // a picture, in base64, that goes along once the form is saved
	SignBelow, Picture, Rich          bool
	Default, AnyAddress, CanDelete    bool
	Fixed                             bool     // name and signature alone can be changed
	Accounts                          []Option // it can be sent through, where there are several
	Own                               OwnServerForm
	Problem, ServerSaid               string
	Lines                             []TestLine
	Anyway                            bool // it can be kept although the server was not right
}

// OwnServerForm is the submission server of an identity.
type OwnServerForm struct {
	ServerForm
	On, HasPassword               bool
	Username, Sealed, PasswordURL string
}
