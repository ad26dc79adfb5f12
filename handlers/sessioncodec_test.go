package handlers

import (
	"reflect"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

func TestSessionsAreReadAsTheyWereWritten(t *testing.T) {
	until := time.Date(2026, 12, 1, 10, 0, 0, 5, time.UTC)
	values := map[string]any{"user": int64(7), "cred": []byte{0, 1, 255}, "zone": "Europe/Wien <&>\u2028", "__rememberMe": true, "empty": ""}
	for _, codec := range []scs.Codec{sessionCodec{}, scs.GobCodec{}} { // as it is written now, and as it once was
		raw, err := codec.Encode(until, values)
		if err != nil {
			t.Fatal(err)
		}
		deadline, got, err := sessionCodec{}.Decode(raw)
		if err != nil || !deadline.Equal(until) || !reflect.DeepEqual(got, values) {
			t.Errorf("%T: %v, %v, %v", codec, deadline, got, err)
		}
	}
	if _, err := (sessionCodec{}).Encode(until, map[string]any{"x": 1.5}); err == nil {
		t.Error("a number that cannot be kept is taken")
	}
	for _, raw := range []string{"", "{", `{"n":{"user":"x"}}`, "\x00"} {
		if _, _, err := (sessionCodec{}).Decode([]byte(raw)); err == nil {
			t.Errorf("%q is a session", raw)
		}
	}
}
