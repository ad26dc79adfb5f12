package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// OneClick asks the sender of a list's mails, at the https address that such a mail names, to send no more (RFC 8058
// 3.1). Nothing goes along that tells of the reader, no redirect is followed, and no answer is read.
func (p *Proxy) OneClick(ctx context.Context, rawURL string) error {
	u, err := p.check(rawURL)
	if err != nil {
		return err
	}
	if u.Scheme != "https" {
		return fmt.Errorf("%w: not https", errPicture)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	free, err := p.slots.take(ctx, u.Hostname())
	if err != nil {
		return err
	}
	defer free()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return err
	}
	req.Header = http.Header{"User-Agent": {"Mozilla/5.0 (compatible; mail)"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
