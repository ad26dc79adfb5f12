package message

import (
	"strings"
	"unicode"
)

// extensions are the usual ones of types, for files that came without a name.
var extensions = map[string]string{"image/jpeg": ".jpg", "image/jpg": ".jpg", "image/pjpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
	"image/tiff": ".tiff", "image/svg+xml": ".svg", "image/heic": ".heic", "text/plain": ".txt", "text/html": ".html", "text/csv": ".csv", "text/calendar": ".ics", "application/ics": ".ics",
	"text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/directory": ".vcf", "text/rtf": ".rtf", "application/rtf": ".rtf", "text/xml": ".xml", "application/xml": ".xml",
	"text/x-patch": ".patch", "text/x-diff": ".diff", "text/rfc822-headers": ".txt", "application/pdf": ".pdf", "application/zip": ".zip", "application/gzip": ".gz", "application/x-gzip": ".gz",
	"application/json": ".json", "application/msword": ".doc", "application/vnd.ms-excel": ".xls", "application/vnd.ms-powerpoint": ".ppt", "application/pgp-signature": ".asc",
	"application/pgp-encrypted": ".asc", "application/pgp-keys": ".asc", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m",
	"application/x-pkcs7-mime": ".p7m", "application/ms-tnef": ".dat", "application/vnd.ms-tnef": ".dat", "message/rfc822": ".eml", "message/global": ".eml", "message/news": ".eml",
	"message/delivery-status": ".txt", "message/disposition-notification": ".txt", "message/feedback-report": ".txt", "audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/wav": ".wav",
	"audio/x-wav": ".wav", "audio/ogg": ".ogg", "audio/amr": ".amr", "video/mp4": ".mp4", "video/quicktime": ".mov", "video/avi": ".avi", "application/mac-binhex40": ".hqx",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx", "application/vnd.oasis.opendocument.text": ".odt", "application/vnd.oasis.opendocument.spreadsheet": ".ods"}

// fileName gives a file its name: the one it was given, its description, the subject of an attached mail, the last
// piece of its location, else its kind and a number. It is never empty and safe to save under; bidi overrides show
// as U+FFFD.
func fileName(n *node, numbers map[string]int) string {
	if name := cleanName(n.rawName(), "\uFFFD"); name != "" {
		return name
	}
	ext := extensions[n.kind()]
	if n.isMail() {
		if subject := cleanName(slashes(n.nestedHeader.Subject()), "\uFFFD"); subject != "" {
			return cleanName(subject+".eml", "\uFFFD")
		}
	}
	if name := cleanName(slashes(n.description), "\uFFFD"); name != "" && len(name) <= 100 {
		if _, has := splitExt(name); has == "" {
			name += ext
		}
		return name
	}
	if name := locationName(n.location); name != "" {
		return name
	}
	kind := n.typ
	switch {
	case n.isMail():
		kind = "message"
	case n.is("text", "calendar"):
		kind = "invitation"
	case kind == "application" || kind == "text" || kind == "message" || kind == "multipart":
		kind = "part"
	}
	if kind = cleanName(kind, ""); kind == "" || len(kind) > 40 {
		kind = "part"
	}
	numbers[kind]++
	return kind + " " + itoa(numbers[kind]) + ext
}

func slashes(s string) string { return strings.NewReplacer("/", "-", `\`, "-").Replace(s) }

// locationName is the last piece of a Content-Location, when it looks like a file's name.
func locationName(loc string) string {
	loc, _, _ = strings.Cut(loc, "?")
	name := cleanName(string(unpercent(loc)), "\uFFFD")
	if _, ext := splitExt(name); ext == "" || strings.Contains(name, ":") {
		return ""
	}
	return name
}

// SafeName makes a name fit to save a file under: its last path element without control characters, bidi overrides
// and leading dots, at most 200 characters with its extension kept; "file" when nothing is left.
func SafeName(name string) string {
	if name = cleanName(name, ""); name == "" {
		return "file"
	}
	return name
}

// cleanName is SafeName with something put for bidi overrides; "" when nothing is left.
func cleanName(name, override string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = strings.TrimRight(strings.TrimSpace(name), `/\`)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	var out strings.Builder
	for _, r := range name {
		switch {
		case isBidi(r):
			out.WriteString(override)
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\u200b':
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		default:
			out.WriteRune(r)
		}
	}
	name = strings.TrimLeft(out.String(), ". ")
	return shorten(strings.TrimRight(name, ". "))
}

// isBidi says whether a character turns the direction of those around it.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
}

// shorten keeps 200 characters of a name, and its extension.
func shorten(name string) string {
	runes := []rune(name)
	if len(runes) <= maxFileName {
		return name
	}
	stem, ext := splitExt(name)
	keep := maxFileName - len([]rune(ext))
	return strings.TrimRight(string([]rune(stem)[:keep]), ". ") + ext
}

// splitExt cuts a name before its extension, which has at most 10 letters; ".tar.gz" and the like count as one.
func splitExt(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > 11 || i == len(name)-1 || strings.ContainsAny(name[i:], " ()[]") {
		return name, ""
	}
	if strings.HasSuffix(name[:i], ".tar") && i > 4 {
		i -= 4
	}
	return name[:i], name[i:]
}
