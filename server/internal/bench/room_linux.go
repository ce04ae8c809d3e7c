package bench

import "syscall"

// freeIn is how many bytes may still be written where a folder is.
func freeIn(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}
