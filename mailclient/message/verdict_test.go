package message

import "testing"

func TestVerdict(t *testing.T) {
	const ours = "Authentication-Results: mx.example.org; dkim=pass (2048-bit; rsa) header.d=shop.example;\n spf=softfail smtp.mailfrom=x;\n dmarc=fail (p=none; dis=none) header.from=shop.example\n"
	for name, c := range map[string]struct{ header, authserv, method, want string }{
		"failed":                     {ours, "mx.example.org", "dmarc", "fail"},
		"passed":                     {ours, "MX.example.org", "dkim", "pass"},
		"another method":             {ours, "mx.example.org", "arc", ""},
		"another server":             {ours, "mx.example.com", "dmarc", ""},
		"no server is believed":      {ours, "", "dmarc", ""},
		"only the topmost":           {"Authentication-Results: other; none\n" + ours, "mx.example.org", "dmarc", ""},
		"the topmost":                {ours + "Authentication-Results: mx.example.org; dmarc=pass\n", "mx.example.org", "dmarc", "fail"},
		"not within a comment":       {"Authentication-Results: mx (; dmarc=pass); dmarc=fail\n", "mx", "dmarc", "fail"},
		"not within quotes":          {"Authentication-Results: mx; spf=pass reason=\"a; dmarc=pass\"\n", "mx", "dmarc", ""},
		"the best of two signatures": {"Authentication-Results: mx 1; dkim=fail; dkim=pass\n", "mx", "dkim", "pass"},
		"with versions":              {"Authentication-Results: mx 1; DMARC/1=Fail\n", "mx", "dmarc", "fail"},
		"none":                       {"Subject: x\n", "mx", "dmarc", ""},
	} {
		if got := ReadHeader([]byte(c.header+"\n")).Verdict(c.authserv, c.method); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestSigned(t *testing.T) {
	const stop = "List-Unsubscribe: <https://x>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
	const good = "Authentication-Results: mx; dkim=pass header.d=shop.example header.b=AbCd\n"
	sign := func(h string) string {
		return "DKIM-Signature: v=1; a=rsa-sha256; d=shop.example; s=k;\n h=From:" + h + "; bh=x;\n b=AbCd\n efgh==\n"
	}
	whole := sign("List-Unsubscribe:\n List-Unsubscribe-Post")
	for name, c := range map[string]struct {
		header string
		want   bool
	}{
		"covered":               {good + whole + stop, true},
		"by its identity":       {"Authentication-Results: mx; dkim=pass header.i=@shop.example\n" + whole + stop, true},
		"one is not covered":    {good + sign("List-Unsubscribe") + stop, false},
		"failed":                {"Authentication-Results: mx; dkim=fail header.d=shop.example\n" + whole + stop, false},
		"another domain's":      {"Authentication-Results: mx; dkim=pass header.d=evil.example\n" + whole + stop, false},
		"another signature":     {"Authentication-Results: mx; dkim=pass header.d=shop.example header.b=ZZ\n" + whole + stop, false},
		"another server":        {"Authentication-Results: evil; dkim=pass header.d=shop.example\n" + whole + stop, false},
		"a second field on top": {good + whole + "List-Unsubscribe: <https://evil.example>\n" + stop, false},
		"no signature":          {good + stop, false},
		"no such field":         {good + whole, false},
	} {
		if got := ReadHeader([]byte(c.header+"\n")).Signed("mx", "List-Unsubscribe", "List-Unsubscribe-Post"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
