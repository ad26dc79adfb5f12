package handlers

import (
	"mime"
	"net/url"
	"path"
	"strings"

	"restante/mailclient"
	"restante/templates"
)

// showFiles lists what can be saved.
func (s *Server) showFiles(p *person, pl place, open *mailclient.Open, v *templates.Message) {
	var total int64
	at := mailAt(p, pl, open)
	for _, f := range open.Message.Files {
		if f.Inline || f.Technical {
			continue
		}
		total += f.Size
		file := templates.File{Name: f.Name, Size: p.L.Size(f.Size), Icon: fileIcon(f.Type, f.Name), Warning: fileWarning(p, f.Name),
			URL: at.file(f.Section), DownloadURL: at.part(f.Section, "download", "1")}
		if !f.Exact {
			file.Size = p.L.T("files.about", "Size", file.Size)
		}
		switch kind := fileKind(f); kind {
		case "":
			file.URL = file.DownloadURL
		case "pdf": // in the browser's own viewer
			file.URL, file.Opens = at.part(f.Section), true
		case "image":
			if file.ThumbURL = at.small(f.Section, thumbSide); !canReduce(f) && f.Size < 3<<20 {
				file.ThumbURL = at.part(f.Section)
			}
		}
		v.Files = append(v.Files, file)
	}
	if n := len(v.Files); n > 0 {
		v.AttachURL = at.act("attach")
		v.FilesWords = p.L.T("files.count", "N", n) + " · " + p.L.Size(total)
		if n > 1 {
			v.ZipURL = with(at.base+"/attachments.zip", at.q)
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
