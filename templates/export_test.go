package templates

import (
	"html/template"
	"io"
)

// RenderUnfolded is Render with templates as they were written.
func RenderUnfolded(w io.Writer, p Page) error {
	s, err := read(p.(Localised).localizer(), func(*template.Template) {})
	if err != nil {
		return err
	}
	return s.ExecuteTemplate(w, p.template(), p)
}
