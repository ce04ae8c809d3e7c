// Package hatest plays what happens to an installation of several machines: three nodes
// under Patroni and etcd, a server on each, phones that push; a machine dies, a server
// dies, a cable is pulled. It is nothing but tests, and they stand behind the build tag
// "ha" (make test-ha), as they need root on Linux, Patroni, etcd and some minutes.
//
// It lies here and not beside the tools because its phones are clientsdk's and what is
// held against their receipts is read through host: the tools' module can see neither.
package hatest
