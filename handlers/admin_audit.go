package handlers

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"restante/internal/store"
	"restante/templates"
)

const (
	auditShown    = 100
	auditExported = 100_000
)

// auditVerbs are all that is noted, in the order in which a filter offers them.
var auditVerbs = []string{"sign-in", "sign-in-wrong", "sign-out", "recovery-code", "password", "factor", "domain-save", "domain-ask", "domain-agree", "domain-refuse", "domain-delete", "site", "limit", "senders", "sender-add", "sender-remove", "user-sign-out", "user-lock", "user-unlock", "user-release", "user-remove", "session-end", "job-retry", "job-drop", "import-pause", "import-resume", "imports-pause", "imports-resume", "audit-export", "admin-create", "admin-reset", "admin-known", "setup-begin", "setup-finish"}

func auditQuery(q url.Values) store.AuditQuery {
	v := store.AuditQuery{Words: cutText(q.Get("q"), 200), Before: max(0, atoi64(q.Get("before"))), N: auditShown + 1}
	if slices.Contains(auditVerbs, q.Get("verb")) {
		v.Verb = q.Get("verb")
	}
	return v
}

// auditPage lists what was done.
func (s *Server) auditPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	q := r.URL.Query()
	ask := auditQuery(q)
	rows, err := s.store.Audit(r.Context(), ask)
	if err != nil {
		return err
	}
	broken, err := s.store.CheckAudit(r.Context())
	if err != nil {
		return err
	}
	l := who.l
	page := templates.AdminAudit{AdminFrame: s.desk(r, who, "audit", l.T("admin.audit")), Query: ask.Words, Broken: broken > 0, Chain: l.T("audit.whole"), CSV: with("/admin/audit.csv", q, "before", "")}
	if broken > 0 {
		page.Chain = l.T("audit.broken", "Row", broken)
	}
	page.Verbs = append(page.Verbs, templates.Option{Words: l.T("audit.all"), Current: ask.Verb == ""})
	for _, v := range auditVerbs {
		page.Verbs = append(page.Verbs, templates.Option{Value: v, Words: l.T("audit.verb." + v), Current: v == ask.Verb})
	}
	if len(rows) > auditShown {
		rows = rows[:auditShown]
		page.More = with("/admin/audit", q, "before", strconv.FormatInt(rows[auditShown-1].ID, 10))
	}
	for _, v := range rows {
		page.Rows = append(page.Rows, templates.AuditRow{When: stamp(v.At), Who: v.Who, What: l.T("audit.verb." + v.Verb), Object: v.Object, Network: shownBlock(v.Network)})
	}
	return s.ok(w, r, page)
}

// auditFile is the audit as a table. What a spreadsheet would take for a formula is not one.
func (s *Server) auditFile(w http.ResponseWriter, r *http.Request) {
	who, _ := r.Context().Value(officerKey{}).(*officer)
	s.setHeaders(w, classDownload)
	if who == nil {
		s.fail(w, r, errSignedOut)
		return
	}
	ask := auditQuery(r.URL.Query())
	ask.N = auditExported
	rows, err := s.store.Audit(r.Context(), ask)
	if err == nil {
		err = s.audit(r, who, "audit-export", "", "ok")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="restante-audit.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "time", "who", "what", "object", "network", "result", "session", "chain"})
	for _, v := range rows {
		_ = out.Write([]string{strconv.FormatInt(v.ID, 10), v.At.UTC().Format(time.RFC3339Nano), noFormula(v.Who), v.Verb, noFormula(v.Object), v.Network, v.Result, v.Session, v.Chain})
	}
	out.Flush()
}

func noFormula(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
