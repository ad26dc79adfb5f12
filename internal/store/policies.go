package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Policy is what an admin says of the sender addresses of a domain's people. The zero value says nothing.
type Policy struct {
	Lock         string `json:"lock,omitempty"`         // addresses: people change names and signatures alone; all: nothing
	NoTags       bool   `json:"no_tags,omitempty"`      // nobody answers as name+tag
	NoAny        bool   `json:"no_any,omitempty"`       // nor as any address of the domain
	Name         string `json:"name,omitempty"`         // templates, with {name} and {address}
	Organization string `json:"organization,omitempty"` // filled in for those who have set none
	Signature    string `json:"signature,omitempty"`
	SignHTML     string `json:"sign_html,omitempty"`
	Footer       string `json:"footer,omitempty"` // below every mail from the domain
	FooterHTML   string `json:"footer_html,omitempty"`
}

// Bounds of what a Policy says, in octets: of a line, of a text, and of a text as HTML.
const (
	MaxPolicyLine = 200
	MaxPolicyText = 4000
	MaxPolicyHTML = 16 << 10
)

// The locks of a Policy.
const (
	LockAddresses = "addresses"
	LockAll       = "all"
)

// Policies are those of all domains that have one, by the domain in ASCII.
func (s *Store) Policies(ctx context.Context) (map[string]Policy, error) {
	rows, err := s.db.QueryContext(ctx, policyRows)
	return collectPolicies(rows, err)
}

const policyRows = `SELECT domain, settings FROM domain_policies`

func collectPolicies(rows *sql.Rows, err error) (map[string]Policy, error) {
	type row struct {
		domain string
		p      Policy
	}
	all, err := collect(rows, err, func(r *sql.Rows) (v row, err error) {
		var settings string
		err = r.Scan(&v.domain, &settings)
		return v, errors.Join(err, json.Unmarshal([]byte(settings), &v.p))
	})
	out := map[string]Policy{}
	for _, v := range all {
		out[v.domain] = v.p
	}
	return out, err
}

// SavePolicy sets the policy of a domain, with its row in the audit. The zero policy takes it away.
func (s *Store) SavePolicy(ctx context.Context, domain string, p Policy, audit AuditRow) error {
	return s.inTurn(ctx, func(tx *sql.Tx) error {
		if err := setPolicy(ctx, tx, domain, p); err != nil {
			return err
		}
		return s.addAuditTx(ctx, tx, audit)
	})
}

func setPolicy(ctx context.Context, tx *sql.Tx, domain string, p Policy) error {
	settings, err := json.Marshal(p)
	if err != nil {
		return err
	}
	query, args := `DELETE FROM domain_policies WHERE domain = $1`, []any{domain}
	if p != (Policy{}) {
		query, args = `INSERT INTO domain_policies (domain, settings) VALUES ($1, $2) ON CONFLICT (domain) DO UPDATE SET settings = excluded.settings`, []any{domain, string(settings)}
	}
	_, err = tx.ExecContext(ctx, query, args...)
	return err
}
