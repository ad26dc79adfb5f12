package compose

import (
	"errors"
	"io"

	gomessage "github.com/emersion/go-message"
)

// ReadReceipt is what a receipt tells programs: that the person of an address has had the mail of that Message-ID shown
// to them, and sends this by their own hand (RFC 8098 3.1, 3.2).
func ReadReceipt(address, messageID string) string {
	final, beyond := Envelope(address)
	kind := "rfc822"
	if beyond {
		kind = "utf-8" // RFC 6533
	}
	fields := "Final-Recipient: " + kind + "; " + final + "\r\n"
	if messageID != "" && !bad(messageID) {
		fields += "Original-Message-ID: <" + messageID + ">\r\n"
	}
	return fields + "Disposition: manual-action/MDN-sent-manually; displayed\r\n"
}

// writeReceipt writes report(text, disposition-notification) (RFC 8098 3).
func writeReceipt(make creator, d Draft) error {
	var h gomessage.Header
	h.SetContentType("multipart/report", map[string]string{"report-type": "disposition-notification"})
	report, err := make(h)
	if err != nil {
		return err
	}
	if err := writeText(report.CreatePart, "plain", d.Text); err != nil {
		return err
	}
	var part gomessage.Header
	part.SetContentType("message/disposition-notification", nil)
	w, err := report.CreatePart(part)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, d.Receipted)
	return errors.Join(err, w.Close(), report.Close())
}
