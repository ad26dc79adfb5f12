package submit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"restante/mailclient/wire"
)

// lost is the outcome of an error that is not a plain refusal: a reply gives its code, anything else is a lost line.
func (s *try) lost(err error) Outcome {
	out := Outcome{Kind: Retry, Phase: s.phase, Text: err.Error()}
	var reply *smtp.SMTPError
	if errors.As(err, &reply) {
		out.Code, out.Text = reply.Code, words(reply)
	}
	return out
}

func (s *try) authOutcome(err error) Outcome {
	out := s.lost(err)
	switch {
	case out.Code == 432 || out.Code/100 == 5:
		out.Kind = SignIn
	}
	return out
}

// SwitchedOff says whether the words of a refused sign-in mean that nobody may submit from this mailbox, until its admin
// changes that: Microsoft says so of a tenant without SMTP AUTH (PROTOCOLS U3).
func SwitchedOff(text string) bool { return strings.Contains(text, "5.7.139") }

// tokenOutcome is a provider that gives no access token: without a person's word it will not again, or it is away.
func tokenOutcome(err error) Outcome {
	out := Outcome{Kind: Retry, Phase: "auth", Text: err.Error()}
	var no *wire.TokenError
	if errors.As(err, &no) && no.Dead {
		out.Kind = SignIn
	}
	return out
}

// throttled says whether a refusal for good is in truth one for now, and for how long (T16): who may send no more today
// (Gmail), or not so fast (Yahoo).
func throttled(text string) time.Duration {
	text = strings.ToLower(text)
	switch {
	case strings.Contains(text, " 5.4.5 "), strings.Contains(text, "daily") && (strings.Contains(text, "quota") || strings.Contains(text, "limit")):
		return 24 * time.Hour
	case strings.Contains(text, "5.7.0") && strings.Contains(text, "try again later"):
		return time.Hour
	}
	return 0
}

func (s *try) mailOutcome(err error) Outcome {
	out := s.lost(err)
	out.Wait = throttled(out.Text)
	switch {
	case out.Wait > 0:
	case out.Code == 552:
		out.Kind = TooLarge
	case out.Code == 530 || out.Code == 535:
		out.Kind = SignIn
	case refusesParameter(err):
		out.Kind = Rejected
	case out.Code/100 == 5:
		out.Kind = Identity
	}
	return out
}

// refusesParameter says whether MAIL was refused for something that stands behind the address (RFC 5321 4.1.1.11).
func refusesParameter(err error) bool {
	var reply *smtp.SMTPError
	return errors.As(err, &reply) && (reply.Code == 555 || reply.Code == 504)
}

func (s *try) dotOutcome(err error) Outcome {
	out := s.lost(err)
	out.Wait = throttled(out.Text)
	switch {
	case out.Code/100 == 5 && out.Wait > 0:
	case out.Code/100 == 5 && strings.Contains(strings.ToLower(out.Text), "sendasdenied"): // Microsoft 365 says so only now
		out.Kind = Identity
	case out.Code == 0 || out.Code/100 < 4: // the line broke, or garbage came: nobody knows
		out.Kind = Uncertain
	case out.Code == 552:
		out.Kind = TooLarge
	case out.Code/100 == 5:
		out.Kind = Rejected
	}
	return out
}

// aboutSender says whether a refusal of recipients is in truth one of the sender (Postfix says so at RCPT).
func aboutSender(e *smtp.SMTPError) bool {
	text := strings.ToLower(e.Message)
	for _, sign := range []string{"not owned by", "sender address rejected", "relay", "sendasdenied"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// tooMany says whether a recipient is only beyond what the server takes in one mail: 452 4.5.3, and by RFC 5321
// 4.5.3.1.10 the 552 of old. Without an enhanced code the same numbers also mean a full mailbox; whoever is then
// tried in a further mail is refused there for what it is.
func tooMany(e *smtp.SMTPError) bool {
	if e.Code != 452 && e.Code != 552 {
		return false
	}
	bare := e.EnhancedCode == smtp.NoEnhancedCode || e.EnhancedCode == smtp.EnhancedCodeNotSet
	return bare || e.EnhancedCode[1] == 5 && e.EnhancedCode[2] == 3
}

// words are the server's own: code, enhanced code and text on one line, at most 500 bytes.
func words(e *smtp.SMTPError) string {
	text := strings.Join(strings.Fields(e.Message), " ")
	if e.EnhancedCode != smtp.NoEnhancedCode && e.EnhancedCode != smtp.EnhancedCodeNotSet {
		text = fmt.Sprintf("%d %d.%d.%d %s", e.Code, e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2], text)
	} else {
		text = fmt.Sprintf("%d %s", e.Code, text)
	}
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "")
	}
	return text
}
