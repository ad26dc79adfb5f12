package imapx

import (
	"fmt"
	"strings"
	"testing"
)

// oddRows are lines of PROTOCOLS O by their rows, beside those of TestO_OddLines.
var oddRows = map[string][]string{
	"O5": {"* Ok x", "* oK [alert] x"}, "O8": {"* CAPABILITY IMAP4rev1\r\n* CAPABILITY idle"}, "O15": {"* OK [PERMANENTFLAGS ()] x"},
	"O16": {"* OK [UIDVALIDITY -1] x", "* OK [UIDVALIDITY 0] x"}, "O18": {"* OK [HIGHESTMODSEQ 0] x"}, "O19": {"* OK [COPYUID 1 5 ] x"}, "O21": {"* OK [COPYUID 0 0 0] nothing copied"},
	"O24": {"* BAD [ALERT] Plaintext authentication not allowed without SSL/TLS, but your client did it anyway."},
	"O28": {"+ ", "+Ready"}, "O33": {"* 0 RECENT"}, "O35": {"* FLAGS ()"}, "O32": {"* RECENT 0"},
	"O42": {`* 5 FETCH (UID 19 FLAGS (\Seen) FLAGS (\Seen \Flagged))`}, "O43": {"* 5 FETCH (UID 19 FLAGS ())\r\n* 5 FETCH (UID 19 RFC822.SIZE 3)"}, "O44": {"* 5 FETCH (UID 19  FLAGS ())", "* 5 FETCH ( UID 19 FLAGS () )"},
	"O48": {"* 5 FETCH (UID 19 MODSEQ 12)"}, "O49": {"* 5 FETCH (UID 19 RFC822.SIZE NIL)", "* 5 FETCH (UID 19 RFC822.SIZE 5000000000)"},
	"O50": {"* 5 FETCH (UID 19 INTERNALDATE NIL)", `* 5 FETCH (UID 19 INTERNALDATE "1-Jan-2024 1:02:03 GMT")`, `* 5 FETCH (UID 19 INTERNALDATE "1-Jan-2024 01:02:03")`},
	"O51": {`* 5 FETCH (UID 19 INTERNALDATE " 1-Jan-2024 01:02:03 +0000")`, `* 5 FETCH (UID 19 INTERNALDATE "01-jan-24 01:02:03 +0000")`}, "O52": {"* 5 FETCH (UID 19 ENVELOPE ())"},
	"O53": {"* 5 FETCH (UID 19 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL))", "* 5 FETCH (UID 19 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))"},
	"O54": {`* 5 FETCH (UID 19 ENVELOPE (NIL "s" () (("a" NIL "b")) (("a" NIL "b" "c" "d")) () () () NIL NIL))`},
	"O55": {"* 5 FETCH (UID 19 ENVELOPE (Mon-1-Jan \"\xe4\xf6\" NIL NIL NIL NIL NIL NIL NIL NIL))"}, "O56": {"* 5 FETCH (UID 19 ENVELOPE (NIL {6}\r\na\r\n b\r NIL NIL NIL NIL NIL NIL NIL NIL))"},
	"O57": {`* 5 FETCH (UID 19 ENVELOPE (NIL "s" NIL NIL NIL NIL NIL NIL ("<a>" "<b>") NIL))`}, "O58": {"* 5 FETCH (UID 19 BODYSTRUCTURE ())"},
	"O59": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("text" "plain" NIL NIL NIL NIL NIL NIL))`, `* 5 FETCH (UID 19 BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 12 -1))`},
	"O60": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("TEXT" "PLAIN" ("charset") NIL NIL "7bit" 1 1))`, `* 5 FETCH (UID 19 BODYSTRUCTURE ("TEXT" "PLAIN" ("charset" NIL) NIL NIL "7bit" 1 1))`},
	"O61": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("TEXT" "PLAIN" () NIL NIL "7bit" 1 1 NIL "attachment" NIL NIL))`, `* 5 FETCH (UID 19 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7bit" 1 1 NIL ("attachment") NIL NIL))`},
	"O62": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("message" "rfc822" NIL NIL NIL "7bit" 12))`}, "O63": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("message" "global" NIL NIL NIL "8bit" 12 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" NIL NIL NIL "7bit" 1 1) 1))`},
	"O64": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("MIXED" ("boundary" "x") NIL NIL))`, `* 5 FETCH (UID 19 BODYSTRUCTURE (NIL "mixed"))`, `* 5 FETCH (UID 19 BODYSTRUCTURE ("multipart" "mixed" NIL NIL NIL "7bit" 0))`},
	"O65": {`* 5 FETCH (UID 19 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7bit" 1 1 NIL NIL NIL NIL "x" (1 (2 (3)))))`},
	"O67": {"* 5 FETCH (UID 19 BODY[HEADER.FIELDS (\"From\" \"To\")] {2}\r\n\r\n)", "* 5 FETCH (UID 19 BODY[HEADER.FIELDS] {2}\r\n\r\n)"}, "O68": {"* 5 FETCH (UID 19 BODY[1]<0.100> \"x\")", "* 5 FETCH (UID 19 BODY[1]<0> \"x\")"},
	"O69": {"* 5 FETCH (UID 19 BODY[] NIL)", `* 5 FETCH (UID 19 BODY[] "")`}, "O72": {"* 5 FETCH (UID 19 BODY[1] {3+}\r\nabc)", "* 5 FETCH (UID 19 BODY[1] ~{3}\r\nab\x00)"},
	"O73": {"* 5 FETCH (UID 19 BODY[1] { 10}\r\n0123456789)", "* 5 FETCH (UID 19 BODY[1] {10 }\r\n0123456789)"}, "O76": {"* OK a\rb"}, "O77": {"* OK \xff\xfe", "* LIST () \"/\" \"\xe4\"", "* FLAGS (\xff)"},
	"O78": {`* LIST (\HasNoChildren) "/" Foo Bar`}, "O79": {"* LIST () \"/\" {7}\r\nFoo Bar", `* LIST () "/" "a \"b\""`}, "O80": {"* LIST () NIL INBOX", `* LIST () "" INBOX`, `* LIST () "\\" INBOX`},
	"O81": {`* LIST (\NoSelect \Unknown[x]) "/" "a" ("OLDNAME" ("b"))`, `* LIST () "/" "a" ("CHILDINFO" ("SUBSCRIBED"))`}, "O83": {`* XLIST (\Inbox) "/" "a"`},
	"O84": {"* STATUS INBOX (MESSAGES)", "* STATUS INBOX MESSAGES 3", "* STATUS INBOX (MESSAGES -3)"}, "O85": {"* STATUS Foo Bar (MESSAGES 3)"}, "O86": {"* STATUS other (MESSAGES 1)"},
	"O87": {"* SEARCH ", "* SEARCH 1\r\n* SEARCH 2", "* SEARCH 1 (MODSEQ 9)"}, "O89": {"* ESEARCH UID ALL 5:3", "* ESEARCH (TAG \"A5\") UID ALL 1"}, "O90": {"* SORT ", "* SORT 2 1 ", "* THREAD (1)(2) "},
	"O91": {`* NAMESPACE (("" NIL)) NIL NIL`, `* NAMESPACE (("" "/" "X" ("a"))) NIL`}, "O92": {"* QUOTAROOT INBOX", `* QUOTA "" ()`, `* QUOTA "" (STORAGE 5)`}, "O93": {`* QUOTA "" (STORAGE 5 99999999999)`},
	"O94": {`* ID ("name" NIL "name" "x")`, `* ID ("name")`}, "O97": {"*  ", "no star, no tag"}, "O98": {"Error: mysql gone away"},
	"O96":  {`* ACL INBOX u lr`, "* LISTRIGHTS INBOX u l", "* ANNOTATION INBOX x", "* GENURLAUTH x", "* LANGUAGE (de)", "* CONVERSION x", "* COMPARATOR i;octet", `* 5 STORE (FLAGS ())`},
	"O111": {"* OK [NOTIFICATIONOVERFLOW] x", "* OK [UNSEEN 0] x", "* NO [UIDNOTSTICKY] x", "* OK [HASCHILDREN] x"},
}

// TestO_OddRows utters more lines of PROTOCOLS O amid a session, which must go on.
func TestO_OddRows(t *testing.T) {
	for row, lines := range oddRows {
		for _, l := range lines {
			t.Run(fmt.Sprintf("%s %.40q", row, l), func(t *testing.T) {
				c, err := dialScripted(t, scripted{odd: l + "\r\n"})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				session(t, c)
			})
		}
	}
}

// TestO_OddEndsOfCommands: O5, O10, O11, O27 and O103, the words with which a command has been done.
func TestO_OddEndsOfCommands(t *testing.T) {
	for _, end := range []string{"TAG OK", "TAG ok done", "TAG OK [READ-WRITE]", "TAG OK [REFERRAL imap://other.test/] done", "TAG OK done\r\nTAG BAD what", "TAG OK [COPYUID 0 0 0] nothing"} {
		t.Run(end, func(t *testing.T) {
			c, err := dialScripted(t, scripted{end: end})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			session(t, c)
		})
	}
}

// TestO105_AnAnswerThatIsNone is a refusal.
func TestO105_AnAnswerThatIsNone(t *testing.T) {
	for _, end := range []string{"TAG YES", "TAG PREAUTH", "TAG NO", "TAG BAD User is authenticated but not connected."} {
		t.Run(end, func(t *testing.T) {
			c, err := dialScripted(t, scripted{end: end, endOf: "NOOP"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			noop := Cmd("NOOP")
			if err := c.Do(t.Context(), noop); err == nil && noop.Status == "OK" {
				t.Errorf("%q counts as yes", end)
			}
		})
	}
}

// TestO109_TheSameInPieces: an answer that comes octet by octet.
func TestO109_TheSameInPieces(t *testing.T) {
	c, err := dialScripted(t, scripted{odd: strings.Repeat("* 1 FETCH (UID 19 FLAGS (\\Seen))\r\n", 300), pieces: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session(t, c)
}
