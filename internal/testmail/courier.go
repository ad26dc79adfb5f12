package testmail

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/testproc"
)

// courierUnpacked is where .ci/courier puts Courier and what it needs.
const courierUnpacked = "/usr/local/lib/restante-courier"

const (
	courierUsers = 20
	courierWord  = "$1$restante$RMX80BuYdFiG1nChiDj2X1" // Password
)

var courier = sync.OnceValues(func() (*Server, error) { return tryPorts(startCourier) })

// Courier is a Courier with POP3 and IMAP, started at the first call. It runs in a root directory of its own, for its
// packages cannot be installed beside Dovecot's.
func Courier(t testing.TB) *Server {
	t.Helper()
	_, err := os.Stat(courierUnpacked)
	if err != nil {
		err = errors.New("not unpacked; `.ci/courier` does that")
	}
	testproc.Need(t, "Courier", "nothing, its packages conflict", errors.Join(err, testproc.Root()))
	s, err := courier()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// courierServices are what its own start scripts would run.
const courierServices = `
PATH=/usr/sbin:/usr/bin
within() { exec env -i COURIERTLS=/usr/bin/couriertls TLS_CERTFILE=/tls/pair.pem TLS_VERIFYPEER=NONE "$@"; }
listen="/usr/sbin/chroot root /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup"
/usr/sbin/chroot root /usr/lib/courier/courier-authlib/authdaemond &
echo $! >>pids
within POP3_STARTTLS=YES POP3AUTH="LOGIN PLAIN" $listen %d /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir &
echo $! >>pids
within IMAP_STARTTLS=YES IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE" \
	IMAP_KEYWORDS=1 IMAP_USELOCKS=0 IMAP_IDLE_TIMEOUT=60 $listen %d /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir &
echo $! >>pids
wait`

func startCourier() (*Server, error) {
	ports, err := testproc.Ports(2)
	if err != nil {
		return nil, err
	}
	ca, err := ourAuthority()
	if err != nil {
		return nil, err
	}
	dir, err := testproc.Dir("courier")
	if err != nil {
		return nil, err
	}
	if err := ca.certify(filepath.Join(dir, "tls")); err != nil {
		return nil, err
	}
	users, err := setUpCourier(dir)
	if err != nil {
		return nil, err
	}
	p, err := testproc.Keep(testproc.Plan{Dir: dir, Run: fmt.Sprintf(courierServices, ports[0], ports[1]), Stop: "kill $(cat pids)"})
	if err != nil {
		return nil, err
	}
	s := &Server{
		Kind: "courier", POP3: Address{"127.0.0.1", ports[0]}, IMAP: Address{"127.0.0.1", ports[1]},
		CA: ca.pool, CAFile: filepath.Join(dir, "tls", "ca.pem"), Domain: Domain, users: users, process: p,
	}
	err = testproc.Wait(20*time.Second, func() error {
		_, err := os.Stat(filepath.Join(dir, "root/run/courier/authdaemon/socket"))
		return errors.Join(err, greets(s.IMAP), testproc.Answers(s.POP3.String()))
	})
	if err != nil {
		err = fmt.Errorf("Courier does not start: %w%s", err, p.Log())
		p.Stop()
		return nil, err
	}
	return s, nil
}

// setUpCourier fills Courier's root directory, and gives the users that it will have.
func setUpCourier(dir string) (chan User, error) {
	root := filepath.Join(dir, "root")
	if out, err := exec.Command("cp", "-a", courierUnpacked, root).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	uid, gid, err := testproc.IDs("mail")
	if err != nil {
		return nil, err
	}
	users := make(chan User, courierUsers)
	var where, words strings.Builder
	for n := range courierUsers {
		u := User{Address: fmt.Sprintf("person%d@%s", n, Domain), Password: Password}
		home := fmt.Sprintf("/mail/%d", n)
		for _, d := range []string{home, home + "/Maildir", home + "/Maildir/cur", home + "/Maildir/new", home + "/Maildir/tmp"} {
			if err := errors.Join(os.Mkdir(filepath.Join(root, d), 0o700), os.Chown(filepath.Join(root, d), uid, gid)); err != nil {
				return nil, err
			}
		}
		fmt.Fprintf(&where, "%s\tuid=%d|gid=%d|home=%s|mail=%s/Maildir|_=\n", u.Address, uid, gid, home, home)
		fmt.Fprintf(&words, "%s\tsystempw=%s\n", u.Address, courierWord)
		users <- u
	}
	key, err := os.ReadFile(filepath.Join(dir, "tls", "key.pem"))
	if err != nil {
		return nil, err
	}
	cert, err := os.ReadFile(filepath.Join(dir, "tls", "cert.pem"))
	if err != nil {
		return nil, err
	}
	file := func(name, text string) error { return os.WriteFile(filepath.Join(root, name), []byte(text), 0o644) }
	return users, errors.Join(
		file("tls/pair.pem", string(key)+string(cert)),
		file("etc/passwd", fmt.Sprintf("courier:x:%d:%d::/:\n", uid, gid)), // who speaks TLS
		file("etc/group", fmt.Sprintf("courier:x:%d:\n", gid)),
		file("etc/courier/authdaemonrc", "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=2\n"),
		courierTable(root, "userdb.dat", where.String()),
		courierTable(root, "userdbshadow.dat", words.String()),
	)
}

// courierTable writes a database of Courier's users.
func courierTable(root, name, lines string) error {
	chroot, err := testproc.Program("chroot")
	if err != nil {
		return err
	}
	cmd := exec.Command(chroot, root, "/usr/lib/courier/courier-authlib/makedatprog", "-", "/etc/courier/new.dat", "/etc/courier/"+name)
	cmd.Stdin = strings.NewReader(lines + ".\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
