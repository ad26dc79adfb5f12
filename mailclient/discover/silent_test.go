package discover_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"restante/mailclient"
	"restante/mailclient/discover"
)

// silence is an internet in which every name exists and nobody ever says anything.
type silence struct{}

func (*silence) DialContext(context.Context, string, string) (net.Conn, error) {
	ours, _ := net.Pipe()
	return ours, nil
}

func (*silence) LookupSRV(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func (*silence) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (*silence) LookupHost(context.Context, string) ([]string, error) {
	return []string{"192.0.2.1"}, nil
}

func TestD2_AWorldThatSaysNothingIsLeftInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock of this test runs as fast as nothing happens
		began := time.Now()
		f, err := discover.NewFinder(discover.FinderOptions{Dial: &silence{}, Resolver: &silence{}, ISPDB: true}).Find(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 5*time.Second || took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
		for _, l := range f.Looked {
			if l.Came != discover.CameSilence {
				t.Errorf("%+v", l)
			}
		}
		if len(f.Looked) < 20 || f.IMAP.Found() {
			t.Errorf("%+v", f)
		}
	})
}

func TestD2_ALookupThatIsGivenUpEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := discover.NewFinder(discover.FinderOptions{Dial: &silence{}, Resolver: &silence{}}).Find(ctx, address); err == nil {
		t.Errorf("%+v", f)
	}
}

func TestTryLeavesAServerThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, security := range []mailclient.Security{mailclient.TLS, mailclient.StartTLS} {
			p := discover.Try(t.Context(), discover.IMAP, mailclient.Endpoint{Host: "imap.example.test", Port: 993, Security: security, Via: &silence{}})
			if p.Problem != mailclient.Timeout || p.Took > 30*time.Second {
				t.Errorf("%s: %+v", security, p)
			}
		}
	})
}
