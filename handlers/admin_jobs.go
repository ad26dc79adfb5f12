package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"restante/internal/i18n"
	"restante/internal/jobs"
	"restante/internal/store"
	"restante/templates"
)

const (
	jobsShown    = 50
	troubleShown = 50
)

// jobTask is the kind of what the program does for itself: shown where it has ended in an error.
const jobTask store.JobKind = "task"

var (
	jobKinds  = []store.JobKind{store.JobSend, store.JobImport, store.JobWork, jobTask}
	jobStages = []store.JobStage{store.JobFailed, store.JobRunning, store.JobWaiting, store.JobPaused}
)

// jobsAsked is what the address of the list of jobs asks for.
type jobsAsked struct {
	kind  store.JobKind
	stage store.JobStage
	page  int // from 1
}

func jobsAskedBy(q url.Values) (a jobsAsked) {
	a.page = min(max(1, atoi(q.Get("page"))), 100_000)
	if v := store.JobKind(q.Get("kind")); slices.Contains(jobKinds, v) {
		a.kind = v
	}
	if v := store.JobStage(q.Get("state")); slices.Contains(jobStages, v) {
		a.stage = v
	}
	return a
}

// tasks says whether tasks of the program belong to what is asked for. They stand before the others.
func (a jobsAsked) tasks() bool {
	return a.page == 1 && (a.kind == "" || a.kind == jobTask) && (a.stage == "" || a.stage == store.JobFailed)
}

// jobsPage lists what goes on behind the pages: mails on their way, imports, acts on many mails, and what has failed of
// the program itself.
func (s *Server) jobsPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	ctx, l, q := r.Context(), who.l, r.URL.Query()
	ask := jobsAskedBy(q)
	site, err := s.store.Site(ctx)
	if err != nil {
		return err
	}
	page := templates.AdminJobs{AdminFrame: s.desk(r, who, "jobs", l.T("admin.jobs")), Here: with("/admin/jobs", q),
		Imports: ask.kind == "" || ask.kind == store.JobImport, Held: site[store.SiteImportsHeld] != ""}
	if page.Kinds, page.Stages, err = s.jobFilters(ctx, l, ask); err != nil {
		return err
	}
	if ask.tasks() {
		if page.Jobs, err = s.taskRows(ctx, l); err != nil {
			return err
		}
	}
	if ask.kind == jobTask {
		return s.ok(w, r, page)
	}
	list, err := s.store.Jobs(ctx, store.JobQuery{Stage: ask.stage, Kind: ask.kind, Skip: (ask.page - 1) * jobsShown, N: jobsShown + 1})
	if err != nil {
		return err
	}
	if len(list) > jobsShown {
		list, page.More = list[:jobsShown], with("/admin/jobs", q, "page", strconv.Itoa(ask.page+1))
	}
	if ask.page > 1 {
		page.Before = with("/admin/jobs", q, "page", strconv.Itoa(ask.page-1))
	}
	for _, j := range list {
		page.Jobs = append(page.Jobs, jobRow(l, j))
	}
	return s.ok(w, r, page)
}

// jobFilters are the choices of kinds, and of stages with how many there are.
func (s *Server) jobFilters(ctx context.Context, l *i18n.Localizer, ask jobsAsked) (kinds, stages []templates.Option, err error) {
	counts, err := s.store.JobCounts(ctx)
	if err != nil {
		return nil, nil, err
	}
	kinds = []templates.Option{{Words: l.T("jobs.kind.all"), Current: ask.kind == ""}}
	for _, k := range jobKinds {
		kinds = append(kinds, templates.Option{Value: string(k), Words: l.T("jobs.kind." + string(k)), Current: k == ask.kind})
	}
	stages = []templates.Option{{Words: l.T("jobs.stage.all"), Current: ask.stage == ""}}
	for _, v := range jobStages {
		stages = append(stages, templates.Option{Value: string(v), Words: l.T("jobs.stage."+string(v)) + " (" + l.Number(counts[v]) + ")", Current: v == ask.stage})
	}
	return kinds, stages, nil
}

func pathJob(kind store.JobKind, id int64) string {
	return "/admin/jobs/" + string(kind) + "/" + strconv.FormatInt(id, 10)
}

// jobState is how a job is: bad where something is to be mended, warn where it waits for its person, or too long.
func jobState(j store.Job) string {
	theirs := j.Kind == store.JobSend && j.State != string(store.Config) || j.Kind == store.JobWork
	switch {
	case j.Stage == store.JobFailed && !theirs:
		return "bad"
	case j.Stage == store.JobFailed, j.Stage == store.JobPaused, j.State == string(store.Waiting) && j.Kind == store.JobSend:
		return "warn"
	}
	return "ok"
}

// jobRow is a job in words.
func jobRow(l *i18n.Localizer, j store.Job) templates.AdminJob {
	v := templates.AdminJob{State: jobState(j), Title: jobTitle(l, j), URL: pathJob(j.Kind, j.ID), Said: j.ServerText}
	switch j.Kind {
	case store.JobSend:
		v.Words = sendWords(l, j)
		v.Lines = []string{l.T("jobs.recipients", "N", j.People), l.Size(j.Size)}
	case store.JobImport:
		v.Words = importWords(l, j)
		v.Lines = []string{l.T("jobs.every", "N", int(j.Every/time.Minute))}
	case store.JobWork:
		v.Words = l.T("jobs.work."+j.State, "N", j.Total, "At", l.Number(j.At))
	}
	if j.Locked && j.Stage == store.JobPaused {
		v.Words = l.T("jobs.locked")
	}
	if j.Tries > 0 {
		v.Lines = append(v.Lines, l.T("jobs.tries", "N", j.Tries))
	}
	v.Lines = append(v.Lines, l.T("jobs.since", "Date", stamp(j.Created)), "#"+strconv.FormatInt(j.ID, 10))
	v.Retry = retryable(j)
	if droppable(j) {
		v.DropURL = v.URL + "/drop"
	}
	v.Pause, v.Resume = j.Kind == store.JobImport && !j.Held, j.Kind == store.JobImport && j.Held
	return v
}

func jobTitle(l *i18n.Localizer, j store.Job) string {
	return l.T("jobs.title."+string(j.Kind), "Address", j.Address, "Host", j.Server)
}

// retryable says whether an admin may have a job done at once: what was refused, or was perhaps sent, is for its writer to
// decide, and who held a mail back meant it.
func retryable(j store.Job) bool {
	switch {
	case j.Locked:
		return false
	case j.Kind == store.JobSend:
		return j.State == string(store.Waiting) || j.State == string(store.Config) || j.State == string(store.Rejected) && j.Problem == store.StoppedByAdmin
	case j.Kind == store.JobImport:
		return !j.Held && !j.Paused && j.Stage != store.JobRunning && j.Stage != store.JobPaused
	}
	return false
}

// droppable says whether an admin may take a job away. An import is its person's: it can be paused.
func droppable(j store.Job) bool {
	switch j.Kind {
	case store.JobSend:
		return j.State == string(store.Held) || j.State == string(store.Waiting)
	case store.JobWork:
		return j.State == string(store.WorkWaiting) || j.State == string(store.WorkRunning)
	}
	return false
}

func sendWords(l *i18n.Localizer, j store.Job) string {
	if j.Problem == store.StoppedByAdmin {
		return l.T("jobs.send.stopped")
	}
	if j.State == string(store.Waiting) && j.NextAt.IsZero() {
		return l.T("jobs.send.due")
	}
	return l.T("jobs.send."+j.State, "Date", stamp(j.NextAt), "Host", j.Server)
}

func importWords(l *i18n.Localizer, j store.Job) string {
	switch {
	case j.Stage == store.JobFailed && j.Paused:
		return l.T("imports.outcome."+j.Problem) + " " + l.T("jobs.import.theirs")
	case j.Stage == store.JobFailed:
		return l.T("imports.outcome."+j.Problem) + " " + l.T("jobs.import.again", "Date", stamp(j.NextAt))
	case j.Stage == store.JobPaused && j.Paused && !j.Held:
		return l.T("jobs.import.resting")
	case j.Stage == store.JobPaused:
		return l.T("jobs.import.held")
	case j.Stage == store.JobRunning:
		return l.T("jobs.import.running")
	case j.NextAt.IsZero():
		return l.T("jobs.import.now")
	}
	return l.T("jobs.import.waiting", "Date", stamp(j.NextAt))
}

// taskRows are the tasks of the program that have failed.
func (s *Server) taskRows(ctx context.Context, l *i18n.Localizer) (out []templates.AdminJob, err error) {
	list, err := s.queue.Troubles(ctx, troubleShown)
	for _, t := range list {
		v := templates.AdminJob{State: "warn", Title: taskTitle(l, t), URL: pathJob(jobTask, t.ID), Retry: true, Said: t.Words, Words: l.T("jobs.task.again", "Date", stamp(t.Next)),
			Lines: []string{l.T("jobs.tries", "N", t.Tries), l.T("jobs.since", "Date", stamp(t.Last)), "#" + strconv.FormatInt(t.ID, 10)}}
		switch {
		case t.GaveUp && t.Woken:
			v.Words = l.T("jobs.task.taken")
		case t.GaveUp:
			v.State, v.Words = "bad", l.T("jobs.task.gaveup")
		}
		v.DropURL = v.URL + "/drop"
		out = append(out, v)
	}
	return out, err
}

func taskTitle(l *i18n.Localizer, t jobs.Trouble) string {
	if key := "jobs.task.of." + t.Task; i18n.Knows(key) {
		return l.T(key)
	}
	return t.Task
}

// jobOf is the job in the path, with its row.
func (s *Server) jobOf(r *http.Request, l *i18n.Localizer) (j store.Job, row templates.AdminJob, err error) {
	id, err := idParam(r, "job")
	if err != nil {
		return j, row, err
	}
	kind := store.JobKind(chi.URLParam(r, "kind"))
	if kind != jobTask {
		j, err = s.store.Job(r.Context(), kind, id)
		return j, jobRow(l, j), err
	}
	list, err := s.taskRows(r.Context(), l)
	if err != nil {
		return j, row, err
	}
	at := slices.IndexFunc(list, func(v templates.AdminJob) bool { return v.URL == pathJob(jobTask, id) })
	if at < 0 {
		return j, row, store.ErrNotFound
	}
	return store.Job{Kind: jobTask, ID: id}, list[at], nil
}

// dropPage asks before a job is taken away, and says what is lost by it and what is not.
func (s *Server) dropPage(w http.ResponseWriter, r *http.Request, who *officer) error {
	j, row, err := s.jobOf(r, who.l)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.DropURL == "" {
		return s.tooLateFor(w, r, who)
	}
	if err != nil {
		return err
	}
	return s.ok(w, r, templates.AdminDrop{AdminFrame: s.desk(r, who, "jobs", who.l.T("jobs.drop.title")), Job: row, FormURL: row.URL,
		Lost: who.l.T("jobs.drop." + string(j.Kind)), Kept: who.l.T("jobs.drop.kept." + string(j.Kind)), Back: adminPath(r.URL.Query().Get("back"))})
}

// tooLateFor says that a job has gone on meanwhile.
func (s *Server) tooLateFor(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := s.say(r, who, who.l.T("jobs.toolate")); err != nil {
		return err
	}
	return seeOther(w, r, "/admin/jobs")
}

// jobAct is what an admin does to a job: how the audit calls it, what is said then, and the act itself.
type jobAct struct {
	verb, words string
	do          func(ctx context.Context) error
}

// actOnJob has a job done at once, takes it away, pauses an import or lets it go on.
func (s *Server) actOnJob(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	j, row, err := s.jobOf(r, who.l)
	if errors.Is(err, store.ErrNotFound) {
		return s.tooLateFor(w, r, who)
	}
	if err != nil {
		return err
	}
	act, ok := s.jobActs(j)[r.PostFormValue("action")]
	if !ok {
		return badRequest("error.act")
	}
	if err := s.audit(r, who, act.verb, string(j.Kind)+" "+strconv.FormatInt(j.ID, 10)+" "+j.Address, "ok"); err != nil {
		return err
	}
	if err := act.do(r.Context()); errors.Is(err, store.ErrNotFound) {
		return s.tooLateFor(w, r, who)
	} else if err != nil {
		return err
	}
	if err := s.say(r, who, who.l.T(act.words, "Job", row.Title)); err != nil {
		return err
	}
	return seeOther(w, r, jobsPath(r.PostFormValue("back")))
}

// jobsPath is where an act on a job leads back to.
func jobsPath(back string) string {
	if path := adminPath(back); path != "/admin" {
		return path
	}
	return "/admin/jobs"
}

// jobActs are the acts on a job. Whether its state still allows one is decided where it is changed.
func (s *Server) jobActs(j store.Job) map[string]jobAct {
	switch j.Kind {
	case store.JobSend:
		return map[string]jobAct{
			"retry": {"job-retry", "jobs.done.retry", func(ctx context.Context) error { return s.queue.RetrySend(ctx, j.ID) }},
			"drop":  {"job-drop", "jobs.done.drop.send", func(ctx context.Context) error { return s.queue.StopSend(ctx, j.ID) }},
		}
	case store.JobImport:
		acts := map[string]jobAct{
			"pause":  {"import-pause", "jobs.done.pause", func(ctx context.Context) error { return s.queue.HoldImport(ctx, j.UserID, j.ID, true) }},
			"resume": {"import-resume", "jobs.done.resume", func(ctx context.Context) error { return s.queue.HoldImport(ctx, j.UserID, j.ID, false) }},
		}
		if retryable(j) {
			acts["retry"] = jobAct{"job-retry", "jobs.done.retry", func(ctx context.Context) error { return s.queue.RunSource(ctx, j.UserID, j.ID) }}
		}
		return acts
	case store.JobWork:
		return map[string]jobAct{"drop": {"job-drop", "jobs.done.drop.work", func(ctx context.Context) error { return s.queue.StopWork(ctx, j.UserID, j.ID) }}}
	}
	return map[string]jobAct{
		"retry": {"job-retry", "jobs.done.retry", func(ctx context.Context) error { return s.queue.RetryTask(ctx, j.ID) }},
		"drop":  {"job-drop", "jobs.done.drop.task", func(ctx context.Context) error { return s.queue.DropTask(ctx, j.ID) }},
	}
}

// actOnImports pauses all imports, or lets them go on.
func (s *Server) actOnImports(w http.ResponseWriter, r *http.Request, who *officer) error {
	if err := parseForm(r); err != nil {
		return err
	}
	verbs := map[string]string{"pause": "imports-pause", "resume": "imports-resume"}
	action := r.PostFormValue("action")
	verb, ok := verbs[action]
	if !ok {
		return badRequest("error.act")
	}
	if err := s.audit(r, who, verb, "", "ok"); err != nil {
		return err
	}
	if err := s.queue.HoldImports(r.Context(), action == "pause"); err != nil {
		return err
	}
	if err := s.say(r, who, who.l.T("jobs.done.all."+action)); err != nil {
		return err
	}
	return seeOther(w, r, jobsPath(r.PostFormValue("back")))
}
