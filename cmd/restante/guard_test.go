package main

import (
	"errors"
	"net"
	"testing"

	"restante/internal/config"
	"restante/internal/netguard"
	"restante/internal/testmail"
)

// TestServersThatPeopleNameAreGuarded: of this machine's own only what the admin allows, and what the demo offers.
func TestServersThatPeopleNameAreGuarded(t *testing.T) {
	here := testmail.Listen(t, func(net.Conn) {})
	other := testmail.Listen(t, func(net.Conn) {})
	conf := config.Default()
	for name, c := range map[string]struct {
		allow, near []string
		open        map[string]bool
	}{
		"nothing is allowed": {open: map[string]bool{here.String(): false, other.String(): false}},
		"one is near":        {near: []string{here.String()}, open: map[string]bool{here.String(): true, other.String(): false}},
		"a network is":       {allow: []string{"127.0.0.0/8"}, open: map[string]bool{here.String(): true, other.String(): true}},
	} {
		conf.AllowHosts = c.allow
		dial, err := namedServers(conf, c.near)
		if err != nil {
			t.Fatal(err)
		}
		for at, open := range c.open {
			conn, err := dial(t.Context(), "tcp", at)
			if err == nil {
				_ = conn.Close()
			}
			if open != (err == nil) || !open && !errors.Is(err, netguard.ErrRefused) {
				t.Errorf("%s: dialling gives %v", name, err)
			}
		}
	}
	conf.AllowHosts = []string{"a b"}
	if _, err := namedServers(conf, nil); err == nil {
		t.Error("nonsense is allowed")
	}
}
