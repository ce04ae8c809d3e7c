// Package web holds the page that the server shows to a browser: totals, rounds, open
// questions and rosters of the areas that the reader may see, the people and phones that
// they look after, and who looked at what.
//
// It refuses to hold data or rules: the page reads the same API as everybody, with a
// session's cookie, or with the token that came in its address after the #.
package web

import "embed"

// Files are index.html, app.css, and the script's modules, of which app.js is the first.
//
//go:embed index.html *.js app.css
var Files embed.FS
