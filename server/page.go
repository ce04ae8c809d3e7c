package main

import "io/fs"

// page is what the server shows to a browser.
var page fs.FS
