// Package web holds the page that the server shows to a browser: totals and what is behind
// them, days to be signed, work in the field, open questions, rosters, lists and files of the
// areas that the reader may see, the people and phones that they look after, how the work is
// set up, and who looked at what.
//
// It refuses to hold data or rules: the page reads the same API as everybody, with a
// session's cookie, or with the token that came in its address after the #.
package web

import "embed"

// Files are index.html, app.css, and the script's modules, of which app.js is the first.
//
//go:embed index.html *.js app.css
var Files embed.FS
