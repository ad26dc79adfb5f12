package handlers

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A device cookie tells a browser that has signed in to an account before from a stranger (OWASP, "Slow down online
// guessing attacks with device cookies"). It opens nothing. It holds a token for each of the last accounts: a random
// id, and its signature together with the address, which is not named. Signing out leaves it.
const (
	deviceCookie  = "restante-device"
	deviceTokens  = 5 // accounts a browser is remembered for
	deviceID      = 16
	deviceTokenIs = 2 * (deviceID + 16) // hex digits
	deviceAge     = 400 * 24 * time.Hour
)

func (s *Server) deviceCookieName() string { return cookieName(deviceCookie, s.sessions.Cookie.Secure) }

// device is the id by which a browser is known to an account, "" if it is not.
func (s *Server) device(r *http.Request, address string) string {
	for _, token := range s.deviceTokens(r) {
		if s.deviceKnows(token, address) {
			return token[:2*deviceID]
		}
	}
	return ""
}

func (s *Server) deviceTokens(r *http.Request) []string {
	c, err := r.Cookie(s.deviceCookieName())
	if err != nil || len(c.Value) > deviceTokens*(deviceTokenIs+1) {
		return nil
	}
	return strings.Split(c.Value, ".")
}

func (s *Server) deviceKnows(token, address string) bool {
	return len(token) == deviceTokenIs && hmac.Equal([]byte(token), []byte(s.deviceToken(token[:2*deviceID], address)))
}

func (s *Server) deviceToken(id, address string) string {
	return id + hex.EncodeToString(s.ring.MAC("device-cookie/1", address, id)[:16])
}

// rememberDevice lets this browser be known to an account from now on. Each sign-in makes a new id.
func (s *Server) rememberDevice(w http.ResponseWriter, r *http.Request, address string) {
	id := make([]byte, deviceID)
	rand.Read(id)
	others := slices.DeleteFunc(s.deviceTokens(r), func(t string) bool { return len(t) != deviceTokenIs || s.deviceKnows(t, address) })
	tokens := append([]string{s.deviceToken(hex.EncodeToString(id), address)}, others...)
	http.SetCookie(w, &http.Cookie{
		Name: s.deviceCookieName(), Value: strings.Join(tokens[:min(len(tokens), deviceTokens)], "."), Path: "/", MaxAge: int(deviceAge.Seconds()),
		Secure: s.sessions.Cookie.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
