package discover

import (
	"strings"

	"restante/mailclient"
)

// provider is one row of the table of known providers (PROTOCOLS C). All of its servers but submission are TLS from
// the start, on the usual ports.
type provider struct {
	domains  string // of addresses
	mx       string // ends of the names of its MX hosts: domains of other people who have their mail there
	imap     string
	smtp     string
	pop3     string // "" for none
	starttls bool   // submission on 587 with STARTTLS, else 465
	files    bool   // files sent mail by itself
	password string // a page about app passwords
	oauth    bool   // takes OAuth2 alone
}

var providers = []provider{
	{domains: "gmail.com googlemail.com", mx: "google.com googlemail.com", imap: "imap.gmail.com", smtp: "smtp.gmail.com", pop3: "pop.gmail.com", files: true, password: "https://myaccount.google.com/apppasswords"},
	{domains: "outlook.com outlook.de hotmail.com hotmail.de hotmail.co.uk hotmail.fr live.com live.de msn.com", mx: "olc.protection.outlook.com", imap: "outlook.office365.com", smtp: "smtp-mail.outlook.com", pop3: "outlook.office365.com", starttls: true, files: true, oauth: true},
	{mx: "mail.protection.outlook.com mx.microsoft", imap: "outlook.office365.com", smtp: "smtp.office365.com", pop3: "outlook.office365.com", starttls: true, files: true, oauth: true},
	{domains: "yahoo.com yahoo.de yahoo.fr yahoo.co.uk ymail.com", mx: "yahoodns.net", imap: "imap.mail.yahoo.com", smtp: "smtp.mail.yahoo.com", pop3: "pop.mail.yahoo.com", files: true, password: "https://login.yahoo.com/account/security"},
	{domains: "aol.com", imap: "imap.aol.com", smtp: "smtp.aol.com", pop3: "pop.aol.com", files: true, password: "https://login.aol.com/account/security"},
	{domains: "icloud.com me.com mac.com", mx: "mail.icloud.com", imap: "imap.mail.me.com", smtp: "smtp.mail.me.com", starttls: true, password: "https://account.apple.com"},
	{domains: "fastmail.com fastmail.fm", mx: "messagingengine.com", imap: "imap.fastmail.com", smtp: "smtp.fastmail.com", pop3: "pop.fastmail.com", password: "https://app.fastmail.com/settings/security"},
	{domains: "gmx.de gmx.net gmx.at gmx.ch gmx.com", imap: "imap.gmx.net", smtp: "mail.gmx.net", pop3: "pop.gmx.net"},
	{domains: "web.de", imap: "imap.web.de", smtp: "smtp.web.de", pop3: "pop3.web.de"},
	{domains: "t-online.de", imap: "secureimap.t-online.de", smtp: "securesmtp.t-online.de", pop3: "securepop.t-online.de"},
	{mx: "kundenserver.de ionos.de ionos.com", imap: "imap.ionos.de", smtp: "smtp.ionos.de", pop3: "pop.ionos.de"},
	{mx: "rzone.de", imap: "imap.strato.de", smtp: "smtp.strato.de", pop3: "pop3.strato.de"},
	{mx: "ovh.net", imap: "ssl0.ovh.net", smtp: "ssl0.ovh.net", pop3: "ssl0.ovh.net"},
	{mx: "infomaniak.ch infomaniak.com", imap: "mail.infomaniak.com", smtp: "mail.infomaniak.com", pop3: "mail.infomaniak.com"},
	{domains: "mailbox.org", mx: "mailbox.org", imap: "imap.mailbox.org", smtp: "smtp.mailbox.org", pop3: "pop3.mailbox.org"},
	{domains: "posteo.de posteo.net", imap: "posteo.de", smtp: "posteo.de", pop3: "posteo.de"},
	{domains: "zoho.com", mx: "zoho.com", imap: "imap.zoho.com", smtp: "smtp.zoho.com", pop3: "pop.zoho.com"},
	{domains: "zoho.eu", mx: "zoho.eu", imap: "imap.zoho.eu", smtp: "smtp.zoho.eu", pop3: "pop.zoho.eu"},
	{domains: "yandex.com yandex.ru", mx: "mx.yandex.net", imap: "imap.yandex.com", smtp: "smtp.yandex.com", pop3: "pop.yandex.com", password: "https://id.yandex.com/security/app-passwords"},
	{domains: "mail.ru", mx: "mail.ru", imap: "imap.mail.ru", smtp: "smtp.mail.ru", pop3: "pop.mail.ru", password: "https://account.mail.ru/user/2-step-auth/passwords"},
	{domains: "163.com", imap: "imap.163.com", smtp: "smtp.163.com", pop3: "pop.163.com"},
	{domains: "126.com", imap: "imap.126.com", smtp: "smtp.126.com", pop3: "pop.126.com"},
	{domains: "qq.com", imap: "imap.qq.com", smtp: "smtp.qq.com", pop3: "pop.qq.com"},
}

var byDomain = func() map[string]provider {
	m := map[string]provider{}
	for _, p := range providers {
		for _, d := range strings.Fields(p.domains) {
			m[d] = p
		}
	}
	return m
}()

// byMX is the provider whose MX host this is.
func byMX(host string) (provider, bool) {
	for _, p := range providers {
		for _, end := range strings.Fields(p.mx) {
			if host == end || strings.HasSuffix(host, "."+end) {
				return p, true
			}
		}
	}
	return provider{}, false
}

func (p provider) servers(domain string) Servers {
	at := func(host string, port int) mailclient.Endpoint {
		if host == "" {
			return mailclient.Endpoint{}
		}
		return mailclient.Endpoint{Host: host, Port: port, Security: mailclient.TLS}
	}
	s := Servers{
		Domain: domain, Files: p.files, Password: p.password, Source: FromPreset,
		IMAP: at(p.imap, 993), SMTP: at(p.smtp, 465), POP3: at(p.pop3, 995),
	}
	if p.starttls {
		s.SMTP.Port, s.SMTP.Security = 587, mailclient.StartTLS
	}
	return s
}
