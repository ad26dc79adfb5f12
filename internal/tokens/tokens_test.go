package tokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restante/internal/oauth"
	"restante/internal/seal"
	"restante/internal/store"
	"restante/internal/testdb"
	"restante/internal/testoidc"
	"restante/internal/tokens"
	"restante/mailclient"
	"restante/mailclient/discover"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const redirect = "https://mail.example.test/oauth/callback"

// ground is a store with somebody who has signed in at the scripted issuer.
type ground struct {
	store  *store.Store
	ring   *seal.Ring
	known  *discover.Directory
	client *testoidc.Client
	user   store.User
	who    oauth.Person
	first  oauth.Tokens
}

// begin makes a database with the newest schema in dir.
func begin(dir string) error {
	s, err := store.Open(context.Background(), "", dir)
	if err != nil {
		return err
	}
	return s.Close()
}

func each(t *testing.T, f func(t *testing.T, g *ground)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, db testdb.DB) {
		db.Begin(t, db.Dir, begin)
		s, err := store.Open(t.Context(), db.URL, db.Dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		g := &ground{store: s, ring: seal.NewRing(), client: testoidc.NewClient(t, testoidc.Person{Subject: "anna", Email: "anna@example.test"})}
		o := &discover.OAuth{Kind: "oidc", ClientID: g.client.ID, Secret: g.client.Secret, Issuer: testoidc.URL()}
		g.known = discover.NewDirectory(discover.Servers{Domain: "example.test", OAuth: o})
		if g.user, _, err = s.EnsureUser(t.Context(), "anna@example.test", "anna@example.test"); err != nil {
			t.Fatal(err)
		}
		f(t, g)
	})
}

// node is a keeper of its own over the same store.
func (g *ground) node() *tokens.Keeper {
	return tokens.New(tokens.Options{Store: g.store, Ring: g.ring, Client: oauth.NewClient(nil, nil, nil), Servers: g.known, Log: slog.New(slog.DiscardHandler)})
}

// signIn signs the person in, and gives what is kept.
func (g *ground) signIn(t *testing.T, k *tokens.Keeper) int64 {
	t.Helper()
	s, _ := g.known.OfDomain("example.test")
	p, err := k.Provider(t.Context(), s.OAuth)
	if err != nil {
		t.Fatal(err)
	}
	flow := oauth.NewFlow()
	at, err := url.Parse(p.SignInURL(flow, redirect, ""))
	if err != nil {
		t.Fatal(err)
	}
	g.who, g.first, err = p.Finish(t.Context(), flow, redirect, testoidc.Consent(t, at))
	if err != nil {
		t.Fatal(err)
	}
	id, err := k.Keep(t.Context(), g.user.ID, "example.test", g.who, g.first)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestU1_NodesAskOneAfterTheOther: a refresh token that is good for one use would be lost if two used it at once.
func TestU1_NodesAskOneAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.client.Rotate = true
		first := g.node()
		id := g.signIn(t, first)
		nodes := []*tokens.Keeper{first, g.node(), g.node()}
		var all sync.WaitGroup
		for _, k := range nodes {
			for range 5 {
				all.Go(func() {
					if _, err := k.Of(id).Token(context.Background(), g.first.Access); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if n := g.client.Refreshes(); n != len(nodes) {
			t.Errorf("%d requests of %d nodes", n, len(nodes))
		}
	})
}

func TestATokenIsReplacedAheadOfItsEnd(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		g.client.Life = 4 * time.Minute // less than what a token is replaced ahead of: half of it counts
		k := g.node()
		id := g.signIn(t, k)
		if got, err := k.Of(id).Token(t.Context(), ""); err != nil || got != g.first.Access {
			t.Errorf("a fresh one is replaced: %v", err)
		}
		late := g.first
		late.Expires = time.Now().Add(time.Minute)
		if _, err := k.Keep(t.Context(), g.user.ID, "example.test", g.who, late); err != nil {
			t.Fatal(err)
		}
		g.client.Set(func(c *testoidc.Client) { c.Down = true })
		if got, err := k.Of(id).Token(t.Context(), ""); err != nil || got != g.first.Access {
			t.Errorf("one that still holds is not given while the provider is down: %v", err)
		}
	})
}

// TestU6_ADeadTokenIsNotAskedForAgain, by no node, until the person signs in.
func TestU6_ADeadTokenIsNotAskedForAgain(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		k := g.node()
		id := g.signIn(t, k)
		g.client.Set(func(c *testoidc.Client) { c.NoRefresh = "invalid_grant" })
		for _, node := range []*tokens.Keeper{k, g.node(), g.node()} {
			_, err := node.Of(id).Token(t.Context(), g.first.Access)
			var no *mailclient.TokenError
			if !errors.As(err, &no) || !no.Dead {
				t.Errorf("got %v", err)
			}
		}
		if n := g.client.Refreshes(); n != 1 {
			t.Errorf("%d requests, not 1", n)
		}
		if dead, err := k.Dead(t.Context(), id); !dead || err != nil {
			t.Error("it is not known as dead", err)
		}
		g.client.Set(func(c *testoidc.Client) { c.NoRefresh = "" })
		if again := g.signIn(t, k); again != id {
			t.Errorf("it is token %d, not %d", again, id)
		}
		if _, err := g.node().Of(id).Token(t.Context(), ""); err != nil {
			t.Error(err)
		}
	})
}

// TestTroubleOfAProviderPasses: it is not the person who has to do something.
func TestTroubleOfAProviderPasses(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		k := g.node()
		id := g.signIn(t, k)
		g.client.Set(func(c *testoidc.Client) { c.Down = true })
		for range 3 {
			_, err := k.Of(id).Token(t.Context(), g.first.Access)
			var no *mailclient.TokenError
			if !errors.As(err, &no) || no.Dead {
				t.Errorf("got %v", err)
			}
		}
		if dead, _ := k.Dead(t.Context(), id); dead {
			t.Error("it is dead")
		}
		g.client.Set(func(c *testoidc.Client) { c.Down = false })
		if _, err := g.node().Of(id).Token(t.Context(), ""); err != nil {
			t.Error(err)
		}
	})
}

// TestATokenThatHoldsIsGivenWhileTheProviderIsDown, to everybody who asks; one that a mail server has refused is not.
func TestATokenThatHoldsIsGivenWhileTheProviderIsDown(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		k := g.node()
		id := g.signIn(t, k)
		g.client.Set(func(c *testoidc.Client) { c.Down = true })
		tokens.Due(k, id)
		for range 4 {
			if got, err := k.Of(id).Token(t.Context(), ""); err != nil || got != g.first.Access {
				t.Errorf("it is not given: %v", err)
			}
		}
		for range 2 {
			if got, err := k.Of(id).Token(t.Context(), g.first.Access); err == nil {
				t.Errorf("what was refused is given: %s", got)
			}
		}
		g.client.Set(func(c *testoidc.Client) { c.Down = false })
		g.signIn(t, k) // ends the rest at once
		if got, err := k.Of(id).Token(t.Context(), ""); err != nil || got != g.first.Access {
			t.Errorf("after a sign-in: %v", err)
		}
	})
}

// TestWhatAProviderGaveIsShownToNoOther: an admin has set another one up for the domain.
func TestWhatAProviderGaveIsShownToNoOther(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		id := g.signIn(t, g.node())
		var asked atomic.Int32
		var other *httptest.Server
		other = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				asked.Add(1)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": other.URL, "authorization_endpoint": other.URL + "/a", "token_endpoint": other.URL + "/t", "jwks_uri": other.URL + "/k", "revocation_endpoint": other.URL + "/r"})
		}))
		defer other.Close()
		g.known = discover.NewDirectory(discover.Servers{Domain: "example.test", OAuth: &discover.OAuth{Kind: "oidc", ClientID: g.client.ID, Issuer: other.URL}})
		k := g.node()
		_, err := k.Of(id).Token(t.Context(), g.first.Access)
		var no *mailclient.TokenError
		if !errors.As(err, &no) || !no.Dead {
			t.Errorf("got %v", err)
		}
		if err := k.Forget(t.Context(), g.user.ID); err != nil {
			t.Error(err)
		}
		if n := asked.Load(); n != 0 {
			t.Errorf("it was asked %d times", n)
		}
	})
}

// TestX11_ATokenThatIsRefusedForGoodIsNoLoop of requests.
func TestX11_ATokenThatIsRefusedForGoodIsNoLoop(t *testing.T) {
	each(t, func(t *testing.T, g *ground) {
		k := g.node()
		id := g.signIn(t, k)
		token := g.first.Access
		for range 5 {
			got, err := k.Of(id).Token(t.Context(), token)
			var no *mailclient.TokenError
			if err != nil && (!errors.As(err, &no) || !no.Dead || no.Provider == "") {
				t.Error(err)
			}
			if err == nil {
				token = got
			}
		}
		if n := g.client.Refreshes(); n != 1 {
			t.Errorf("%d requests, not 1", n)
		}
	})
}
