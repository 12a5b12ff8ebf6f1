//go:build unix

package main

import "syscall"

// seconds is the processor time of this process, garbage collection and system
// calls included.
func seconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only of a wrong argument
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
