package handlers

import (
	"mime"
	"net/url"
	"path"
	"strconv"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// showFiles lists what can be saved.
func (s *Server) showFiles(p *person, base string, open *mailclient.Open, v *templates.Message) {
	var total int64
	for _, f := range open.Message.Files {
		if f.Inline || f.Technical {
			continue
		}
		total += f.Size
		partURL := partPath(base, f.Section)
		q := url.Values{"v": {strconv.FormatUint(uint64(open.UIDValidity), 10)}}
		file := templates.File{Name: f.Name, Size: p.L.Size(f.Size), Icon: fileIcon(f.Type, f.Name), Warning: fileWarning(p, f.Name),
			URL: with(partURL, q), DownloadURL: with(partURL, q, "download", "1")}
		if !f.Exact {
			file.Size = p.L.T("files.about", "Size", file.Size)
		}
		if file.Opens = inlineKind(f.Type, f.Name) != ""; !file.Opens {
			file.URL = file.DownloadURL
		}
		if strings.HasPrefix(inlineKind(f.Type, f.Name), "image/") && f.Size < 3<<20 {
			file.ThumbURL = with(partURL, q)
		}
		v.Files = append(v.Files, file)
	}
	if n := len(v.Files); n > 0 {
		v.FilesWords = p.L.T("files.count", "N", n) + " · " + p.L.Size(total)
		if n > 1 {
			v.ZipURL = with(base+"/attachments.zip", url.Values{"v": {strconv.FormatUint(uint64(open.UIDValidity), 10)}})
		}
	}
}

// partPath is where a part of the mail at base is served.
func partPath(base, section string) string { return base + "/parts/" + url.PathEscape(section) }

// inlineKind is the type under which a part may be opened in the browser, "" for download only (SECURITY 3).
func inlineKind(declared, name string) string {
	t := declared
	if t == "" || t == "application/octet-stream" || t == "image/jpg" {
		t, _, _ = strings.Cut(mime.TypeByExtension(strings.ToLower(path.Ext(name))), ";")
	}
	switch t {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf", "text/plain":
		return t
	}
	return ""
}

func fileIcon(t, name string) string {
	kind := inlineKind(t, name)
	switch {
	case strings.HasPrefix(kind, "image/") || strings.HasPrefix(t, "image/"):
		return "file-image"
	case kind == "application/pdf", kind == "text/plain":
		return "file-text"
	case strings.Contains(t, "zip") || strings.Contains(t, "compressed"):
		return "file-archive"
	case strings.Contains(t, "spreadsheet") || strings.Contains(t, "excel") || t == "text/csv":
		return "file-spreadsheet"
	case t == "text/calendar":
		return "calendar"
	case t == "message/rfc822":
		return "mail"
	}
	return "file"
}

var dangerous = map[string]bool{}

func init() {
	for _, e := range strings.Fields("exe com bat cmd scr pif msi msp js jse vbs vbe wsf wsh ps1 jar lnk hta cpl reg iso img vhd html htm svg xhtml one url docm xlsm pptm dotm xlam app dmg") {
		dangerous["."+e] = true
	}
}

func fileWarning(p *person, name string) string {
	lower := strings.ToLower(name)
	if !dangerous[path.Ext(lower)] {
		return ""
	}
	if inner := path.Ext(strings.TrimSuffix(lower, path.Ext(lower))); len(inner) > 1 && len(inner) < 6 {
		return p.L.T("files.disguised")
	}
	return p.L.T("files.dangerous")
}
