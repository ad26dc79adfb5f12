package handlers

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"restante/internal/jobs"
	"restante/internal/store"
	"restante/mailclient"
	"restante/mailclient/pop3"
	"restante/templates"
)

// sourceView is a source as its card tells of it.
func (s *Server) sourceView(r *http.Request, p *person, o store.Source, boxes []mailclient.Mailbox) (templates.Source, error) {
	ctx := r.Context()
	counts, err := s.store.SourceCounts(ctx, p.User.ID, o.ID)
	if err != nil {
		return templates.Source{}, err
	}
	runs, err := s.store.Runs(ctx, p.User.ID, o.ID, 10)
	if err != nil {
		return templates.Source{}, err
	}
	v := templates.Source{
		ID: o.ID, Name: o.Username, Host: o.Host, Server: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), ActionURL: pathSource(o.ID), Paused: o.Paused, Held: o.Held,
		Keeps: keepOptions(p, string(o.Keep)), Days: strconv.Itoa(max(o.Days, 1)), Once: o.Once, MarkRead: o.MarkRead, APOP: o.APOP, Port: strconv.Itoa(o.Port), Securities: securityOptions(p, typedSecurity(o.Security)),
		ServerSaid: o.ServerText,
	}
	if o.Keep != store.KeepDays {
		v.Days = freshSource.days
	}
	v.Mailboxes = mailboxOptions(p, boxes, o.Mailbox, false)
	if !slices.ContainsFunc(v.Mailboxes, func(m templates.Option) bool { return m.Current }) {
		v.Mailboxes = append(v.Mailboxes, templates.Option{Value: o.Mailbox, Words: o.Mailbox, Current: true})
	}
	s.sourceState(p, &v, o, counts, runs)
	v.AskPassword = o.Problem == string(pop3.WrongLogin) || o.Problem == string(pop3.UnclearLogin)
	if at, ok := s.providerOfSource(o.Username, o.Host); ok && o.TokenID != 0 {
		v.Provider = p.L.T("login.provider", "Provider", providerName(at.OAuth))
	}
	if o.Keep != store.KeepAll {
		v.Deletions = p.L.T("imports.started."+string(o.Keep), "N", o.Days)
		if n, err := s.store.CountDeletions(ctx, p.User.ID, o.ID, o.Keep, o.Days); err == nil && n > 0 {
			v.Deletions = p.L.T("imports.deletions", "N", n, "Host", o.Host)
		}
	}
	if o.NoUIDL && o.Keep == store.KeepAll {
		v.Costly = p.L.T("imports.nouidl", "Host", o.Host)
	}
	for _, run := range runs {
		v.History = append(v.History, templates.SourceRun{When: p.L.Short(run.Started.In(p.Zone), s.nowFor(p)), Words: runWords(p, run), ServerSaid: run.ServerText})
	}
	if counts.Failed > 0 {
		v.FailedWords = p.L.T("imports.failed", "N", counts.Failed)
		v.Failed, err = s.failedMails(ctx, p, o.ID)
	}
	return v, err
}

// failedMails are mails that were not brought over, the newest of many.
func (s *Server) failedMails(ctx context.Context, p *person, source int64) (out []templates.SourceMail, err error) {
	const most = 100
	failed, err := s.store.FailedMails(ctx, p.User.ID, source)
	for _, row := range failed[:min(most, len(failed))] {
		out = append(out, templates.SourceMail{ID: row.ID, Subject: subjectOf(p, row.Subject), Size: p.L.Size(row.Size), Words: p.L.T("imports.mail." + row.State), ServerSaid: row.LastError, Doubtful: row.State == "doubtful"})
	}
	return out, err
}

// sourceState says where a source stands.
func (s *Server) sourceState(p *person, v *templates.Source, o store.Source, counts store.SourceCounts, runs []store.ImportRun) {
	clock := func(t time.Time) string { return p.L.Short(t.In(p.Zone), s.nowFor(p)) }
	goesOn := len(runs) > 0 && runs[0].Ended.IsZero()
	switch {
	case o.Running && o.Paused:
		v.Words, v.Goes = p.L.T("imports.pausing"), true
	case o.Running && o.Held:
		v.Words, v.Goes = p.L.T("imports.held"), true
	case jobs.Interrupted(o) || goesOn && !o.Running && !o.Paused && !o.Held:
		v.Words, v.Goes = p.L.T("imports.interrupted"), true
	case o.Running && goesOn && runs[0].Total > 0:
		run := runs[0]
		v.Total, v.At = run.Total, run.Done
		if all := counts.Imported + counts.Waiting; all > run.Total { // an earlier run has brought some: it goes on from there
			v.Total, v.At = all, counts.Imported
		}
		v.Percent = v.At * 100 / v.Total
		v.Words = p.L.T("imports.progress", "N", v.Total, "Done", p.L.Number(v.At))
		if left := run.Left(); left > 0 {
			v.Words += " " + p.L.T("imports.left", "N", max(1, int((left+30*time.Second)/time.Minute)))
		}
		v.Goes = true
	case o.Running:
		v.Words, v.Goes = p.L.T("imports.looking", "Host", o.Host), true
	case o.Held:
		v.Words = p.L.T("imports.held")
	case o.Paused && o.Once && o.Problem == string(pop3.Done):
		v.Words = p.L.T("imports.over", "N", counts.Imported)
	case o.Problem != "" && o.Problem != string(pop3.Done) && o.Problem != string(pop3.Stopped):
		v.Words, v.Bad = sourceTrouble(p, o, o.Problem, p.Servers.IMAP.Host), true
		if !o.Paused && !o.NextAt.IsZero() {
			v.Next = p.L.T("imports.tryagain", "Time", clock(o.NextAt))
		}
	case o.Paused:
		v.Words = p.L.T("imports.paused")
	case len(runs) == 0:
		v.Words, v.Goes = p.L.T("imports.soon"), true
	default:
		v.Words = p.L.T("imports.allhere", "N", counts.Imported)
	}
	if !v.Goes && !o.Paused && !o.Held && !v.Bad && len(runs) > 0 && !o.NextAt.IsZero() {
		v.Next = p.L.T("imports.next", "Last", clock(runs[0].Started), "Next", clock(o.NextAt))
	}
}

// sourceTrouble says what is wrong with a source.
func sourceTrouble(p *person, o store.Source, problem, target string) string {
	if o.TokenID != 0 && (problem == string(pop3.WrongLogin) || problem == string(pop3.UnclearLogin)) {
		problem = "token"
	}
	return p.L.T("imports.state."+problem, "Host", o.Host, "Target", target)
}

func runWords(p *person, run store.ImportRun) string {
	words := p.L.T("imports.run", "N", run.Done)
	if run.Deleted > 0 {
		words += " " + p.L.T("imports.run.deleted", "N", run.Deleted)
	}
	if run.Failed > 0 {
		words += " " + p.L.T("imports.run.failed", "N", run.Failed)
	}
	if run.Outcome != "" && run.Outcome != string(pop3.Done) {
		words += " " + p.L.T("imports.outcome."+run.Outcome)
	}
	return words
}
