package handlers

import (
	"testing"

	"restante/internal/i18n"
)

func TestSlipsInAListAreTold(t *testing.T) {
	p := &person{L: i18n.For("en", "")}
	for list, want := range map[string]string{
		"": "", "ben@gmail.com, omar@, user@bücher.example, 用户@例子.广告": "",
		"Ann <ann@gmial.com>; ben@b.test": "ann@gmial.com: did you mean gmail.com?",
		"eve@p\u0430ypal.example":         "eve@p\u0430ypal.example: letters of other scripts that look like ours. Computers spell it xn--pypal-4ve.example.",
	} {
		if got := slipsIn(p, list); got != want {
			t.Errorf("%q: %q, not %q", list, got, want)
		}
	}
}
