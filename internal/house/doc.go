// Package house holds the rules of the whole repository as tests: which room may
// import which, and what no file may be. It has no code of its own.
package house
