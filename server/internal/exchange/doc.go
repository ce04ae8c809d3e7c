// Package exchange is the heart of the server: it takes what devices push, stores
// all of it, merges what it may, parks the rest with a reason, and hands out what
// has changed.
//
// It refuses to know SQL, HTTP or what a form says; it never drops a change that
// can be read.
package exchange
