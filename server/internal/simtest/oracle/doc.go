// Package oracle reads a server's whole log in the slowest and most obvious way, and
// says what everybody must see: what lives, what shows, which records are one, what
// counts where, and which questions are open.
//
// It shares no code with merge, exchange, review or rollup. It refuses to be fast, and
// to remember anything between two readings: every write is held against every other.
package oracle
