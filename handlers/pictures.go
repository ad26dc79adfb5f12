package handlers

import (
	"html"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"restante/internal/store"
	"restante/mailclient"
)

// Pictures inside of a letter are named cid: in what is kept and sent (RFC 2392), and by an address of our own while
// it is on the screen. That address carries the cid, so that the way back needs nothing else.
var (
	cidSource = regexp.MustCompile(`src="cid:([^"]+)"`)
	ownSource = regexp.MustCompile(`src="/(?:mail|compose)/[^"?]*\?cid=([^"&]+)[^"]*"`)
)

// showPictures puts addresses of our own in the place of cid: ones; address gives "" for a picture that is not there.
func showPictures(letter string, address func(cid string) string) string {
	return cidSource.ReplaceAllStringFunc(letter, func(src string) string {
		id := html.UnescapeString(cidSource.FindStringSubmatch(src)[1])
		a := address(id)
		if a == "" {
			return src
		}
		return `src="` + html.EscapeString(pictureAddress(a, id)) + `"`
	})
}

func pictureAddress(address, cid string) string { return address + "?cid=" + url.QueryEscape(cid) }

// namePictures is the way back.
func namePictures(letter string) string {
	return ownSource.ReplaceAllStringFunc(letter, func(src string) string {
		id, err := url.QueryUnescape(html.UnescapeString(ownSource.FindStringSubmatch(src)[1]))
		if err != nil || strings.ContainsAny(id, "\"<>\r\n\x00") {
			return `src=""`
		}
		return `src="cid:` + html.EscapeString(id) + `"`
	})
}

// picturesOf finds the pictures of an opened mail by their cid.
func picturesOf(p *person, box mailclient.Mailbox, open *mailclient.Open) func(cid string) string {
	base := pathMessage(p.Account.ID, Slug(box.Name, box.Delimiter), open.UID) + "/parts/"
	return func(cid string) string {
		for _, f := range open.Message.Files {
			if f.ContentID == cid {
				return base + url.PathEscape(f.Section)
			}
		}
		return ""
	}
}

// picturesOfDraft finds the pictures of a draft by their cid.
func picturesOfDraft(draft string, files []store.Upload) func(cid string) string {
	return func(cid string) string {
		for _, u := range files {
			if u.ContentID == cid {
				return "/compose/" + draft + "/files/" + u.ID
			}
		}
		return ""
	}
}

// inText says whether a file of a draft is a picture that stands in its text.
func inText(d store.Draft, u store.Upload) bool {
	return u.ContentID != "" && strings.Contains(d.Fields.HTML, `src="cid:`+html.EscapeString(u.ContentID)+`"`)
}

// leftOut says whether a picture that came with an answer, or was put into the text, is no longer in it, so that it
// does not go out. What was put into a text that has become plain goes as a file.
func leftOut(d store.Draft, u store.Upload) bool {
	if u.ContentID == "" || inText(d, u) {
		return false
	}
	if strings.HasSuffix(u.ContentID, placedID) {
		return d.Fields.HTML != ""
	}
	return strings.HasPrefix(d.Fields.AnswerKind, "reply")
}

// placedID ends the Content-ID of the pictures that their writer put into the text.
const placedID = "@placed.restante.invalid"

// placed gives a file that is meant for the text its Content-ID; "" when it is no picture that every reader shows.
func placed(field, kind string) string {
	if kind, _, _ = mime.ParseMediaType(kind); field != "pictures" || !slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kind) {
		return ""
	}
	return store.NewID() + placedID
}
