package main

import "syscall"

// diskSpace is how many bytes are free for this user on the disk of a directory, and how many there are; 0, 0 if nobody
// can say.
func diskSpace(dir string) (free, total int64) {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return 0, 0
	}
	return int64(fs.Bavail) * fs.Bsize, int64(fs.Blocks) * fs.Bsize
}
