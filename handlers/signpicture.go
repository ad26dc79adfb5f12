package handlers

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif" // what a signature may show
	_ "image/jpeg"
	_ "image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"restante/internal/store"
	"restante/mailclient/compose"
)

const (
	maxPicture  = 128 << 10 // octets of the picture of a signature
	maxSide     = 4000      // pixels
	shownWidth  = 240       // at most, in the letter
	shownHeight = 96
	identityMax = 1 << 20 // octets of the form without it
)

var errPicture = badRequest("identity.badpicture")

// readIdentity reads the form of an identity into r.PostForm, and the picture of its signature where one comes along.
func (s *Server) readIdentity(r *http.Request) (picture *store.Picture, err error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, parseForm(r)
	}
	r.PostForm, r.Form = url.Values{}, r.URL.Query()
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, wrap(err, http.StatusBadRequest, "error.form")
	}
	err = readFields(mr, r.PostForm, formLimits{bytes: identityMax, fields: 100}, func(part *multipart.Part) error {
		raw, err := io.ReadAll(io.LimitReader(part, maxPicture+1))
		if err != nil || len(raw) == 0 { // an empty choice of files
			return err
		}
		p, err := signPicture(raw)
		picture = &p
		return err
	})
	if err != nil {
		return nil, err
	}
	if chosen := r.PostForm.Get("chosen_picture"); chosen != "" && picture == nil { // in the same form, before something else was tried
		raw, err := base64.StdEncoding.DecodeString(chosen)
		if err != nil {
			return nil, errPicture
		}
		p, err := signPicture(raw)
		if err != nil {
			return nil, err
		}
		picture = &p
	}
	return picture, checkText(r.PostForm)
}

// signPicture is a picture of a kind that every reader shows, without where and by what it was taken.
func signPicture(raw []byte) (p store.Picture, err error) {
	conf, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || len(raw) > maxPicture || conf.Width > maxSide || conf.Height > maxSide || conf.Width*conf.Height == 0 {
		return p, errPicture
	}
	var bare bytes.Buffer
	if err := compose.Photo(&bare, bytes.NewReader(raw)); err != nil {
		return p, errPicture
	}
	return store.Picture{ID: store.NewID(), Type: "image/" + kind, Content: bare.Bytes()}, nil
}

// pictureTag shows the picture in a signature, no wider than a letter has room for beside its words.
func pictureTag(p store.Picture) string {
	size := ""
	if conf, _, err := image.DecodeConfig(bytes.NewReader(p.Content)); err == nil {
		w, h := conf.Width, conf.Height
		if w > shownWidth {
			w, h = shownWidth, max(1, h*shownWidth/w)
		}
		if h > shownHeight {
			w, h = max(1, w*shownHeight/h), shownHeight
		}
		size = fmt.Sprintf(` width="%d" height="%d"`, w, h)
	}
	return `<img src="cid:` + p.ID + signedID + `" alt=""` + size + `>`
}
