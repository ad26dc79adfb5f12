package sanitize

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// trackerPaths are in the addresses of pictures that only count readers: ends of their paths; those that end in "/" stand
// anywhere in it, those that end in "=" anywhere behind the host.
var trackerPaths = []string{"/wf/open", "/track/open", "/track/open.php", "/open.php", "/open.aspx", "/open.gif", "/o.gif", "/pixel.gif", "/pixel.png", "/beacon.gif",
	"/spacer/track.gif", "/trkopen", "/mailopen", "/e2t/to/", "/e2t/o/", "/e3t/cto/", "/trk?t=", "/notifications/beacon/", "/q/open/"}

// trackerNames are services that count readers, by the ends of their hosts.
var trackerNames = map[string]string{
	"list-manage.com": "Mailchimp", "mandrillapp.com": "Mailchimp", "sendgrid.net": "SendGrid", "hubspotemail.net": "HubSpot", "hubspotlinks.com": "HubSpot",
	"mailgun.org": "Mailgun", "sparkpostmail.com": "SparkPost", "awstrack.me": "Amazon SES", "mjt.lu": "Mailjet", "sendibt3.com": "Brevo", "sibmail.com": "Brevo",
	"cmail19.com": "Campaign Monitor", "cmail20.com": "Campaign Monitor", "createsend.com": "Campaign Monitor", "klaviyomail.com": "Klaviyo", "exct.net": "Salesforce",
	"pardot.com": "Salesforce", "mktomail.com": "Marketo", "rs6.net": "Constant Contact", "getresponse.com": "GetResponse", "crsend.com": "CleverReach",
	"emailsys1a.net": "Rapidmail", "nl2go.com": "Newsletter2Go", "inxmail.com": "Inxmail", "customeriomail.com": "Customer.io", "intercom-mail.com": "Intercom",
	"substack.com": "Substack", "beehiiv.com": "Beehiiv", "mlsend.com": "MailerLite", "linkedin.com": "LinkedIn", "facebook.com": "Facebook", "github.com": "GitHub",
}

// trackerHosts serve nothing else, whatever a picture's size.
var trackerHosts = map[string]string{
	"emltrk.com": "Litmus", "awstrack.me": "Amazon SES", "mailtrack.io": "Mailtrack", "doubleclick.net": "Google", "google-analytics.com": "Google", "mailfoogae.appspot.com": "Streak",
	"yesware.com": "Yesware", "bl-1.com": "Bananatag", "pixel.watch": "Pixel", "getnotify.com": "GetNotify", "readnotify.com": "ReadNotify", "boomeranggmail.com": "Boomerang",
}

// maxTrackers is how many are kept apart by their names.
const maxTrackers = 50

// keepOut counts a picture that only counts readers.
func (w *walker) keepOut(by string) {
	w.blocked.Trackers++
	if names := w.blocked.TrackedBy; !slices.Contains(names, by) && len(names) < maxTrackers {
		w.blocked.TrackedBy = append(slices.Clip(names), by)
	}
}

// tracker says who counts readers by a picture of another site that cannot be seen: at most 2 by 2 pixels, hidden, or of
// a known address. "" means that it is there to be seen.
func (w *walker) tracker(n *html.Node, src string) string {
	to, ok := webURL(src)
	if !ok || w.ownPart(stripURL(src)) != "" {
		return ""
	}
	if by := trackedAt(to); by != "" {
		return by
	}
	if w.unseenSize(n) {
		return counter(to.host)
	}
	return ""
}

// unseenSize says whether a picture is hidden or has a size that nobody sees. One of some size that is hidden, and has a
// class, may be there for other windows.
func (w *walker) unseenSize(n *html.Node) bool {
	width, height, hidden := -1.0, -1.0, false
	if v, ok := dimension(attr(n, "width"), true); ok && !strings.HasSuffix(v, "%") {
		width, _ = strconv.ParseFloat(v, 64)
	}
	if v, ok := dimension(attr(n, "height"), true); ok && !strings.HasSuffix(v, "%") {
		height, _ = strconv.ParseFloat(v, 64)
	}
	day, _ := w.cascade(w.sheet.matching(n), nil, w.inlineDecls(n))
	for _, d := range day {
		switch v, ok := pixels(d.text()); {
		case ok && (d.prop == "width" || d.prop == "max-width"):
			width = v
		case ok && (d.prop == "height" || d.prop == "max-height"):
			height = v
		case d.prop == "display" && d.text() == "none", d.prop == "visibility" && d.text() == "hidden", d.prop == "opacity" && d.text() == "0":
			hidden = true
		}
	}
	if hidden && max(width, height) > 8 && attr(n, "class") != "" {
		return false
	}
	small := func(v float64) bool { return v >= 0 && v <= 2 }
	return hidden || small(width) && (small(height) || height < 0) || small(height) && width < 0
}

// pixels reads a length of px or 0.
func pixels(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "px"), 64)
	return v, err == nil
}

// trackedAt says who counts readers at an address, "" for nobody who is known.
func trackedAt(to web) string {
	if by := under(to.host, trackerHosts); by != "" {
		return by
	}
	_, rest, _ := strings.Cut(strings.ToLower(to.url), "://")
	at := strings.IndexByte(rest, '/')
	if at < 0 {
		return ""
	}
	path, _, _ := strings.Cut(rest[at:], "?")
	for _, p := range trackerPaths {
		if strings.HasSuffix(path, p) || strings.HasSuffix(p, "=") && strings.Contains(rest[at:], p) || strings.HasSuffix(p, "/") && strings.Contains(path, p) {
			return counter(to.host)
		}
	}
	return ""
}

// counter names who counts readers at a host: by what it is known as, or else by the host.
func counter(host string) string {
	if by := under(host, trackerNames); by != "" {
		return by
	}
	return host
}

// under looks up a host, or what it is part of.
func under(host string, names map[string]string) string {
	for host != "" {
		if by, ok := names[host]; ok {
			return by
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return ""
}
