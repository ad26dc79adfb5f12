package discover_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"restante/internal/testmail"
	"restante/mailclient/discover"
)

func TestMain(m *testing.M) { testmail.Main(m) }

const (
	domain  = "example.test"
	address = "anna@example.test"
)

// world is an internet of a test: DNS, pages and mail servers, all on loopback and reached by their names.
type world struct {
	t     testing.TB
	roots *x509.CertPool
	cert  tls.Certificate

	mu    sync.Mutex
	srv   map[string][]*net.SRV // by "_imaps._tcp.example.test"
	mx    map[string][]*net.MX
	at    map[string]string           // host:port -> where it is in truth
	pages map[string]http.HandlerFunc // by scheme://host/path
	dials []string
	asked []string // pages, with their queries
	heard strings.Builder
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, roots: x509.NewCertPool(), srv: map[string][]*net.SRV{}, mx: map[string][]*net.MX{}, at: map[string]string{}, pages: map[string]http.HandlerFunc{}}
	w.cert = w.certify("example.test", "*.example.test", "hoster.test", "*.hoster.test", "autoconfig.thunderbird.net", "imap.gmail.com", "smtp.gmail.com", "pop.gmail.com")
	leaf, err := x509.ParseCertificate(w.cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	w.roots.AddCert(leaf)
	for scheme, start := range map[string]func(*httptest.Server){"http": (*httptest.Server).Start, "https": (*httptest.Server).StartTLS} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.page(scheme, rw, r) }))
		s.TLS, s.Config.ErrorLog = &tls.Config{Certificates: []tls.Certificate{w.cert}}, log.New(io.Discard, "", 0)
		start(s)
		t.Cleanup(s.Close)
		w.at[scheme] = s.Listener.Addr().String()
	}
	return w
}

// certify makes a certificate for names that vouches for itself.
func (w *world) certify(names ...string) tls.Certificate {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	plan := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, key.Public(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (w *world) page(scheme string, rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	f := w.pages[scheme+"://"+r.Host+r.URL.Path]
	w.asked = append(w.asked, scheme+"://"+r.Host+r.URL.RequestURI())
	w.mu.Unlock()
	if f == nil {
		http.NotFound(rw, r)
		return
	}
	f(rw, r)
}

// says puts a page somewhere.
func (w *world) says(url, text string) {
	w.does(url, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(text)) })
}

func (w *world) does(url string, f http.HandlerFunc) {
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	w.pages[url] = f
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	w.at[host+port] = w.at[scheme]
}

// serves puts a mail server somewhere: tls from the start, or starttls. Without a certificate it has that of the world.
func (w *world) serves(service discover.Service, hostport, security string, cert ...tls.Certificate) {
	conf := &tls.Config{Certificates: append(cert, w.cert)[:1]}
	w.at[hostport] = testmail.Listen(w.t, func(c net.Conn) {
		if security == "tls" {
			c = tls.Server(c, conf)
		}
		w.serve(service, c, conf)
	}).String()
}

// answers are what the servers of a world say: the greeting, and the answer to each command by its verb.
var answers = map[discover.Service]map[string]string{
	discover.IMAP:       {"": "* OK ready", "CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS IDLE AUTH=PLAIN\r\np1 OK", "STARTTLS": "p2 OK go", "LOGOUT": "* BYE\r\np3 OK"},
	discover.Submission: {"": "220-hello\r\n220 ready", "EHLO": "250-here\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN", "STARTTLS": "220 go", "QUIT": "221 bye"},
	discover.POP3:       {"": "+OK", "CAPA": "+OK\r\nSTLS\r\nUIDL\r\nSASL PLAIN\r\n.", "STLS": "+OK go", "QUIT": "+OK bye"},
	discover.Sieve:      {"": "\"SIEVE\" \"fileinto\"\r\n\"SASL\" \"PLAIN\"\r\n\"STARTTLS\"\r\nOK", "CAPABILITY": "\"SIEVE\" \"fileinto\"\r\n\"SASL\" \"PLAIN\"\r\nOK", "STARTTLS": "OK", "LOGOUT": "OK"},
}

func (w *world) serve(service discover.Service, c net.Conn, conf *tls.Config) {
	r := bufio.NewReader(c)
	if _, err := fmt.Fprintf(c, "%s\r\n", answers[service][""]); err != nil {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		w.mu.Lock()
		w.heard.WriteString(line)
		w.mu.Unlock()
		words := strings.Fields(line)
		if service == discover.IMAP {
			words = words[1:]
		}
		if _, err := fmt.Fprintf(c, "%s\r\n", answers[service][words[0]]); err != nil {
			return
		}
		if words[0] == "STARTTLS" || words[0] == "STLS" {
			c = tls.Server(c, conf)
			r.Reset(c)
		}
	}
}

// DialContext goes to where a name is in truth.
func (w *world) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	to := w.at[address]
	w.dials = append(w.dials, address)
	w.mu.Unlock()
	if to == "" {
		host, _, _ := net.SplitHostPort(address)
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (w *world) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	name = "_" + service + "._" + proto + "." + name
	if list := w.srv[name]; list != nil {
		return name, list, nil
	}
	return "", nil, notFound(name)
}

func (w *world) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if list := w.mx[name]; list != nil {
		return list, nil
	}
	return nil, notFound(name)
}

func (w *world) LookupHost(_ context.Context, host string) ([]string, error) {
	for at := range w.at {
		if name, _, _ := strings.Cut(at, ":"); name == host {
			return []string{"127.0.0.1"}, nil
		}
	}
	return nil, notFound(host)
}

// points says by SRV where a service is: "imaps 10 5 993 imap.example.test".
func (w *world) points(records ...string) {
	for _, rec := range records {
		var service, target string
		var s net.SRV
		if _, err := fmt.Sscan(rec, &service, &s.Priority, &s.Weight, &s.Port, &target); err != nil {
			w.t.Fatal(rec, err)
		}
		s.Target = strings.TrimSuffix(target, ".") + "." // as net.Resolver gives it
		name := "_" + service + "._tcp." + domain
		w.srv[name] = append(w.srv[name], &s)
	}
}

func (w *world) options() discover.FinderOptions {
	return discover.FinderOptions{Dial: w, Resolver: w, RootCAs: w.roots}
}

func (w *world) find(o discover.FinderOptions) discover.Found {
	w.t.Helper()
	f, err := discover.NewFinder(o).Find(w.t.Context(), address)
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// config is a page of autoconfig: "imap imap.example.test 993 SSL".
func config(servers ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="example.test">`)
	for _, s := range servers {
		f := strings.Fields(s)
		element := "incomingServer"
		if f[0] == "smtp" {
			element = "outgoingServer"
		}
		fmt.Fprintf(&b, `<%s type="%s"><hostname>%s</hostname><port>%s</port><socketType>%s</socketType>`, element, f[0], f[1], f[2], f[3])
		for _, more := range f[4:] {
			name, value, _ := strings.Cut(more, "=")
			fmt.Fprintf(&b, "<%s>%s</%s>", name, value, name)
		}
		fmt.Fprintf(&b, "</%s>", element)
	}
	b.WriteString(`</emailProvider></clientConfig>`)
	return b.String()
}
