package discover

import (
	"strings"

	"restante/mailclient"
)

// provider is one row of the table of known providers (PROTOCOLS C). Only those that take a password are here:
// the ones that take OAuth2 alone come with it.
type provider struct {
	domains  string
	imap     string
	smtp     string
	starttls bool // submission on 587 with STARTTLS, else 465
	files    bool
	password string
}

var providers = []provider{
	{domains: "gmail.com googlemail.com", imap: "imap.gmail.com", smtp: "smtp.gmail.com", files: true, password: "https://myaccount.google.com/apppasswords"},
	{domains: "yahoo.com yahoo.de yahoo.fr yahoo.co.uk ymail.com", imap: "imap.mail.yahoo.com", smtp: "smtp.mail.yahoo.com", files: true, password: "https://login.yahoo.com/account/security"},
	{domains: "aol.com", imap: "imap.aol.com", smtp: "smtp.aol.com", files: true, password: "https://login.aol.com/account/security"},
	{domains: "icloud.com me.com mac.com", imap: "imap.mail.me.com", smtp: "smtp.mail.me.com", starttls: true, password: "https://account.apple.com"},
	{domains: "fastmail.com fastmail.fm", imap: "imap.fastmail.com", smtp: "smtp.fastmail.com", password: "https://app.fastmail.com/settings/security"},
	{domains: "gmx.de gmx.net gmx.at gmx.ch gmx.com", imap: "imap.gmx.net", smtp: "mail.gmx.net"},
	{domains: "web.de", imap: "imap.web.de", smtp: "smtp.web.de"},
	{domains: "t-online.de", imap: "secureimap.t-online.de", smtp: "securesmtp.t-online.de"},
	{domains: "mailbox.org", imap: "imap.mailbox.org", smtp: "smtp.mailbox.org"},
	{domains: "posteo.de posteo.net", imap: "posteo.de", smtp: "posteo.de"},
	{domains: "zoho.com", imap: "imap.zoho.com", smtp: "smtp.zoho.com"},
	{domains: "zoho.eu", imap: "imap.zoho.eu", smtp: "smtp.zoho.eu"},
	{domains: "yandex.com yandex.ru", imap: "imap.yandex.com", smtp: "smtp.yandex.com", password: "https://id.yandex.com/security/app-passwords"},
	{domains: "mail.ru", imap: "imap.mail.ru", smtp: "smtp.mail.ru", password: "https://account.mail.ru/user/2-step-auth/passwords"},
	{domains: "163.com", imap: "imap.163.com", smtp: "smtp.163.com"},
	{domains: "126.com", imap: "imap.126.com", smtp: "smtp.126.com"},
	{domains: "qq.com", imap: "imap.qq.com", smtp: "smtp.qq.com"},
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

func (p provider) servers(domain string) Servers {
	s := Servers{
		Domain: domain, Files: p.files, Password: p.password, Source: "provider",
		IMAP: mailclient.Endpoint{Host: p.imap, Port: 993, Security: mailclient.TLS},
		SMTP: mailclient.Endpoint{Host: p.smtp, Port: 465, Security: mailclient.TLS},
	}
	if p.starttls {
		s.SMTP.Port, s.SMTP.Security = 587, mailclient.StartTLS
	}
	return s
}
