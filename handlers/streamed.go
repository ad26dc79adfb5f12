package handlers

import (
	"bytes"
	"context"
	"iter"
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"restante/internal/i18n"
	"restante/mailclient/checkup"
	"restante/templates"
)

// streamed writes a page whose lines come one by one, each as soon as it is there: what stands before mark in the page,
// the lines in its place, and the rest. Nothing on the way may gather them, so the page is not compressed either.
func (s *Server) streamed(w http.ResponseWriter, r *http.Request, page templates.Page, mark string, lines iter.Seq[templates.TestLine]) error {
	var b bytes.Buffer
	if err := templates.Render(&b, page); err != nil {
		return err
	}
	before, after, _ := bytes.Cut(b.Bytes(), []byte(mark))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Accel-Buffering", "no")
	h.Set(gzhttp.HeaderNoCompression, "1")
	now := http.NewResponseController(w)
	if _, err := w.Write(before); err != nil {
		return nil // nobody reads it
	}
	_ = now.Flush()
	for line := range lines {
		if err := templates.RenderPart(w, page, "testline", line); err != nil {
			return nil
		}
		_ = now.Flush()
	}
	_, _ = w.Write(after)
	return nil
}

// tested tries the servers of a draft out, line by line. What came of it is in the draft, and kept, when the lines end,
// whoever reads them.
func (s *Server) tested(r *http.Request, d *domainDraft, o checkup.Options, l *i18n.Localizer, keep func(r *http.Request) error) iter.Seq[templates.TestLine] {
	return func(yield func(templates.TestLine) bool) {
		ctx, cancel := context.WithTimeout(r.Context(), testTime)
		defer cancel()
		d.Tested, d.Tester = nil, o.Address
		defer func() {
			if err := keep(r.WithContext(context.WithoutCancel(r.Context()))); err != nil {
				s.logProblem(r, problemOf(err))
				panic(http.ErrAbortHandler) // too late for a page: nothing is to look whole
			}
		}()
		for step := range checkup.Run(ctx, o) {
			step.Facts.Capabilities = nil // nobody reads them here
			d.Tested = append(d.Tested, step)
			for _, line := range testLines(l, []checkup.Step{step}) {
				if !yield(line) {
					return
				}
			}
		}
	}
}
