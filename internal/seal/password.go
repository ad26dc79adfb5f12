package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/crypto/argon2"
)

// What a password hash costs: 64 MiB, three passes. More than four at once would be a memory bomb.
const (
	argonTime   = 3
	argonMemory = 64 << 10 // KiB
	argonLanes  = 2
)

var hashing = make(chan struct{}, 4)

// HashPassword hashes a password by argon2id (RFC 9106), with its parameters and a salt, in PHC's form.
func HashPassword(password string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(argon(password, salt, argonTime, argonMemory, argonLanes, 32)))
}

func argon(password string, salt []byte, time, memory uint32, lanes uint8, size uint32) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, size)
}

// nobody is compared with when there is no such account, so that it takes as long.
var nobody = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", argon2.Version, argonMemory, argonTime, argonLanes)

// CheckPassword says whether a password is the one of a hash. "" is nobody's: it takes as long and is false.
func CheckPassword(hash, password string) bool {
	known := hash != ""
	if !known {
		hash = nobody
	}
	var version int
	var memory, time uint32
	var lanes uint8
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if errors.Join(err1, err2) != nil || len(want) < 16 || memory > 1<<20 || time > 16 || lanes == 0 {
		return false
	}
	same := subtle.ConstantTimeCompare(argon(password, salt, time, memory, lanes, uint32(len(want))), want) == 1
	return same && known
}

// MinPassword is how many letters a password of an admin has at least.
const MinPassword = 12

// easy are words that passwords are guessed by, beside the names of whom they are for.
var easy = []string{"password", "passwort", "kennwort", "restante", "postmaster", "webmaster", "administrator", "admin", "root", "owner", "welcome", "willkommen", "letmein", "hello", "hallo",
	"qwertzuiop", "qwertyuiop", "qwertz", "qwerty", "azerty", "asdfghjkl", "asdfgh", "yxcvbnm", "zxcvbnm", "iloveyou", "abcdefgh", "abcdef", "1234567890", "0123456789", "123456789", "12345678", "1234567", "123456", "12345", "1234"}

const (
	ownLetters    = 8 // of a password: those beside names, easy words and repetitions
	ownDifferent  = 5 // of these
	shortestNamed = 3 // letters of a name that counts as one
)

// WeakPassword says why a password is refused, "" if it is not: "short", "common". A name or an easy word in it counts for
// nothing, however often it stands there, nor does what is said twice: what is left must be a password.
func WeakPassword(password string, names ...string) string {
	if len([]rune(password)) < MinPassword {
		return "short"
	}
	left := strings.ToLower(password)
	for _, n := range slices.Concat(nameParts(names), easy) {
		left = strings.ReplaceAll(left, n, "\x00")
	}
	own, different := map[string]bool{}, map[rune]bool{}
	n := 0
	for _, part := range strings.FieldsFunc(left, func(r rune) bool { return r == 0 }) {
		for _, part := range strings.Fields(part) {
			part = once(part)
			if own[part] {
				continue
			}
			own[part] = true
			for _, r := range part {
				different[r] = true
				n++
			}
		}
	}
	if n < ownLetters || len(different) < ownDifferent {
		return "common"
	}
	return ""
}

// nameParts are names and their words, in small letters, the longest first.
func nameParts(names []string) (out []string) {
	for _, n := range names {
		n = strings.ToLower(n)
		out = append(out, n, strings.Join(strings.Fields(n), ""))
		out = append(out, strings.FieldsFunc(n, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	out = slices.DeleteFunc(out, func(n string) bool { return len([]rune(n)) < shortestNamed })
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// once is what a word repeats, the word itself if it repeats nothing.
func once(word string) string {
	letters := []rune(word)
	for n := 1; n <= len(letters)/2; n++ {
		same := true
		for i := n; i < len(letters) && same; i++ {
			same = letters[i] == letters[i-n]
		}
		if same {
			return string(letters[:n])
		}
	}
	return word
}

// NewFactor makes the secret of a second factor (TOTP, RFC 6238), in base32 as apps take it.
func NewFactor() string {
	b := make([]byte, 20)
	rand.Read(b)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

const factorStep = 30 // seconds

// CheckFactor gives the step of which code is the code: now's, or the one before or after it. ok is false for any other,
// and for steps up to last: a code is good once.
func CheckFactor(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.Join(strings.Fields(code), "")
	at := now.Unix() / factorStep
	for _, step := range []int64{at, at - 1, at + 1} {
		if step <= last || step < 0 {
			continue
		}
		good, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && good {
			return step, true
		}
	}
	return 0, false
}

// RecoveryCodes makes n codes, each good once in the place of the second factor.
func RecoveryCodes(n int) []string {
	out := make([]string, n)
	for i := range out {
		b := make([]byte, 10)
		rand.Read(b)
		s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		out[i] = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
	}
	return out
}

// Digest is how links and tokens of high entropy are kept: SHA-256 in hex.
func Digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// CodeDigest is Digest for a recovery code as somebody typed it: case does not count, nor what stands between its letters.
func CodeDigest(code string) string {
	return Digest(strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code)))
}

// NewToken makes a token of 32 random bytes, to stand in a cookie or a link.
func NewToken() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
