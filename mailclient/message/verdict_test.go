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
