package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"restante/internal/testmail"
)

const actsEach = 10

// acting has many people flag mails at once, as scripts send it, beside as many raw connections that store flags.
func (b *bench) acting() {
	users := make([]testmail.User, people)
	browsers := make([]*browser, people)
	wires := make([]*wire, people)
	for i := range users {
		users[i] = fill(b.t, b.mail, fmt.Sprintf("benchactor%d", i), 200)
		wires[i] = dialWire(b.t, b.mail, users[i])
		defer wires[i].close()
		wires[i].say("SELECT INBOX")
		browsers[i] = newBrowser(b.t, b.s.base)
		defer browsers[i].close()
		browsers[i].signIn(users[i])
		for browsers[i].fills() {
		}
	}
	all := func(act func(person, turn int)) {
		var crowd sync.WaitGroup
		for i := range users {
			crowd.Go(func() {
				for turn := range actsEach {
					act(i, turn)
				}
			})
		}
		crowd.Wait()
	}
	b.compare(fmt.Sprint(people, " people"), fmt.Sprintf("%d acts of each at once", actsEach), 2, 3, nil,
		func(int) {
			all(func(i, turn int) { browsers[i].flags(150+turn, turn%2 == 0) })
		},
		func(int) {
			all(func(i, turn int) {
				wires[i].say(fmt.Sprintf("UID STORE %d %sFLAGS (\\Answered)", 100+turn, []string{"+", "-"}[turn%2]))
			})
		})
}

// flags flags a mail, or takes the flag away, as a script does: it stays where it is and takes what the page brings.
func (v *browser) flags(uid int, on bool) {
	action := map[bool]string{true: "flag", false: "unflag"}[on]
	form := url.Values{"uid": {strconv.Itoa(uid)}, "action": {action}, "back": {v.inbox}}
	req, err := http.NewRequest(http.MethodPost, v.base+v.inbox+"/actions", strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Error(err)
		return
	}
	req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Restante": {"1"}, "X-Restante-Act": {"1"}}
	v.do(req)
}
