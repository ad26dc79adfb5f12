package handlers

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"restante/internal/picture"
	"restante/mailclient"
	"restante/mailclient/message"
	"restante/templates"
)

const (
	thumbSide = 192  // points
	largeSide = 2000 // points

	reducingRoom = 128 << 20 // bytes of the pictures, as they came, that are being made smaller at once

	maxTextShown = 512 << 10 // bytes of a file that is read as text
	maxZipTail   = 1 << 20   // bytes at the end of an archive, where its list stands
	maxZipWhole  = 8 << 20   // bytes of an archive that can only be read from its begin
	maxZipNames  = 1000      // entries shown
)

// textTypes are types besides text/* that are read as text, and textNames those that say nothing of themselves.
var textTypes = []string{"application/json", "application/xml", "application/javascript", "application/x-sh", "application/x-yaml", "application/yaml", "application/sql", "application/x-patch", "application/pgp-keys", "image/svg+xml", "message/rfc822-headers"}

var textNames = strings.Fields(".txt .text .md .csv .tsv .json .xml .yaml .yml .toml .ini .conf .cfg .log .go .py .rb .js .ts .css .html .htm .sh .bat .ps1 .sql .c .h .cpp .hpp .cs .java .kt .rs .php .pl .lua .tex .diff .patch .ics .vcf .srt .svg .asc")

// fileKind is how a file can be looked at here: image, text, audio, video, pdf, zip, mail; "" when it can only be saved.
func fileKind(f message.File) string {
	ext := strings.ToLower(path.Ext(f.Name))
	bare := f.Type == "" || f.Type == "application/octet-stream"
	kind := inlineKind(f.Type, f.Name)
	switch {
	case isMailFile(f):
		return "mail"
	case strings.HasPrefix(kind, "image/"):
		return "image"
	case kind == "application/pdf":
		return "pdf"
	case strings.HasPrefix(f.Type, "audio/") || bare && slices.Contains([]string{".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".flac", ".aac"}, ext):
		return "audio"
	case strings.HasPrefix(f.Type, "video/") || bare && slices.Contains([]string{".mp4", ".m4v", ".webm", ".mov", ".ogv"}, ext):
		return "video"
	case f.Type == "application/zip" || f.Type == "application/x-zip-compressed" || ext == ".zip":
		return "zip"
	case strings.HasPrefix(f.Type, "text/") || slices.Contains(textTypes, f.Type) || bare && slices.Contains(textNames, ext):
		return "text"
	}
	return ""
}

// isMailFile says whether a file is a mail, by its kind or, where that says nothing, by its name.
func isMailFile(f message.File) bool {
	return f.Nested || (f.Type == "" || f.Type == "application/octet-stream") && strings.EqualFold(path.Ext(f.Name), ".eml")
}

func filePath(base, section string) string { return base + "/files/" + url.PathEscape(section) }

// fileAt is the file of a mail that the path names.
func (s *Server) fileAt(r *http.Request, p *person) (pl place, open *mailclient.Open, f message.File, err error) {
	if pl, open, err = s.openAt(r, p); err != nil {
		return pl, nil, f, err
	}
	section, err := url.PathUnescape(chi.URLParam(r, "section"))
	if err != nil {
		return pl, nil, f, errNothingHere
	}
	at := slices.IndexFunc(open.Message.Files, func(f message.File) bool { return f.Section == section })
	if at < 0 {
		return pl, nil, f, errNothingHere
	}
	return pl, open, open.Message.Files[at], nil
}

// filePage shows a file of a mail on a page of its own, with the ways back, on, and to save it.
func (s *Server) filePage(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, f, err := s.fileAt(r, p)
	if err != nil {
		return err
	}
	at := mailAt(p, pl, open)
	page := templates.FilePage{Head: s.head(r, p, f.Name), Name: f.Name, Size: p.L.Size(f.Size), Kind: fileKind(f), Warning: fileWarning(p, f.Name),
		BackURL: at.page(), Subject: subjectOf(p, open.Message.Header.Subject()), URL: at.part(f.Section), DownloadURL: at.part(f.Section, "download", "1")}
	if !f.Exact {
		page.Size = p.L.T("files.about", "Size", page.Size)
	}
	switch page.Kind {
	case "mail":
		return s.attachedMail(w, r, p, pl, open, page, f.Section)
	case "image":
		page.ImageURL = at.small(f.Section, largeSide)
		if !canReduce(f) {
			page.ImageURL = page.URL
		}
		page.PrevURL, page.NextURL = at.neighbours(open.Message.Files, f.Section)
	case "text":
		page.Text, page.Cut, err = s.fileText(r.Context(), p, pl, open, f)
	case "audio", "video":
		page.MediaURL = at.part(f.Section, "play", "1")
	case "zip":
		page.Entries, page.Words, err = s.zipEntries(r.Context(), p, pl, open, f)
	}
	if err != nil {
		return err
	}
	return s.ok(w, r, page)
}

// mailPlace makes the addresses of what belongs to one mail.
type mailPlace struct {
	base string
	q    url.Values
}

func mailAt(p *person, pl place, open *mailclient.Open) mailPlace {
	q := url.Values{"v": {strconv.FormatUint(uint64(open.UIDValidity), 10)}}
	if pl.in != "" {
		q.Set("in", pl.in)
	}
	return mailPlace{pathMessage(p.Account.ID, pl.slug, open.UID), q}
}

// page is where the mail itself is read.
func (m mailPlace) page() string {
	in := m.q.Get("in")
	if in == "" {
		return m.base
	}
	at := strings.LastIndex(in, "/")
	return with(filePath(m.base, in[at+1:]), m.q, "in", in[:max(at, 0)])
}

// act is where something about the mail is posted to.
func (m mailPlace) act(name string) string { return with(m.base+"/"+name, m.q) }

func (m mailPlace) part(section string, more ...string) string {
	return with(partPath(m.base, section), m.q, more...)
}

func (m mailPlace) file(section string) string { return with(filePath(m.base, section), m.q) }

func (m mailPlace) small(section string, side int) string {
	return with(partPath(m.base, section)+"/small", m.q, "side", strconv.Itoa(side))
}

// neighbours are the pages of the pictures before and after one, "" where there is none.
func (m mailPlace) neighbours(files []message.File, section string) (prev, next string) {
	pictures := slices.DeleteFunc(slices.Clone(files), func(f message.File) bool {
		return f.Technical || f.Inline && f.Section != section || fileKind(f) != "image"
	})
	at := slices.IndexFunc(pictures, func(f message.File) bool { return f.Section == section })
	if at > 0 {
		prev = m.file(pictures[at-1].Section)
	}
	if at >= 0 && at+1 < len(pictures) {
		next = m.file(pictures[at+1].Section)
	}
	return prev, next
}

// pictureBetween is a picture that stands between the texts of a mail.
func pictureBetween(at mailPlace, files []message.File, section string) *templates.File {
	i := slices.IndexFunc(files, func(f message.File) bool { return f.Section == section && fileKind(f) == "image" })
	if i < 0 {
		return nil
	}
	f := &templates.File{Name: files[i].Name, URL: at.file(section), ThumbURL: at.small(section, largeSide)}
	if !canReduce(files[i]) {
		f.ThumbURL = at.part(section)
	}
	return f
}

// canReduce says whether the server makes smaller copies of a picture. A film is shown as it is.
func canReduce(f message.File) bool {
	kind := inlineKind(f.Type, f.Name)
	return kind != "image/avif" && kind != "image/gif" && f.Size <= picture.MaxFile
}

// smallPicture serves a smaller copy of a picture, the right way up.
func (s *Server) smallPicture(w http.ResponseWriter, r *http.Request, p *person) error {
	pl, open, f, err := s.fileAt(r, p)
	if err != nil {
		return err
	}
	keep := ""
	if open.UIDValidity != 0 && r.URL.Query().Get("v") != "" {
		keep = "private, max-age=31536000, immutable"
	}
	return s.serveSmall(w, r, f, keep, func(context.Context) ([]byte, error) { return s.wholePart(r, p, pl, open, f, picture.MaxFile) })
}

// serveSmall makes a picture smaller that read gives. keep says how long the browser may, "" for not at all.
func (s *Server) serveSmall(w http.ResponseWriter, r *http.Request, f message.File, keep string, read func(context.Context) ([]byte, error)) error {
	side := thumbSide
	if r.URL.Query().Get("side") == strconv.Itoa(largeSide) {
		side = largeSide
	}
	if fileKind(f) != "image" {
		return errNothingHere
	}
	room := min(max(f.Size, 1<<20), picture.MaxFile)
	if err := s.reducing.Acquire(r.Context(), room); err != nil {
		return err
	}
	defer s.reducing.Release(room)
	raw, err := read(r.Context())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	kind, err := picture.Small(r.Context(), &b, raw, side)
	if errors.Is(err, picture.ErrUnread) { // as it came, for the browser to try
		if kind = trueKind(inlineKind(f.Type, f.Name), raw[:min(len(raw), 512)]); kind != "" {
			b.Reset()
			b.Write(raw)
			err = nil
		}
	}
	if errors.Is(err, picture.ErrPicture) || errors.Is(err, picture.ErrUnread) {
		return wrap(err, http.StatusUnsupportedMediaType, "file.nopicture")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	if keep != "" {
		w.Header().Set("Cache-Control", keep)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// errEnough ends the reading of a part of which the begin is all that is wanted.
var errEnough = errors.New("enough of the part")

// beginning takes the first bytes of what is written to it.
type beginning struct {
	bytes.Buffer
	most int
}

func (b *beginning) Write(p []byte) (int, error) {
	if left := b.most - b.Len(); len(p) > left {
		b.Buffer.Write(p[:left])
		return left, errEnough
	}
	return b.Buffer.Write(p)
}

// partFile gives a file of a mail that can be read from anywhere.
func (s *Server) partFile(ctx context.Context, p *person, pl place, open *mailclient.Open, f message.File) (*mailclient.PartFile, error) {
	if f.Body != nil {
		return mailclient.FileOf(f.Body), nil
	}
	file, err := p.Mail.PartFile(ctx, pl.box.Name, open.UIDValidity, open.UID, f.Section)
	return file, notKeptFile(err)
}

// fileText is the begin of a file as text; cut says that there is more. What is no text is "".
func (s *Server) fileText(ctx context.Context, p *person, pl place, open *mailclient.Open, f message.File) (text string, cut bool, err error) {
	file, err := s.partFile(ctx, p, pl, open, f)
	if err != nil {
		return "", false, err
	}
	b := beginning{most: maxTextShown}
	err = file.WriteFrom(ctx, 0, &b)
	if errors.Is(err, errEnough) {
		cut, err = true, nil
	}
	text = shownText(b.Bytes())
	return text, cut && text != "", err
}

// shownText is the begin of a file as text, "" for what is none.
func shownText(raw []byte) string {
	if bytes.IndexByte(raw[:min(len(raw), 4096)], 0) >= 0 && !bytes.HasPrefix(raw, []byte{0xff, 0xfe}) && !bytes.HasPrefix(raw, []byte{0xfe, 0xff}) {
		return ""
	}
	return message.DecodePart(raw, "", "")
}

// tail is the end of a file, which begins at from.
type tail struct {
	from  int64
	bytes []byte
}

var errBeforeTail = errors.New("before what was read of the end")

// ReadAt is that of io.ReaderAt.
func (t tail) ReadAt(b []byte, off int64) (int, error) {
	if off < t.from {
		return 0, errBeforeTail
	}
	return bytes.NewReader(t.bytes).ReadAt(b, off-t.from)
}

// zipEntries lists what is in an archive by its directory alone: nothing is unpacked. words say why there is no list,
// or how it was cut.
func (s *Server) zipEntries(ctx context.Context, p *person, pl place, open *mailclient.Open, f message.File) (entries []templates.FileEntry, words string, err error) {
	file, err := s.partFile(ctx, p, pl, open, f)
	if err != nil {
		return nil, "", err
	}
	end, size := tail{}, file.Size
	if size < 0 { // of a size that only reading tells
		b := beginning{most: maxZipWhole}
		if err := file.WriteFrom(ctx, 0, &b); errors.Is(err, errEnough) {
			return nil, p.L.T("file.zip.large"), nil
		} else if err != nil {
			return nil, "", err
		}
		end.bytes, size = b.Bytes(), int64(b.Len())
	} else {
		end.from = max(0, size-maxZipTail)
		b := beginning{most: maxZipTail}
		if err := file.WriteFrom(ctx, end.from, &b); err != nil && !errors.Is(err, errEnough) {
			return nil, "", err
		}
		end.bytes = b.Bytes()
	}
	z, err := zip.NewReader(end, size)
	switch {
	case errors.Is(err, errBeforeTail):
		return nil, p.L.T("file.zip.large"), nil
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, p.L.T("file.zip.broken"), nil
	}
	var total uint64
	locked := false
	for i, e := range z.File {
		total += min(e.UncompressedSize64, 1<<50)
		locked = locked || e.Flags&1 != 0
		if i < maxZipNames {
			name := cutText(message.DecodePart([]byte(e.Name), "", ""), 300)
			entry := templates.FileEntry{Name: name, Warning: fileWarning(p, name)}
			if !strings.HasSuffix(e.Name, "/") {
				entry.Size = p.L.Size(int64(min(e.UncompressedSize64, 1<<50)))
			}
			entries = append(entries, entry)
		}
	}
	words = p.L.T("file.zip.holds", "N", len(z.File), "Size", p.L.Size(int64(min(total, 1<<60))))
	if locked {
		words += " " + p.L.T("file.zip.locked")
	}
	if total > 1<<30 && total > 100*uint64(size) { // SECURITY 3: what may well be a bomb
		words += " " + p.L.T("file.zip.bomb")
	}
	if len(z.File) > maxZipNames {
		words += " " + p.L.T("file.zip.cut", "N", maxZipNames)
	}
	return entries, words, nil
}

// mediaKind is the type of a sound or a film by its first bytes, "" for what no browser plays.
func mediaKind(b []byte) string {
	has := func(at int, s string) bool { return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s }
	switch {
	case has(0, "ID3"), len(b) > 2 && b[0] == 0xff && b[1]&0xe6 == 0xe2: // MPEG audio, layer II or III
		return "audio/mpeg"
	case len(b) > 2 && b[0] == 0xff && b[1]&0xf6 == 0xf0: // ADTS
		return "audio/aac"
	case has(0, "RIFF") && has(8, "WAVE"):
		return "audio/wav"
	case has(0, "fLaC"):
		return "audio/flac"
	case has(0, "OggS"):
		return "application/ogg"
	case has(4, "ftypM4A"):
		return "audio/mp4"
	case has(4, "ftyp"):
		return "video/mp4"
	case has(0, "\x1a\x45\xdf\xa3"):
		return "video/webm"
	}
	return ""
}

// plays says whether a request is that of a player in one of our pages.
func plays(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest == "audio" || dest == "video" || dest == "" && r.URL.Query().Get("play") == "1"
}
