package handlers

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/contacts"
	"restante/internal/limits"
	"restante/internal/store"
	"restante/mailclient/message"
	"restante/templates"
)

// contactFile is an uploaded file of contacts, as it waits for a decision: vCards that were read, or a table.
type contactFile struct {
	Read  *contacts.Read  `json:",omitempty"`
	Table *contacts.Table `json:",omitempty"`
	Done  *contactsTaken  `json:",omitempty"`
}

// contactsTaken is what came of it.
type contactsTaken struct{ Added, Merged, Skipped int }

const maxShownFaults = 200

func pathContactFile(id string) string { return "/contacts/import/" + id }

// importPage asks for a file.
func (s *Server) importPage(w http.ResponseWriter, r *http.Request, p *person) error {
	return s.importAsks(w, r, p, http.StatusOK, "")
}

func (s *Server) importAsks(w http.ResponseWriter, r *http.Request, p *person, status int, wrong string) error {
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	page.Import = &templates.ContactImport{Problem: wrong}
	page.Head.Title = p.L.T("contacts.import")
	s.render(w, r, status, page)
	return nil
}

// readContacts takes a file of contacts, reads it as it comes, and leads to its preview.
func (s *Server) readContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	mr, err := r.MultipartReader()
	if err != nil {
		return wrap(err, http.StatusBadRequest, "error.form")
	}
	var f contactFile
	name, bad := "", error(nil)
	err = readFields(mr, url.Values{}, formLimits{bytes: 1 << 20, fields: 100}, func(part *multipart.Part) error {
		if name != "" {
			_, err := io.Copy(io.Discard, part)
			return err
		}
		name = cutText(oneLine(part.FileName()), 200)
		if f, bad = readContactFile(part); bad != nil && !errors.Is(bad, contacts.ErrNoContacts) {
			return bad
		}
		_, err := io.Copy(io.Discard, part)
		return err
	})
	if err != nil {
		return err
	}
	if name == "" {
		return s.importAsks(w, r, p, http.StatusUnprocessableEntity, p.L.T("contacts.nofile"))
	}
	if bad != nil || f.Read != nil && len(f.Read.Contacts)+len(f.Read.Faults) == 0 {
		return s.importAsks(w, r, p, http.StatusUnprocessableEntity, p.L.T("contacts.notafile", "File", name))
	}
	return s.keepContactFile(w, r, p, name, f)
}

// keepContactFile keeps a file of contacts until it is decided about, and leads to its preview.
func (s *Server) keepContactFile(w http.ResponseWriter, r *http.Request, p *person, name string, f contactFile) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	id, err := s.store.KeepContactFile(r.Context(), p.User.ID, name, string(raw))
	if err != nil {
		return err
	}
	return seeOther(w, r, pathContactFile(id))
}

func readContactFile(in io.Reader) (f contactFile, err error) {
	b := bufio.NewReader(in)
	head, _ := b.Peek(64)
	if contacts.IsVCard(head) {
		read, err := contacts.ReadVCards(b)
		f.Read = &read
		return f, err
	}
	table, err := contacts.ReadTable(b)
	f.Table = &table
	return f, err
}

// contactFileOf is the file that the path names.
func (s *Server) contactFileOf(r *http.Request, p *person) (id, name string, f contactFile, err error) {
	id = chi.URLParam(r, "file")
	name, data, err := s.store.ContactFile(r.Context(), p.User.ID, id)
	if err == nil {
		err = json.Unmarshal([]byte(data), &f)
	}
	return id, name, f, err
}

// people are the contacts of a file; columns says what each column of a table means.
func (f contactFile) people(columns []string) contacts.Read {
	if f.Read != nil {
		return *f.Read
	}
	return f.Table.Contacts(columns)
}

// columnsOf are the meanings that a form gives to the columns, by default those that their names tell.
func (f contactFile) columnsOf(v url.Values) []string {
	if f.Table == nil {
		return nil
	}
	guess := f.Table.Guess()
	for i, c := range v["column"] {
		if i < len(guess) && slices.Contains(contacts.Fields, c) {
			guess[i] = c
		}
	}
	return guess
}

// twin is who a contact of a file is already: a kept one, by its place in rows, or an earlier one of the file. -1 is nobody.
type twin struct{ row, earlier int }

var nobody = twin{-1, -1}

// twins finds, for each contact of a file, who it is already.
func twins(list []contacts.Contact, rows []store.Contact) []twin {
	at := map[string]twin{}
	note := func(keys []string, who twin) {
		for _, k := range keys {
			if _, ok := at[k]; !ok {
				at[k] = who
			}
		}
	}
	for i, row := range rows {
		note(cardOf(row).Keys(), twin{i, -1})
	}
	out := make([]twin, len(list))
	for i, c := range list {
		out[i] = nobody
		for _, k := range c.Keys() {
			if who, ok := at[k]; ok && (out[i] == nobody || who.row >= 0) { // one that is kept before one of the file
				out[i] = who
			}
		}
		if out[i] == nobody {
			note(c.Keys(), twin{-1, i})
		} else {
			note(c.Keys(), out[i])
		}
	}
	return out
}

// previewContacts shows what is in a file before anything of it is kept.
func (s *Server) previewContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	id, name, f, err := s.contactFileOf(r, p)
	if err != nil {
		return err
	}
	page, err := s.contactsPage(r, p)
	if err != nil {
		return err
	}
	v := &templates.ContactImport{File: name, URL: pathContactFile(id)}
	columns := f.columnsOf(r.URL.Query())
	read := f.people(columns)
	v.CountWords = p.L.T("contacts.found", "N", len(read.Contacts), "File", name)
	s.importFaults(p, v, read)
	if f.Done != nil {
		v.Done = true
		v.CountWords = p.L.T("contacts.taken", "N", f.Done.Added, "Merged", f.Done.Merged, "Skipped", f.Done.Skipped)
	} else if err := s.importPreview(r, p, v, f, columns, read); err != nil {
		return err
	}
	page.Import = v
	page.Head.Title = p.L.T("contacts.import")
	return s.ok(w, r, page)
}

func (s *Server) importFaults(p *person, v *templates.ContactImport, read contacts.Read) {
	for i, fault := range read.Faults {
		if i == maxShownFaults {
			v.Faults = append(v.Faults, p.L.T("contacts.morefaults", "N", len(read.Faults)-i))
			break
		}
		v.Faults = append(v.Faults, p.L.T("contacts.fault", "Line", strconv.Itoa(fault.Line))+" "+p.L.T("contacts.fault."+fault.Kind, "Text", fault.Text))
	}
	if read.Pictures > 0 {
		v.Pictures = p.L.T("contacts.pictures", "N", read.Pictures)
	}
}

func (s *Server) importPreview(r *http.Request, p *person, v *templates.ContactImport, f contactFile, columns []string, read contacts.Read) error {
	if f.Table != nil {
		for i, head := range f.Table.Head {
			c := templates.ContactColumn{Key: strconv.Itoa(i), Head: head}
			for _, row := range f.Table.Rows {
				if i < len(row) && row[i] != "" {
					c.Sample = cutText(row[i], 60)
					break
				}
			}
			for _, field := range contacts.Fields {
				c.Fields = append(c.Fields, templates.Option{Value: field, Words: p.L.T("contacts.column." + cmp.Or(field, "none")), Current: columns[i] == field})
			}
			v.Columns = append(v.Columns, c)
		}
	}
	for i, c := range read.Contacts {
		if i == 5 {
			break
		}
		v.Sample = append(v.Sample, templates.ContactRow{Name: c.Shown(), Line: strings.Join(append(reachedBy(c), c.Groups...), ", "), Initials: initials(c.Shown(), ""), Hue: hue(c.Shown())})
	}
	rows, _, err := s.store.Contacts(r.Context(), p.User.ID, store.ContactQuery{})
	if err != nil {
		return err
	}
	const most = 100
	sets := []struct {
		words string
		pairs []templates.ContactPair
	}{{words: "contacts.alreadythere"}, {words: "contacts.twiceinfile"}}
	for i, who := range twins(read.Contacts, rows) {
		pair := templates.ContactPair{Key: strconv.Itoa(i), Name: read.Contacts[i].Shown()}
		switch {
		case who.row >= 0:
			pair.Have, pair.URL = rows[who.row].Name, pathContact(rows[who.row].ID)
			sets[0].pairs = append(sets[0].pairs, pair)
		case who.earlier >= 0:
			pair.Have = p.L.T("contacts.twin", "Name", read.Contacts[who.earlier].Shown(), "Line", strconv.Itoa(read.Lines[who.earlier]))
			sets[1].pairs = append(sets[1].pairs, pair)
		}
	}
	for _, set := range sets {
		if n := len(set.pairs); n > 0 {
			told := templates.ContactTwins{Words: p.L.T(set.words, "N", n), Pairs: set.pairs[:min(n, most)]}
			if n > most {
				told.More = p.L.T("contacts.moredoubles", "N", n-most)
			}
			v.Doubles = append(v.Doubles, told)
		}
	}
	v.CanTake = len(read.Contacts) > 0
	return nil
}

// takeContacts keeps the contacts of a file, or forgets it.
func (s *Server) takeContacts(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	id, name, f, err := s.contactFileOf(r, p)
	if err != nil {
		return err
	}
	if r.PostFormValue("action") == "drop" {
		if err := s.store.DropContactFile(r.Context(), p.User.ID, id); err != nil {
			return err
		}
		return seeOther(w, r, "/contacts/import")
	}
	if r.PostFormValue("action") == "columns" {
		return seeOther(w, r, with(pathContactFile(id), url.Values{"column": f.columnsOf(r.PostForm)}))
	}
	if f.Done != nil {
		return seeOther(w, r, pathContactFile(id))
	}
	ch, taken, err := s.changeOf(r, p, f)
	if err != nil {
		return err
	}
	ch.Most = s.bounds.Of(p.User.Address, limits.Contacts)
	ids, before, err := s.store.ChangeContacts(r.Context(), p.User.ID, ch)
	if errors.Is(err, store.ErrTooMany) {
		s.putFlash(r, flash{Words: p.L.T("contacts.toomany", "N", ch.Most), Failed: true})
		return seeOther(w, r, pathContactFile(id))
	}
	if err != nil {
		return err
	}
	u := &undoContacts{Restore: before}
	for i, saved := range ids {
		if ch.Save[i].ID == 0 {
			u.Remove = append(u.Remove, saved)
		}
	}
	f.Done = &taken
	raw, err := json.Marshal(f)
	if err == nil {
		err = s.store.SaveContactFile(r.Context(), p.User.ID, id, string(raw))
	}
	if err != nil {
		return fmt.Errorf("contacts of %s: %w", name, err)
	}
	s.putFlash(r, s.undoable(r, p, "contacts", p.L.T("contacts.done.taken", "N", len(ids)), undoStep{Contacts: u}))
	return seeOther(w, r, pathContactFile(id))
}

// changeOf is the change that keeps the contacts of a file, as the form wants it: "double-N" says what becomes of the
// N-th when it is kept already: merge (also when nothing is said), skip, or both.
func (s *Server) changeOf(r *http.Request, p *person, f contactFile) (ch store.ContactChange, taken contactsTaken, err error) {
	read := f.people(f.columnsOf(r.PostForm))
	rows, _, err := s.store.Contacts(r.Context(), p.User.ID, store.ContactQuery{})
	if err != nil {
		return ch, taken, err
	}
	groups := map[string]int64{}
	groupOf := func(name string) (int64, error) {
		name = groupName(name)
		if name == "" {
			return 0, nil
		}
		if id, ok := groups[name]; ok {
			return id, nil
		}
		id, err := s.store.MakeGroup(r.Context(), p.User.ID, name, message.Fold(name))
		if errors.Is(err, store.ErrTooMany) {
			id, err = 0, nil // they are kept without it
		}
		groups[name] = id
		return id, err
	}
	at := map[twin]int{} // where in ch.Save they are
	for i, who := range twins(read.Contacts, rows) {
		c := read.Contacts[i]
		row := store.Contact{}
		what := r.PostFormValue("double-" + strconv.Itoa(i))
		j, there := -1, false
		switch {
		case who == nobody || what == "both":
			taken.Added++
			if who == nobody {
				at[twin{-1, i}] = len(ch.Save)
			}
		case what == "skip":
			taken.Skipped++
			continue
		default:
			taken.Merged++
			if j, there = at[who]; there {
				row = ch.Save[j]
			} else if row, err = s.store.Contact(r.Context(), p.User.ID, rows[who.row].ID); err != nil {
				return ch, taken, err
			}
			if !there {
				at[who] = len(ch.Save)
			}
			names := c.Groups
			c = contacts.Merge(cardOf(row), c)
			c.Groups = names
		}
		members := slices.Clone(row.Groups)
		if r.PostFormValue("groups") == "1" {
			for _, name := range c.Groups {
				if members, err = addGroup(members, groupOf, name); err != nil {
					return ch, taken, err
				}
			}
		}
		if members, err = addGroup(members, groupOf, r.PostFormValue("newgroup")); err != nil {
			return ch, taken, err
		}
		saved := contactRow(row.ID, c, members)
		if there {
			ch.Save[j] = saved
			continue
		}
		ch.Save = append(ch.Save, saved)
	}
	return ch, taken, nil
}

func addGroup(members []int64, of func(string) (int64, error), name string) ([]int64, error) {
	id, err := of(name)
	if err == nil && id != 0 && !slices.Contains(members, id) {
		members = append(members, id)
	}
	return members, err
}
