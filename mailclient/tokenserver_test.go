package mailclient_test

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"restante/internal/testmail"
	"restante/mailclient"
)

// scripted is an IMAP server that offers one mechanism and answers each line of it by say.
func scripted(t *testing.T, mech string, say func(line string) string) mailclient.Endpoint {
	t.Helper()
	at := testmail.Listen(t, func(c net.Conn) {
		in := bufio.NewScanner(c)
		_, _ = fmt.Fprintf(c, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=%s] ready\r\n", mech)
		for in.Scan() {
			tag, rest, _ := strings.Cut(in.Text(), " ")
			line, ok := strings.CutPrefix(rest, "AUTHENTICATE "+mech+" ")
			if !ok {
				return
			}
			for {
				answer := say(line)
				if !strings.HasPrefix(answer, "+") {
					_, _ = fmt.Fprintf(c, "%s %s\r\n", tag, answer)
					break
				}
				_, _ = fmt.Fprintf(c, "%s\r\n", answer)
				if !in.Scan() {
					return
				}
				line = in.Text()
			}
		}
	})
	return mailclient.Endpoint{Host: at.Host, Port: at.Port, Security: mailclient.Plain}
}

func portOf(e mailclient.Endpoint) string { return strconv.Itoa(e.Port) }
