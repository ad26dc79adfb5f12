package discover

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"restante/mailclient"
)

// sound says what holds for every answer, whatever a page says.
func sound(t *testing.T, answers map[Service][]Answer, err error) {
	t.Helper()
	if (err == nil) == (len(answers) == 0) {
		t.Errorf("%v, %v", answers, err)
	}
	for _, list := range answers {
		if len(list) > maxNamed {
			t.Errorf("%d answers", len(list))
		}
		for _, a := range list {
			if host, ok := hostName(a.Host); !ok || host != a.Host || a.Port < 1 || a.Port > 65535 || a.Port == 25 {
				t.Errorf("%+v", a)
			}
			if net.ParseIP(a.Host) != nil {
				t.Errorf("an address in numbers: %+v", a)
			}
			if strings.ContainsAny(a.Username("anna@example.test"), "\r\n\x00") {
				t.Errorf("a name of two lines: %q", a.Login)
			}
		}
	}
}

func FuzzAutoconfig(f *testing.F) {
	for _, s := range []string{
		`<clientConfig><emailProvider><incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username><authentication>OAuth2</authentication></incomingServer><outgoingServer type="smtp"><hostname>smtp.example.test</hostname><port> 587 </port><socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>`,
		`<!DOCTYPE a [<!ENTITY b "c">]><clientConfig/>`, `<clientConfig xmlns:a="b"><a:emailProvider>`, "", "<a><a><a>", "\xff\xfe<\x00",
		`<clientConfig><emailProvider><incomingServer type="pop3"><hostname>1.2.3.4</hostname><port>-1</port><socketType>plain</socketType></incomingServer></emailProvider></clientConfig>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		answers, err := autoconfig(b, "anna@example.test")
		sound(t, answers, err)
	})
}

func FuzzAutodiscover(f *testing.F) {
	for _, s := range []string{
		`<Autodiscover><Response><Account><Protocol><Type>IMAP</Type><Server>owa.example.test</Server><Port>993</Port><SSL>on</SSL><LoginName>anna</LoginName></Protocol><Protocol><Type>SMTP</Type><Server>owa.example.test</Server><Port>587</Port><Encryption>TLS</Encryption></Protocol></Account></Response></Autodiscover>`,
		`<Autodiscover><Response><Error><Message>no</Message></Error></Response></Autodiscover>`, `<Autodiscover xmlns="x"><Response xmlns="y"><Account><Protocol><Type>POP3</Type><Server>&amp;</Server>`, "", "<?xml version='1.1'?>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		answers, err := autodiscover(b)
		sound(t, answers, err)
	})
}

// FuzzTry hears anything from a server.
func FuzzTry(f *testing.F) {
	for i, s := range []string{
		"* OK ready\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\np1 OK\r\n", "220-a\r\n220 b\r\n250-c\r\n250 AUTH PLAIN\r\n", "+OK\r\n+OK\r\nSASL PLAIN\r\n.\r\n",
		"\"SASL\" \"PLAIN\"\r\nOK\r\n", "* BYE\r\n", "999\r\n", "-ERR\r\n", "NO\r\n",
	} {
		f.Add([]byte(s), uint8(i))
	}
	f.Fuzz(func(t *testing.T, said []byte, n uint8) {
		ours, theirs := net.Pipe()
		go func() { // ends with the pipe
			_, _ = theirs.Write(said)
			_ = theirs.Close()
		}()
		hears := make(chan bool)
		go func() {
			defer close(hears)
			b := make([]byte, 1<<10)
			for {
				if _, err := theirs.Read(b); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := Try(ctx, services[n%4], mailclient.Endpoint{Host: "imap.example.test", Port: 143, Security: mailclient.Plain, Via: &pipe{ours}})
		<-hears
		if len(p.Text) > shownBytes+3 || strings.ContainsAny(p.Text, "\r\n\x00\x1b") || len(p.Capabilities) > maxCaps || p.Problem == mailclient.Timeout {
			t.Errorf("%+v", p)
		}
	})
}

// pipe is a Dialer to one connection.
type pipe struct{ conn net.Conn }

func (p *pipe) DialContext(context.Context, string, string) (net.Conn, error) { return p.conn, nil }
