package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

// sessionCodec writes what a session holds as JSON: every request reads it, and gob, which is what scs has, learns its
// types anew each time. Sessions that were written as gob are still read.
type sessionCodec struct{}

type sessionData struct {
	Deadline time.Time         `json:"until"`
	Numbers  map[string]int64  `json:"n,omitempty"`
	Texts    map[string]string `json:"t,omitempty"`
	Bytes    map[string][]byte `json:"b,omitempty"`
	Flags    map[string]bool   `json:"f,omitempty"`
}

// Encode is part of scs.Codec. It takes int64, string, []byte and bool.
func (sessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	d := sessionData{deadline, map[string]int64{}, map[string]string{}, map[string][]byte{}, map[string]bool{}}
	for k, v := range values {
		switch v := v.(type) {
		case int64:
			d.Numbers[k] = v
		case string:
			d.Texts[k] = v
		case []byte:
			d.Bytes[k] = v
		case bool:
			d.Flags[k] = v
		default:
			return nil, fmt.Errorf("session: %s is a %T", k, v)
		}
	}
	return json.Marshal(d)
}

// Decode is part of scs.Codec.
func (sessionCodec) Decode(raw []byte) (time.Time, map[string]any, error) {
	if !bytes.HasPrefix(raw, []byte("{")) {
		return scs.GobCodec{}.Decode(raw)
	}
	var d sessionData
	if err := json.Unmarshal(raw, &d); err != nil {
		return time.Time{}, nil, fmt.Errorf("session: %w", err)
	}
	values := map[string]any{}
	add(values, d.Numbers)
	add(values, d.Texts)
	add(values, d.Bytes)
	add(values, d.Flags)
	return d.Deadline, values, nil
}

func add[T any](to map[string]any, from map[string]T) {
	for k, v := range from {
		to[k] = v
	}
}
