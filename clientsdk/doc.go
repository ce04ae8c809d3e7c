// Package clientsdk is a replica for one device: it records what its authors
// type into its own SQLite file, shows it at once over what the server has sent,
// and exchanges both in Sync, whatever the link does.
//
// It refuses to decide: what lives, what shows and what is disputed is for
// syncproto/merge, in the same way as on the server, and it never drops what a
// person typed. Nothing runs in the background unless Run is called.
package clientsdk
