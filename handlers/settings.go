package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/i18n"
	"restante/internal/store"
	"restante/templates"
)

var settingsTabs = []string{"general", "identities", "templates", "accounts", "devices", "privacy"}

// choice is one select of the general settings: its allowed values, the first being the default.
type choice struct {
	name, words string
	values      []string
	get         func(*store.Settings) string
	set         func(*store.Settings, string)
}

func textChoice(name, words string, field func(*store.Settings) *string, values ...string) choice {
	return choice{name: name, words: words, values: values,
		get: func(v *store.Settings) string { return *field(v) },
		set: func(v *store.Settings, s string) { *field(v) = s }}
}

var choices = []choice{
	textChoice("language", "settings.language", func(v *store.Settings) *string { return &v.Language }, "", "en", "de"),
	textChoice("theme", "settings.theme", func(v *store.Settings) *string { return &v.Theme }, "", "light", "dark"),
	textChoice("density", "settings.density", func(v *store.Settings) *string { return &v.Density }, "", "roomy", "cosy", "compact"),
	textChoice("reading_pane", "settings.pane", func(v *store.Settings) *string { return &v.ReadingPane }, "", "none"),
	textChoice("images", "settings.images", func(v *store.Settings) *string { return &v.Images }, "", "always"),
	textChoice("letters", "settings.letters", func(v *store.Settings) *string { return &v.Letters }, "", "original"),
	textChoice("after_act", "settings.after", func(v *store.Settings) *string { return &v.AfterAct }, "", "list"),
	textChoice("mark_read", "settings.read", func(v *store.Settings) *string { return &v.MarkRead }, "", "later", "hand"),
	textChoice("receipts", "settings.receipts", func(v *store.Settings) *string { return &v.Receipts }, "", "never"),
	{name: "undo_seconds", words: "settings.undo", values: []string{"10", "0", "5", "20", "30", "60"},
		get: func(v *store.Settings) string {
			if v.Undo == nil {
				return ""
			}
			return strconv.Itoa(*v.Undo)
		},
		set: func(v *store.Settings, s string) { n, _ := strconv.Atoi(s); v.Undo = &n }},
}

// defaults are the words of the empty value of each choice.
var defaults = map[string]string{"language": "auto", "theme": "auto", "density": "auto", "reading_pane": "right", "images": "ask", "letters": "adapt", "after_act": "next", "mark_read": "open", "receipts": "ask"}

var checks = []struct {
	name, words string
	not         bool // the setting says the opposite
	field       func(*store.Settings) *bool
}{
	{"conversations", "settings.conversations", false, func(v *store.Settings) *bool { return &v.Conversations }},
	{"previews", "settings.previews", true, func(v *store.Settings) *bool { return &v.NoPreviews }},
	{"plain_text", "settings.plain", false, func(v *store.Settings) *bool { return &v.PlainText }},
	{"bare_photos", "settings.photos", true, func(v *store.Settings) *bool { return &v.WholePhotos }},
	{"answer_below", "settings.below", false, func(v *store.Settings) *bool { return &v.AnswerBelow }},
	{"nudges", "settings.nudges", true, func(v *store.Settings) *bool { return &v.NoNudges }},
	{"shortcuts", "settings.shortcuts", true, func(v *store.Settings) *bool { return &v.NoShortcuts }},
}

func (s *Server) settings(w http.ResponseWriter, r *http.Request, p *person) error {
	tab := chi.URLParam(r, "tab")
	if tab == "" {
		tab = "general"
	}
	if !slices.Contains(settingsTabs, tab) {
		return errNothingHere
	}
	return s.settingsPage(w, r, p, tab, nil)
}

// settingsPage shows a tab, with what is wrong about a form of it, if anything is.
func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request, p *person, tab string, bad *badForm) error {
	page := s.settingsFrame(r, p, tab)
	var err error
	switch tab {
	case "general":
		s.generalTab(p, &page)
	case "identities":
		err = s.identitiesTab(r, p, &page)
	case "templates":
		err = s.templatesTab(r, p, &page)
	case "accounts":
		s.accountsTab(p, &page, accountForm{})
	case "devices":
		err = s.devicesTab(r, p, &page)
	case "privacy":
		page.Trusted, err = s.store.TrustedSenders(r.Context(), p.User.ID)
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if bad != nil {
		status, page.Problem = http.StatusUnprocessableEntity, bad.words
	}
	s.render(w, r, status, page)
	return nil
}

// settingsFrame is a tab's page with nothing in it.
func (s *Server) settingsFrame(r *http.Request, p *person, tab string) templates.Settings {
	frame, _ := s.frame(r, p, "settings-page", p.L.T("nav.settings"), "")
	page := templates.Settings{Frame: frame, Tab: tab}
	for _, t := range settingsTabs {
		page.Tabs = append(page.Tabs, templates.Option{URL: "/settings/" + t, Words: p.L.T("settings.tab." + t), Current: t == tab})
	}
	return page
}

// badForm is a form of the settings that is shown again, with the words for it.
type badForm struct{ words string }

func (s *Server) generalTab(p *person, page *templates.Settings) {
	set := p.User.Settings
	page.S = templates.SettingsFields{Name: set.Name, TimeZone: set.TimeZone}
	page.ZoneNow, page.Zones = p.Zone.String(), zones
	for _, c := range choices {
		sel := templates.Select{Name: c.name, Words: p.L.T(c.words)}
		now := c.get(&set)
		for i, v := range c.values {
			sel.Options = append(sel.Options, templates.Option{Value: v, Words: s.choiceWords(p, c, v), Current: v == now || now == "" && i == 0})
		}
		page.Selects = append(page.Selects, sel)
	}
	for _, c := range checks {
		page.Checks = append(page.Checks, templates.Option{Value: c.name, Words: p.L.T(c.words), Current: *c.field(&set) != c.not})
	}
}

func (s *Server) choiceWords(p *person, c choice, value string) string {
	if c.name == "undo_seconds" {
		if value == "0" {
			return p.L.T("settings.undo.none")
		}
		n, _ := strconv.Atoi(value)
		return p.L.T("settings.undo.seconds", "N", n)
	}
	if value == "" {
		value = defaults[c.name]
	}
	return p.L.T(c.words + "." + value)
}

func (s *Server) devicesTab(r *http.Request, p *person, page *templates.Settings) error {
	rows, err := s.store.Sessions(r.Context(), p.User.ID)
	now := s.nowFor(p)
	for _, row := range rows {
		page.Devices = append(page.Devices, templates.Device{Key: row.Hash, Words: deviceWords(p, row.Device), This: row.Hash == p.Hash,
			When: p.L.T("devices.seen", "Time", p.L.Short(row.SeenAt.In(p.Zone), now)) + " · " + strings.TrimSuffix(row.Network, "/32")})
	}
	return err
}

func (s *Server) saveSettings(w http.ResponseWriter, r *http.Request, p *person) error {
	if chi.URLParam(r, "tab") == "identities" {
		return s.saveIdentities(w, r, p)
	}
	if err := parseForm(r); err != nil {
		return err
	}
	switch tab := chi.URLParam(r, "tab"); tab {
	case "general":
		return s.saveGeneral(w, r, p)
	case "templates":
		return s.saveTemplate(w, r, p)
	case "accounts":
		return s.saveAccounts(w, r, p)
	case "devices":
		return s.endDevices(w, r, p)
	case "privacy":
		addr := r.PostFormValue("distrust")
		if err := s.store.DistrustSender(r.Context(), p.User.ID, addr); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("privacy.removed", "Address", addr)})
		return seeOther(w, r, "/settings/privacy")
	case "folders": // told by a script when they are folded or unfolded
		set := p.User.Settings
		set.Folded = r.PostFormValue("folded") == "1"
		if err := s.store.SaveSettings(r.Context(), p.User.ID, set); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	case "moved":
		set := p.User.Settings
		set.KnowsMoved = p.Servers.Moved.UnixMilli()
		if err := s.store.SaveSettings(r.Context(), p.User.ID, set); err != nil {
			return err
		}
		return seeOther(w, r, r.PostFormValue("back"))
	case "zone": // told by a script, once a session
		zone := r.PostFormValue("zone")
		if loc, err := time.LoadLocation(zone); err != nil || loc == time.Local {
			return badRequest("settings.badzone")
		}
		s.sessions.Put(r.Context(), sessionZone, zone)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return errNothingHere
}

func (s *Server) saveGeneral(w http.ResponseWriter, r *http.Request, p *person) error {
	set := p.User.Settings
	set.Name = oneLine(r.PostFormValue("name"))
	set.TimeZone = strings.TrimSpace(r.PostFormValue("time_zone"))
	bad := func(key string) error {
		p.User.Settings = set
		return s.settingsPage(w, r, p, "general", &badForm{words: p.L.T(key)})
	}
	if len(set.Name) > 200 || strings.ContainsRune(set.Name, 0) {
		return bad("settings.badvalue")
	}
	if _, err := time.LoadLocation(set.TimeZone); err != nil || set.TimeZone == "Local" {
		return bad("settings.badzone")
	}
	for _, c := range choices {
		v := r.PostFormValue(c.name)
		if !r.PostForm.Has(c.name) {
			continue
		}
		if !slices.Contains(c.values, v) {
			return bad("settings.badvalue")
		}
		c.set(&set, v)
	}
	for _, c := range checks {
		*c.field(&set) = (r.PostFormValue(c.name) == "1") != c.not
	}
	if err := s.store.SaveSettings(r.Context(), p.User.ID, set); err != nil {
		return err
	}
	s.putFlash(r, flash{Words: i18n.For(set.Language, r.Header.Get("Accept-Language")).T("settings.saved")})
	return seeOther(w, r, "/settings/general")
}

// endDevices signs out one browser, or all others.
func (s *Server) endDevices(w http.ResponseWriter, r *http.Request, p *person) error {
	if r.PostFormValue("action") == "others" {
		if _, err := s.store.EndOtherSessions(r.Context(), p.User.ID, p.Hash); err != nil {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("devices.othersended")})
	} else {
		key := r.PostFormValue("session")
		if key == p.Hash {
			return s.logout(w, r)
		}
		if err := s.store.EndSession(r.Context(), p.User.ID, key); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.putFlash(r, flash{Words: p.L.T("devices.ended")})
	}
	s.hub.tell(p.User.ID, "session")
	return seeOther(w, r, "/settings/devices")
}

// exportSettings gives everything that is kept about a person, but for secrets and mail, as JSON.
func (s *Server) exportSettings(w http.ResponseWriter, r *http.Request, p *person) error {
	ctx := r.Context()
	ids, err := s.store.Identities(ctx, p.User.ID)
	if err != nil {
		return err
	}
	people, err := s.store.FindPeople(ctx, p.User.ID, nil, 10_000)
	if err != nil {
		return err
	}
	trusted, err := s.store.TrustedSenders(ctx, p.User.ID)
	if err != nil {
		return err
	}
	colours, err := s.store.KeptColours(ctx, p.User.ID)
	if err != nil {
		return err
	}
	items, err := s.store.Outbox(ctx, p.User.ID)
	if err != nil {
		return err
	}
	kept, err := s.contactsOf(ctx, p.User.ID, 0)
	if err != nil {
		return err
	}
	sources, err := s.store.Sources(ctx, p.User.ID)
	if err != nil {
		return err
	}
	canned, err := s.store.Templates(ctx, p.User.ID)
	if err != nil {
		return err
	}
	type source struct {
		Host, Username, Mailbox, Keep string
		Days                          int
	}
	var imports []source
	for _, o := range sources {
		imports = append(imports, source{o.Host, o.Username, o.Mailbox, string(o.Keep), o.Days})
	}
	type account struct{ Address, Username, Read, Send string }
	var accounts []account
	for _, a := range p.Accounts {
		servers, _ := s.queue.ServersOf(a)
		accounts = append(accounts, account{a.Address, a.Username, servers.IMAP.Host, servers.SMTP.Host})
	}
	type sent struct {
		Subject, State string
		Recipients     []string
		Created        time.Time
	}
	var outbox []sent
	for _, it := range items {
		outbox = append(outbox, sent{it.Subject, string(it.State), it.Recipients, it.Created})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", disposition("attachment", "restante-settings.json"))
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"version": 1, "address": p.User.Address, "settings": p.User.Settings, "accounts": accounts, "identities": ids, "templates": canned,
		"people": people, "contacts": kept, "imports": imports, "trusted_senders": trusted, "original_colours": colours, "outbox": outbox})
}

// trustSender lets the pictures of a sender be shown from now on, or their letters in the colours they were sent in.
func (s *Server) trustSender(w http.ResponseWriter, r *http.Request, p *person) error {
	if err := parseForm(r); err != nil {
		return err
	}
	sender := r.FormValue("sender")
	if a, err := mail.ParseAddress(sender); err != nil || a.Address != sender {
		return badRequest("error.badinput")
	}
	if r.PostFormValue("always") == "1" {
		if err := s.store.TrustSender(r.Context(), p.User.ID, sender); err != nil {
			return err
		}
	}
	if colours := r.PostFormValue("colours"); colours != "" {
		if err := s.store.KeepColours(r.Context(), p.User.ID, sender, colours == "original"); err != nil {
			return err
		}
	}
	return seeOther(w, r, r.PostFormValue("back"))
}

// zones are offered in the settings; any zone of the tz database is taken.
var zones = strings.Fields(`UTC Europe/Berlin Europe/Vienna Europe/Zurich Europe/London Europe/Dublin Europe/Lisbon Europe/Madrid Europe/Paris Europe/Brussels
	Europe/Amsterdam Europe/Rome Europe/Prague Europe/Warsaw Europe/Budapest Europe/Stockholm Europe/Oslo Europe/Copenhagen Europe/Helsinki Europe/Athens
	Europe/Bucharest Europe/Sofia Europe/Kyiv Europe/Istanbul Europe/Moscow Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi Asia/Jerusalem
	Asia/Dubai Asia/Tehran Asia/Karachi Asia/Kolkata Asia/Dhaka Asia/Bangkok Asia/Jakarta Asia/Shanghai Asia/Hong_Kong Asia/Singapore Asia/Manila Asia/Seoul
	Asia/Tokyo Australia/Perth Australia/Adelaide Australia/Sydney Pacific/Auckland America/Sao_Paulo America/Argentina/Buenos_Aires America/Halifax
	America/New_York America/Toronto America/Chicago America/Mexico_City America/Denver America/Phoenix America/Los_Angeles America/Anchorage Pacific/Honolulu`)
