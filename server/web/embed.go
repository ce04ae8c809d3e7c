// Package web holds the page that the server shows to a browser: totals, rounds,
// open questions and rosters of the areas that the reader may see.
//
// It refuses to hold data or rules: the page reads the same API as everybody, with
// the token that stands in its address after the #.
package web

import "embed"

// Files are index.html, app.js and app.css.
//
//go:embed index.html app.js app.css
var Files embed.FS
