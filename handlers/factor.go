package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/boombuler/barcode/qr"

	"restante/internal/seal"
	"restante/internal/store"
	"restante/templates"
)

// newFactor is a second factor that is being set up. Step is not 0 once a code of it was right.
type newFactor struct {
	Secret string   `json:"secret"`
	Step   int64    `json:"step,omitempty"`
	Codes  []string `json:"codes"`
}

const recoveryCodes = 10

func makeFactor() *newFactor {
	return &newFactor{Secret: seal.NewFactor(), Codes: seal.RecoveryCodes(recoveryCodes)}
}

// digests are the recovery codes as they are kept.
func digests(codes []string) (out []string) {
	for _, c := range codes {
		out = append(out, seal.CodeDigest(c))
	}
	return out
}

// shown is the factor as an app takes it: by its picture, or typed.
func (f *newFactor) shown(name, host string) *templates.Factor {
	key := f.Secret
	for i := len(key) - len(key)%4; i > 0; i -= 4 {
		if i < len(key) {
			key = key[:i] + " " + key[i:]
		}
	}
	uri := fmt.Sprintf("otpauth://totp/%s?secret=%s&issuer=%s", url.PathEscape("Restante "+host+":"+name), f.Secret, url.QueryEscape("Restante "+host))
	v := &templates.Factor{Key: key}
	v.QR, v.Size = qrPath(uri)
	if f.Step > 0 {
		v.Codes = f.Codes
	}
	return v
}

const quiet = 4 // modules of white around a QR code (ISO/IEC 18004)

// qrPath draws a QR code as the path of an SVG that is size units wide. "" if the text is too long for one.
func qrPath(text string) (path string, size int) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", 0
	}
	var b strings.Builder
	n := code.Bounds().Dx()
	for y := range n {
		for x := range n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return b.String(), n + 2*quiet
}

// accountPage is an admin's own: password and second factor.
func (s *Server) accountPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	page := s.accountOf(r, who)
	if who.kept.Codes != nil {
		page.Codes, who.kept.Codes = who.kept.Codes, nil
		if err := s.keepFor(r, who); err != nil {
			return err
		}
	}
	return s.ok(w, r, page)
}

func (s *Server) accountOf(r *http.Request, who *officer) templates.AdminAccount {
	page := templates.AdminAccount{AdminFrame: s.desk(r, who, "account", who.l.T("admin.account")), Has: len(who.TOTP) > 0}
	if f := who.kept.Factor; f != nil {
		page.Factor = f.shown(who.Name, r.Host)
	}
	return page
}

// saveAccount changes an admin's own password or second factor. Each change wants the password that is.
func (s *Server) saveAccount(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	refuse := func(fault string, err error) error {
		if err != nil {
			return err
		}
		page := s.accountOf(r, who)
		page.Problem = fault
		s.render(w, r, http.StatusUnprocessableEntity, page)
		return nil
	}
	action := r.PostFormValue("action")
	if action != "confirm" {
		if fault, err := s.again(r, who); err != nil || fault != "" {
			return refuse(fault, err)
		}
	}
	switch action {
	case "password":
		return s.newPassword(w, r, who, refuse)
	case "factor":
		who.kept.Factor = makeFactor()
		if err := s.keepFor(r, who); err != nil {
			return err
		}
		return seeOther(w, r, "/admin/account")
	case "confirm":
		return s.confirmFactor(w, r, who, refuse)
	}
	return badRequest("error.act")
}

func (s *Server) newPassword(w http.ResponseWriter, r *http.Request, who *officer, refuse func(string, error) error) error {
	password := r.PostFormValue("password")
	if why := seal.WeakPassword(password, who.Name); why != "" {
		return refuse(who.l.T("setup.weak."+why, "N", seal.MinPassword), nil)
	}
	if err := s.audit(r, who, "password", who.Name, "ok"); err != nil {
		return err
	}
	if err := s.store.SetAdminPassword(r.Context(), who.ID, seal.HashPassword(password)); err != nil {
		return err
	}
	setStrictCookie(w, s.adminCookie(), "") // this session has ended too
	return seeOther(w, r, "/admin/login")
}

func (s *Server) confirmFactor(w http.ResponseWriter, r *http.Request, who *officer, refuse func(string, error) error) error {
	f := who.kept.Factor
	if f == nil {
		return seeOther(w, r, "/admin/account")
	}
	step, ok := seal.CheckFactor(f.Secret, r.PostFormValue("code"), s.now(), 0)
	if !ok {
		return refuse(who.l.T("admin.wrongcode"), nil)
	}
	if err := s.audit(r, who, "factor", who.Name, "ok"); err != nil {
		return err
	}
	err := s.store.SetAdminFactor(r.Context(), who.ID, s.sealFactor(f.Secret), step, digests(f.Codes), who.session.Hash)
	if err != nil {
		return err
	}
	who.kept.Factor, who.kept.Codes = nil, f.Codes
	if err := s.say(r, who, who.l.T("admin.factor.set")); err != nil {
		return err
	}
	return seeOther(w, r, "/admin/account")
}

func (s *Server) sealFactor(secret string) []byte {
	return s.ring.Seal("admin-factor/1", "admins/totp", []byte(secret))
}

// desk is the furniture around an admin's page.
func (s *Server) desk(r *http.Request, who *officer, current, title string) templates.AdminFrame {
	f := templates.AdminFrame{Head: s.adminHead(r, who.l, title), Name: who.Name, NoFactor: len(who.TOTP) == 0 && current != "account" && current != "overview"} // which says it among what needs a hand
	for _, p := range []struct{ id, url, icon string }{
		{"overview", "/admin", "gauge"}, {"domains", "/admin/domains", "globe"}, {"people", "/admin/people", "users"}, {"sessions", "/admin/sessions", "monitor-smartphone"}, {"jobs", "/admin/jobs", "list-ordered"},
		{"limits", "/admin/limits", "shield"},
		{"site", "/admin/site", "server"}, {"audit", "/admin/audit", "scroll-text"}, {"health", "/admin/health", "activity"}, {"account", "/admin/account", "key-round"},
	} {
		f.Places = append(f.Places, templates.AdminPlace{Words: who.l.T("admin." + p.id), URL: p.url, Icon: p.icon, Current: p.id == current})
	}
	if who.kept.Said != "" {
		f.Said, who.kept.Said = who.kept.Said, ""
		if err := s.keepFor(r, who); err != nil && err != store.ErrNotFound {
			s.log.Warn("what was said could not be forgotten", "id", requestID(r), "err", err)
		}
	}
	return f
}
