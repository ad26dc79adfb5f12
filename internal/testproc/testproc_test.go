package testproc_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"restante/internal/testproc"
)

// child is set in the process that is killed by the test that started it.
const child = "RESTANTE_TESTPROC_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		testproc.Main(m)
		return
	}
	dir, err := testproc.Dir("child")
	if err == nil {
		_, err = testproc.Keep(testproc.Plan{Dir: dir, Run: `echo $$ >shell; exec sleep 1000`})
	}
	fmt.Println(dir, err)
	select {}
}

func TestAServerEndsWithStop(t *testing.T) {
	dir, err := testproc.Dir("stop")
	if err != nil {
		t.Fatal(err)
	}
	s, err := testproc.Keep(testproc.Plan{Dir: dir, Run: `exec sleep 1000`})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("its directory is still there")
	}
}

func TestAServerEndsWithAKilledTestProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir, problem, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || problem != "<nil>" {
		t.Fatal(line, err)
	}
	if err := testproc.Wait(10*time.Second, func() error {
		_, err := os.Stat(filepath.Join(dir, "shell"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	if err := testproc.Wait(20*time.Second, func() error {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			return errors.New("its directory is still there")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// recorder is a test that notes how it would have ended.
type recorder struct {
	testing.TB
	failed, skipped string
}

func (r *recorder) Helper()           {}
func (r *recorder) Fatal(args ...any) { r.failed = fmt.Sprint(args...) }
func (r *recorder) Skip(args ...any)  { r.skipped = fmt.Sprint(args...) }

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, missing := testproc.Program("no-such-program")
	t.Setenv(testproc.AllVariable, "")
	var r recorder
	testproc.Need(&r, "Dovecot", "dovecot-imapd", missing)
	if r.failed != "" || !strings.Contains(r.skipped, "left out: needs Dovecot") || !strings.Contains(r.skipped, "apt-get install dovecot-imapd") {
		t.Errorf("%+v", r)
	}
	t.Setenv(testproc.AllVariable, "1")
	r = recorder{}
	testproc.Need(&r, "Dovecot", "dovecot-imapd", missing)
	if r.skipped != "" || !strings.Contains(r.failed, "apt-get install dovecot-imapd") {
		t.Errorf("%+v", r)
	}
	r = recorder{}
	if testproc.Need(&r, "Dovecot", "", nil); r.failed+r.skipped != "" {
		t.Errorf("%+v", r)
	}
}
