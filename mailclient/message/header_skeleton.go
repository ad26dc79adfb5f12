package message

// Header is the ordered header of a mail.
type Header struct{ Raw []byte }
