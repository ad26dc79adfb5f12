// Package testproc keeps foreign servers running for tests, and takes them away
// again however the test ends. It knows no particular server: testmail and
// testdb do. Start at Keep; Need says what happens when a program is missing.
package testproc

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// AllVariable is the environment variable under which nothing may be left out: `make test` sets it to 1.
const AllVariable = "RESTANTE_TEST_ALL"

// Need returns when err is nil. Otherwise it skips t, naming what is left out and the Debian packages that bring
// it, or fails t where nothing may be left out.
func Need(t testing.TB, what, packages string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	words := fmt.Sprintf("needs %s: %v (Debian: apt-get install %s)", what, err, packages)
	if os.Getenv(AllVariable) == "1" {
		t.Fatal(words)
		return
	}
	t.Skip("left out: " + words + "; `make test` installs it and leaves nothing out")
}

// Program finds an executable: in PATH, in the directories of the system's servers, or in those given.
func Program(name string, directories ...string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, d := range append(directories, "/usr/sbin", "/usr/local/sbin", "/sbin") {
		p := filepath.Join(d, name)
		if s, err := os.Stat(p); err == nil && s.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("no program %q", name)
}

// Root is an error unless we are root, who alone may start the servers.
func Root() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can start it")
	}
	return nil
}

// IDs are the numbers of a user of the system.
func IDs(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// Dir makes a directory of its own for a server, open to be passed through by the server's users.
func Dir(name string) (string, error) {
	d, err := os.MkdirTemp("", "restante-"+name+"-")
	if err != nil {
		return "", err
	}
	return d, os.Chmod(d, 0o755)
}

// Server is what Keep keeps.
type Server struct {
	dir   string
	alive io.Closer
	cmd   *exec.Cmd
	once  sync.Once
	ended chan struct{}
}

// Plan says how a server runs. Both scripts are for /bin/sh, in the server's directory.
type Plan struct {
	Dir  string // removed in the end
	Run  string // stays as long as the server does: `exec server`
	Stop string // ends it; $pid is what Run started; "" = kill "$pid"
	UID  int    // who runs it, 0 = root
	GID  int
}

// keeper waits until its standard input ends, which happens when we close it and also when we die, then stops the
// server and removes its directory. TERM and HUP, as sent to whole groups, do not end it sooner. (Its own
// directory is left first, so that it can be removed.)
const keeper = `trap '' HUP INT TERM
cd "$1" || exit 1
( trap - HUP INT TERM; eval "$2" ) </dev/null &
pid=$!
cat >/dev/null
eval "$3"
n=0
while kill -0 "$pid" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
kill -9 "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
cd /
rm -rf "$1"`

var (
	mu      sync.Mutex
	running = map[*Server]bool{}
	ends    []func()
)

// Keep starts a server. It ends with Stop, with StopAll, or when this process ends in whatever way.
func Keep(p Plan) (*Server, error) {
	if p.Stop == "" {
		p.Stop = `kill "$pid"`
	}
	s := &Server{dir: p.Dir, ended: make(chan struct{})}
	s.cmd = exec.Command("/bin/sh", "-c", keeper, "keeper", p.Dir, p.Run, p.Stop)
	s.cmd.Dir = "/"
	log, err := os.OpenFile(filepath.Join(p.Dir, "keeper.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// A file, not a pipe: `go test` waits for all who hold its own output.
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if p.UID != 0 {
		if err := os.Chown(p.Dir, p.UID, p.GID); err != nil {
			return nil, err
		}
		s.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(p.UID), Gid: uint32(p.GID)}
	}
	if s.alive, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	mu.Lock()
	running[s] = true
	mu.Unlock()
	return s, nil
}

// Stop ends the server, waits for it, and removes its directory.
func (s *Server) Stop() {
	s.once.Do(func() {
		_ = s.alive.Close()
		<-s.ended
		mu.Lock()
		delete(running, s)
		mu.Unlock()
	})
}

// Log is the end of what the server said on its output.
func (s *Server) Log(files ...string) string {
	var b strings.Builder
	for _, f := range append([]string{"keeper.log"}, files...) {
		raw, err := os.ReadFile(filepath.Join(s.dir, f))
		if err == nil && len(raw) > 0 {
			fmt.Fprintf(&b, "\n%s:\n%s", f, raw[max(0, len(raw)-2000):])
		}
	}
	return b.String()
}

// AtEnd has StopAll call a function, for what Keep does not keep. It is not called if this process is killed.
func AtEnd(f func()) {
	mu.Lock()
	defer mu.Unlock()
	ends = append(ends, f)
}

// StopAll ends every server that Keep started, after what AtEnd was told to do.
func StopAll() {
	mu.Lock()
	last := ends
	ends = nil
	mu.Unlock()
	for _, f := range last {
		f()
	}
	mu.Lock()
	var all []*Server
	for s := range running {
		all = append(all, s)
	}
	mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(s.Stop)
	}
	wg.Wait()
}

// Main runs the tests of a package and then stops all servers: `func TestMain(m *testing.M) { testproc.Main(m) }`.
// Without it they stop too, a moment after the process has ended.
func Main(m *testing.M) {
	code := m.Run()
	StopAll()
	os.Exit(code)
}

// Ports finds n loopback ports that nobody listens on, outside the range from which the system gives ports away.
// Somebody may take one before the server does: try again then.
func Ports(n int) ([]int, error) {
	var out []int
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for try := 0; len(out) < n; try++ {
		if try > 1000 {
			return nil, errors.New("no free ports")
		}
		port := 10000 + rand.IntN(20000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		held, out = append(held, l), append(out, port)
	}
	return out, nil
}

// Wait polls until ready gives nil, at most for limit, and gives its last error.
func Wait(limit time.Duration, ready func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := ready()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Answers dials an address once.
func Answers(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}
