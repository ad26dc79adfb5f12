package templates

// AdminJob is a job in the list. State is ok, warn or bad.
type AdminJob struct {
	State, Title, Words  string
	Lines                []string
	Said                 string // the server's words, or the error's
	URL, DropURL         string // DropURL is "" where it cannot be dropped
	Retry, Pause, Resume bool
}

// Acts says whether there is anything to be done with the job.
func (j AdminJob) Acts() bool { return j.Retry || j.Pause || j.Resume || j.DropURL != "" }

// AdminJobs lists jobs. Imports says that all of them can be paused here, Held that they are.
type AdminJobs struct {
	AdminFrame
	Kinds, Stages      []Option
	Jobs               []AdminJob
	Imports, Held      bool
	Here, Before, More string
}

func (AdminJobs) template() string { return "adminjobs.html" }

// AdminDrop asks before a job is dropped: what is lost by it, and what is kept.
type AdminDrop struct {
	AdminFrame
	Job                       AdminJob
	FormURL, Back, Lost, Kept string
}

func (AdminDrop) template() string { return "admindrop.html" }
