package handlers

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"restante/static"
)

// Handler is the site map: every route, on one page. Each names its header class (headers.go).
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.observed, s.recovered, s.knownHost, s.sameOrigin, s.readable, s.bounded, middleware.GetHead)
	r.NotFound(s.app(s.nothingHere))
	r.MethodNotAllowed(s.app(s.wrongMethod))

	r.Get("/healthz", s.class(classText, s.healthz))
	r.Get("/readyz", s.class(classText, s.readyz))
	r.Get("/static/*", s.class(classStatic, static.Handler().ServeHTTP))
	r.Get("/sw.js", s.class(classWorker, s.serviceWorker))
	r.Get("/manifest.webmanifest", s.class(classStatic, s.manifest))
	r.Get("/offline", s.app(s.offline))
	r.Get("/logout/cache", s.class(classText, s.forgetCache))

	r.Group(func(r chi.Router) {
		r.Use(s.sessions.LoadAndSave, s.inTurn, s.compressed)
		r.Get("/login", s.app(s.loginPage))
		r.Post("/login", s.app(s.login))
		r.Post("/logout", s.app(s.logout))
		r.Get("/oauth/callback", s.app(s.oauthCallback))

		r.Get("/", s.page(s.home))
		r.Get("/mail/{account}/mailboxes", s.page(s.folders))
		r.Post("/mail/{account}/mailboxes", s.page(s.changeFolders))
		r.Get("/mail/{account}/{mailbox}", s.page(s.mailbox))
		r.Post("/mail/{account}/{mailbox}/actions", s.page(s.act))
		r.Get("/mail/{account}/{mailbox}/{uid}", s.page(s.message))
		r.Get("/mail/{account}/{mailbox}/{uid}/print", s.page(s.print))
		r.Post("/mail/{account}/{mailbox}/{uid}/answer", s.page(s.answerInvitation))
		r.Post("/mail/{account}/{mailbox}/{uid}/contacts", s.page(s.takeAttachedContacts))
		r.With(s.costly).Get("/search", s.page(s.search))
		r.Get("/search/suggest", s.page(s.suggestSearch))
		r.Post("/search/actions", s.page(s.actOnHits))
		r.Post("/search/saved", s.page(s.saveSearch))
		r.Post("/work/{work}", s.page(s.stopWork))
		r.Post("/undo/{act}", s.page(s.undo))
		r.Post("/trust", s.page(s.trustSender))

		r.Get("/compose", s.page(s.newDraft))
		r.Post("/compose", s.page(s.postDraft))
		r.Get("/compose/people", s.page(s.suggestPeople))
		r.Get("/compose/{draft}", s.page(s.draft))
		r.Post("/compose/{draft}", s.page(s.postDraft))
		r.Post("/compose/{draft}/files", s.page(s.upload))
		r.Get("/outbox", s.page(s.outbox))
		r.Post("/outbox/{id}", s.page(s.actOnOutbox))

		r.Get("/contacts", s.page(s.contactList))
		r.Post("/contacts", s.page(s.saveContact))
		r.Get("/contacts/new", s.page(s.newContact))
		r.Get("/contacts/of", s.page(s.contactOf))
		r.Get("/contacts/written", s.page(s.strangers))
		r.Post("/contacts/written", s.page(s.forgetStranger))
		r.Post("/contacts/actions", s.page(s.actOnContacts))
		r.Post("/contacts/groups", s.page(s.changeGroup))
		r.Get("/contacts/doubles", s.page(s.doubles))
		r.Post("/contacts/doubles", s.page(s.mergeDoubles))
		r.Get("/contacts/import", s.page(s.importPage))
		r.Post("/contacts/import", s.page(s.readContacts))
		r.Get("/contacts/import/{file}", s.page(s.previewContacts))
		r.Post("/contacts/import/{file}", s.page(s.takeContacts))
		r.Get("/contacts/{contact}", s.page(s.contact))
		r.Post("/contacts/{contact}", s.page(s.saveContact))
		r.Get("/contacts/{contact}/edit", s.page(s.editContact))

		r.Get("/imports", s.page(s.imports))
		r.Post("/imports", s.page(s.postImports))
		r.Post("/imports/files", s.page(s.importFiles))
		r.Post("/imports/{source}", s.page(s.actOnSource))

		r.Get("/settings", s.page(s.settings))
		r.Get("/settings/{tab}", s.page(s.settings))
		r.Post("/settings/{tab}", s.page(s.saveSettings))
		r.Get("/help", s.page(s.help))
		r.Get("/leave", s.page(s.leave))
	})

	r.Group(func(r chi.Router) { // the link that the program prints, and the steps behind it
		r.Use(s.compressed)
		r.Get("/setup/{token}", s.app(s.setupLink))
		r.Post("/setup/{token}", s.app(s.openSetup))
		r.Get("/setup/owner", s.step("owner", s.setupOwner))
		r.Post("/setup/owner", s.step("owner", s.saveOwner))
		r.Get("/setup/site", s.step("site", s.setupSite))
		r.Post("/setup/site", s.step("site", s.saveSite))
		r.Get("/setup/domain", s.step("domain", s.setupDomain))
		r.Post("/setup/domain", s.step("domain", s.saveSetupDomain))
		r.Get("/setup/test", s.step("test", s.setupTest))
		r.Post("/setup/test", s.step("test", s.runSetupTest))
		r.Get("/setup/finish", s.step("finish", s.setupFinish))
		r.Post("/setup/finish", s.step("finish", s.applySetup))
	})
	r.Get("/setup/self", s.self)

	r.Route("/admin", func(r chi.Router) { // nothing below leads to mail
		r.Use(s.admins, s.compressed)
		r.Get("/login", s.app(s.adminLoginPage))
		r.Post("/login", s.app(s.adminLogin))
		r.Get("/factor", s.office(s.factorPage))
		r.Post("/factor", s.office(s.takeFactor))
		r.Post("/logout", s.office(s.adminLogout))

		r.Get("/", s.office(s.overview))
		r.Head("/", s.office(s.overview)) // which GetHead does not see: it stands at the root of a subtree
		r.Get("/domains", s.office(s.domainList))
		r.Get("/domains/{domain}", s.office(s.domainPage))
		r.Post("/domains/{domain}", s.office(s.changeDomain))
		r.Get("/people", s.office(s.peoplePage))
		r.Get("/people/{user}", s.office(s.personPage))
		r.Post("/people/{user}", s.office(s.actOnPerson))
		r.Get("/sessions", s.office(s.sessionsPage))
		r.Post("/sessions", s.office(s.endSession))
		r.Post("/news", s.office(s.knowAdmin))
		r.Get("/jobs", s.office(s.jobsPage))
		r.Post("/jobs", s.office(s.actOnImports))
		r.Post("/jobs/{kind}/{job}", s.office(s.actOnJob))
		r.Get("/jobs/{kind}/{job}/drop", s.office(s.dropPage))
		r.Get("/limits", s.office(s.limitsPage))
		r.Post("/limits", s.office(s.saveLimits))
		r.Get("/site", s.office(s.sitePage))
		r.Post("/site", s.office(s.saveSiteAddress))
		r.Get("/audit", s.office(s.auditPage))
		r.Get("/audit.csv", s.auditFile)
		r.Get("/health", s.office(s.healthPage))
		r.Get("/account", s.office(s.accountPage))
		r.Post("/account", s.office(s.saveAccount))
	})

	r.Group(func(r chi.Router) { // bytes of mails and streams: never compressed
		r.Use(s.sessions.LoadAndSave)
		r.Get("/events", s.bytes(classEvents, s.events))
		r.Group(func(r chi.Router) {
			r.Use(s.inTurn)
			r.Get("/mail/{account}/{mailbox}/{uid}/body", s.bytes(classMessage, s.body))
			r.Get("/mail/{account}/{mailbox}/{uid}/parts/{section}", s.bytes(classDownload, s.part))
			r.Get("/mail/{account}/{mailbox}/{uid}/source", s.bytes(classSource, s.source))
			r.Get("/mail/{account}/{mailbox}/{uid}.eml", s.bytes(classDownload, s.eml))
			r.With(s.costly).Get("/mail/{account}/{mailbox}/{uid}/attachments.zip", s.bytes(classDownload, s.zip))
			r.Get("/compose/frame", s.bytes(classEditor, s.editorFrame))
			r.Get("/compose/{draft}/files/{file}", s.bytes(classDownload, s.draftFile))
			r.Get("/contacts/export.vcf", s.bytes(classDownload, s.exportContacts))
			r.Get("/settings/export.json", s.bytes(classDownload, s.exportSettings))
			r.Get("/proxy", s.bytes(classProxy, s.proxied))
		})
	})
	return r
}
