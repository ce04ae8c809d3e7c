package main

import (
	"io/fs"

	"gridsync/server/web"
)

// page is what the server shows to a browser.
var page fs.FS = web.Files
