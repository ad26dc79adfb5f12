package handlers

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	formBytes  = 8 << 20 // of a form without its files
	formFields = 10_000
)

// parseForm reads a form of either kind into r.PostForm and r.Form; a broken one is the sender's fault. What could
// be read of it stays there, for the page that says so. Files are passed over: who wants them reads the parts.
func parseForm(r *http.Request) error {
	if r.PostForm != nil {
		return nil
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := r.ParseForm(); err != nil {
			return formError(err)
		}
		return checkText(r.PostForm)
	}
	r.PostForm, r.Form = url.Values{}, r.URL.Query()
	mr, err := r.MultipartReader()
	if err != nil {
		return wrap(err, http.StatusBadRequest, "error.form")
	}
	err = readFields(mr, r.PostForm, formLimits{bytes: formBytes, fields: formFields}, func(part *multipart.Part) error {
		r.PostForm.Add("lost", unquoted.Replace(part.FileName()))
		_, err := io.Copy(io.Discard, part)
		return err
	})
	for name, values := range r.PostForm {
		r.Form[name] = append(append([]string{}, values...), r.Form[name]...)
	}
	if err != nil {
		return err
	}
	return checkText(r.PostForm)
}

type formLimits struct{ bytes, fields int }

var errFormTooLong = badRequest("compose.toolong")

// readFields reads the parts of a multipart form: fields into values, within bounds, each file by file.
func readFields(mr *multipart.Reader, values url.Values, most formLimits, file func(*multipart.Part) error) error {
	for n := 0; ; n++ {
		part, err := mr.NextPart()
		if err == io.EOF && n > 0 { // wrapped, it means that the form was cut off
			return nil
		}
		if err != nil {
			return formError(err)
		}
		if part.FileName() != "" {
			if err := file(part); err != nil {
				return formError(err)
			}
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(part, int64(most.bytes)+1))
		if most.bytes, most.fields = most.bytes-len(raw), most.fields-1; most.bytes < 0 || most.fields < 0 {
			return errFormTooLong
		}
		if len(raw) > 0 || err == nil {
			values.Add(part.FormName(), string(raw))
		}
		if err != nil {
			return formError(err)
		}
	}
}

// checkText refuses fields that are no text.
func checkText(v url.Values) error {
	for name, values := range v {
		if !isText(append(values, name)...) {
			return badRequest("error.badinput")
		}
	}
	return nil
}

// formError sorts what can go wrong while a form comes in.
func formError(err error) error {
	var tooLarge *http.MaxBytesError
	var p *Problem
	switch {
	case errors.As(err, &p):
		return err
	case errors.As(err, &tooLarge):
		return wrap(err, http.StatusRequestEntityTooLarge, "error.413")
	}
	return wrap(err, http.StatusBadRequest, "error.form")
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func atoi64(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func cutText(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
