//go:build race

package sanitize

// slack is how much slower than on a quiet machine a test may be: the race detector costs tenfold.
const slack = 5
