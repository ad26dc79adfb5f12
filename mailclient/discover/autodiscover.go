package discover

import (
	"context"
	"encoding/xml"
	"net"
	"strings"

	"restante/mailclient"
)

// exchange is the answer of Exchange's autodiscover in its plain form (MS-OXDSCLI 2.2.4).
type exchange struct {
	Protocols []exchangeProtocol `xml:"Response>Account>Protocol"`
}

type exchangeProtocol struct {
	Type       string `xml:"Type"`
	Server     string `xml:"Server"`
	Port       string `xml:"Port"`
	SSL        string `xml:"SSL"`
	Encryption string `xml:"Encryption"`
	LoginName  string `xml:"LoginName"`
}

// autodiscover reads an answer of autodiscover (PROTOCOLS D5). Sections that make no sense are left out.
func autodiscover(b []byte) (map[Service][]Answer, error) {
	var x exchange
	if err := readXML(b, &x); err != nil {
		return nil, err
	}
	var r report
	for _, p := range x.Protocols {
		service, known := map[string]Service{"IMAP": IMAP, "POP3": POP3, "SMTP": Submission}[strings.ToUpper(strings.TrimSpace(p.Type))]
		host, ok := hostName(p.Server)
		port, fits := mailPort(p.Port)
		if known && ok && fits {
			r.add(service, Answer{Host: host, Port: port, Security: p.security(port), Login: loginName(p.LoginName)})
		}
	}
	if len(r.answers) == 0 {
		return nil, errNonsense
	}
	return r.answers, nil
}

// security is by Encryption where it is said, else by SSL, whose default is on and which does not tell TLS from the
// start from STARTTLS: the port does.
func (p exchangeProtocol) security(port int) mailclient.Security {
	switch strings.ToUpper(strings.TrimSpace(p.Encryption)) {
	case "SSL":
		return mailclient.TLS
	case "TLS":
		return mailclient.StartTLS
	case "NONE":
		return mailclient.Plain
	case "AUTO":
		return usualSecurity(port)
	}
	if strings.EqualFold(strings.TrimSpace(p.SSL), "off") {
		return mailclient.Plain
	}
	return usualSecurity(port)
}

const discoverPath = "/autodiscover/autodiscover.xml"

// exchangeQuestion is the body of the request. It holds the address and no credentials: most servers answer 401.
func exchangeQuestion(address string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>`)
	_ = xml.EscapeText(&b, []byte(address)) // a strings.Builder takes everything
	b.WriteString(`</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>`)
	return b.String()
}

// fromAutodiscover asks the domain's own hosts, and the one that its DNS names; never those of a parent domain.
func (q *quest) fromAutodiscover(ctx context.Context) *report {
	r := &report{}
	hosts := []string{"autodiscover." + q.domain, q.domain}
	if host, came := q.exchangeHost(ctx); host != "" {
		hosts = append(hosts, host)
	} else {
		r.saw(FromAutodiscover, "_autodiscover._tcp."+q.domain, came)
	}
	var pages []page
	for _, host := range hosts {
		pages = append(pages, page{url: at("https", host, discoverPath, nil), body: exchangeQuestion(q.address)})
	}
	r.read(ctx, q, FromAutodiscover, autodiscover, pages)
	return r
}

// exchangeHost is whom the domain's DNS names for autodiscover on port 443, "" for nobody.
func (q *quest) exchangeHost(ctx context.Context) (string, Came) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	_, list, err := q.o.Resolver.LookupSRV(ctx, "autodiscover", "tcp", q.domain)
	for _, t := range inOrder(list) {
		if host, ok := hostName(t.Target); ok && t.Port == 443 {
			return host, CameAnswer
		}
	}
	if err == nil {
		err = &net.DNSError{IsNotFound: true}
	}
	return "", cameOf(err)
}
